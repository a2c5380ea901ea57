"""A provider's own batch interface, reached as litellm reaches its single calls."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from dspy.utils.exceptions import LMServerError, LMTimeoutError, LMTransportError

from autoevol.experiments.models.batches.provider import BatchResult
from autoevol.experiments.models.transports.errors import error_for, quoted
from autoevol.experiments.models.transports.litellm_rehearsal import RehearsedLitellm
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.experiments.models.transports.secrets import Secret

_PROBE = Request(({"role": "user", "content": "."},))
"""A request whose address and headers are those of all."""

_OF_A_CALL = ("host", "connection", "content-length", "accept-encoding", "transfer-encoding")
_NOT_IN_A_BATCH = ("stream",)
"""Keys of a single call's body."""


class OwnApi:
    """Requests to a provider, with the address, the headers and the bodies of its single calls.

    Args:
        model: A litellm name.
        transport: Of single calls.
        secret: Its key, concealed in messages.
        timeout: Seconds of a request.
    """

    def __init__(
        self, model: str, transport: RehearsedLitellm, *, secret: Secret, timeout: float | None
    ) -> None:
        self.model = model
        self._transport, self._secret, self._timeout = transport, secret, timeout
        self._probe: httpx.Request | None = None
        self._betas: set[str] = set()

    async def url(self) -> str:
        """Return the address of single calls."""
        return str((await self._probed()).url.copy_with(query=None))

    async def body(self, request: Request) -> dict[str, Any]:
        """Return the body of a single call."""
        prepared = await self._transport.prepared(request)
        # Features in trial are asked for in a header, which a batch has once.
        self._betas |= {*filter(None, prepared.headers.get("anthropic-beta", "").split(","))}
        body = json.loads(prepared.content)
        return {name: value for name, value in body.items() if name not in _NOT_IN_A_BATCH}

    async def read(self, request: Request, status: int, reply: Mapping[str, Any]) -> Response:
        """Return what a single call would return with this reply."""
        return await self._transport.read(request, status, reply)

    async def ask(self, method: str, url: str, body: Any = None, **query: Any) -> Any:
        """Return the JSON of an answer; None: it is empty.

        Raises:
            LMError: By meaning, see `transports.errors`.
        """
        content = await self.content(method, url, body, **query)
        try:
            return json.loads(content) if content.strip() else None
        except ValueError as error:
            raise LMServerError(f"{self.model}: its answer is no JSON: {error}") from error

    async def content(self, method: str, url: str, body: Any = None, **query: Any) -> bytes:
        """Return the body of an answer.

        Raises:
            LMError: By meaning, see `transports.errors`.
        """
        probe = await self._probed()
        headers = {name: value for name, value in probe.headers.items() if name not in _OF_A_CALL}
        if self._betas:
            headers["anthropic-beta"] = ",".join(sorted(self._betas))
        params = {**probe.url.params, **{k: v for k, v in query.items() if v is not None}}
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8")
        try:
            async with httpx.AsyncClient(timeout=self._timeout) as client:
                answer = await client.request(
                    method, url, content=data, headers=headers, params=params
                )
        except httpx.TimeoutException:
            raise LMTimeoutError(f"{self.model}: no reply in time") from None
        except httpx.HTTPError as error:
            problem = quoted(str(error) or type(error).__name__, self._secret)
            raise LMTransportError(f"{self.model}: connection failed: {problem}") from None
        if not answer.is_success:
            raise error_for(
                answer.status_code,
                answer.text,
                self.model,
                secret=self._secret,
                retry_after=answer.headers.get("retry-after"),
            )
        return answer.content

    async def _probed(self) -> httpx.Request:
        if self._probe is None:
            self._probe = await self._transport.prepared(_PROBE)
        return self._probe


class OwnFiles:
    """The results of batches that take no files; see `BatchFiles`.

    A batch's id is that of its results.

    Args:
        api: Of the provider.
    """

    def __init__(self, api: OwnApi) -> None:
        self._api = api

    async def upload(self, token: str, content: bytes) -> str:
        """Return no id: nothing is uploaded."""
        return ""

    async def delete_uploads(self, token: str) -> None:
        """Delete nothing."""


class OwnBatches:
    """What all interfaces without files share; see `BatchProvider`.

    Args:
        api: Of the provider.
    """

    def __init__(self, api: OwnApi) -> None:
        self._api = api

    async def reply(self, request: Request, result: BatchResult) -> Response:
        """Return the reply that a result holds."""
        return await self._api.read(request, result.status, result.body)
