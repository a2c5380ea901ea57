"""What litellm would send for a call, and what it would make of a reply; nothing is sent."""

from collections.abc import Mapping
from typing import Any

import httpx
from dspy.utils.exceptions import LMError

from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.experiments.models.transports.replies.reading import read_reply


class RehearsedLitellm(LitellmTransport):
    """Calls of litellm's whose connections are played here, for interfaces that it does not reach.

    A batch of a provider takes the bodies of its single calls, and returns their replies.
    """

    async def prepared(self, request: Request) -> httpx.Request:
        """Return what `send` would send."""
        prepared: list[httpx.Request] = []

        def stand_in(sent: httpx.Request) -> httpx.Response:
            prepared.append(sent)
            return httpx.Response(400, json={"error": {"message": "not sent"}}, request=sent)

        try:
            await self._completion(request, stand_in)
        except LMError:
            if not prepared:
                raise
        return prepared[0]

    async def read(self, request: Request, status: int, reply: Mapping[str, Any]) -> Response:
        """Return what `send` would return if the endpoint replied so; it raises the same."""

        def stand_in(sent: httpx.Request) -> httpx.Response:
            return httpx.Response(status, json=reply, request=sent)

        body = await self._completion(request, stand_in)
        return read_reply(body, request, model=self._model, secret=self._secret, seconds=0.0)
