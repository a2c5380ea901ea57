"""The lean transport: plain HTTP to an OpenAI-compatible server."""

import time
from typing import Any

import httpx
from dspy.utils.exceptions import LMServerError, LMTimeoutError, LMTransportError

from experiments.models.refusals import error_for
from experiments.models.wire import Reply, WireCall, reply_from_openai


class OpenAITransport:
    """Posts chat completions to `base_url`.

    Args:
        base_url: Ends before `/chat/completions`.
        model: The name the server knows; sent with every call.
        api_key: Sent as bearer token when given.
        timeout: Seconds until a call counts as lost.
        params: Passed through in every body.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        api_key: str | None,
        timeout: float,
        params: dict[str, Any],
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            base_url=base_url, headers=headers, timeout=timeout, trust_env=False
        )
        self._model = model
        self._params = params

    async def send(self, call: WireCall) -> Reply:
        """Post one call and read its reply."""
        started = time.monotonic()
        body = {"model": self._model, **call.body(), **self._params}
        try:
            response = await self._client.post("chat/completions", json=body)
        except httpx.TimeoutException as error:
            raise LMTimeoutError(f"no reply in time: {error!r}") from error
        except httpx.HTTPError as error:
            raise LMTransportError(f"connection failed: {error!r}") from error
        if response.status_code != httpx.codes.OK:
            raise error_for(response.status_code, response.text, self._model)
        try:
            return reply_from_openai(response.json(), time.monotonic() - started)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise LMServerError(f"malformed reply: {response.text[:200]!r}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
