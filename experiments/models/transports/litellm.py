"""The transport of hosted providers: litellm, with its own retries and caches off."""

import asyncio
import sys
import time
from collections.abc import AsyncIterable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from dspy.utils.exceptions import LMError, LMTimeoutError, LMTransportError

from autoevol.experiments.models.transports.dialect import Dialect
from autoevol.experiments.models.transports.errors import error_for, quoted
from autoevol.experiments.models.transports.protocol import MOST_REPLY_BYTES, Request, Response
from autoevol.experiments.models.transports.refusals import is_about_model
from autoevol.experiments.models.transports.replies.reading import read_reply
from autoevol.experiments.models.transports.secrets import Secret

if TYPE_CHECKING:
    import httpx


class LitellmTransport:
    """Calls `litellm.acompletion` for one model.

    Args:
        model: A litellm name.
        connection: `api_base`, `api_key`, `timeout`; those that are set.
        params: Passed through in every request.
        dialect: The form in which the endpoint takes requests.
        max_reply_bytes: Largest body, decompressed.
    """

    def __init__(
        self,
        model: str,
        *,
        connection: dict[str, Any],
        params: dict[str, Any],
        dialect: Dialect | None = None,
        max_reply_bytes: int = MOST_REPLY_BYTES,
    ) -> None:
        self._model = model
        self._connection = connection
        self._params = params
        self._dialect = dialect or Dialect()
        self._max_reply_bytes = max_reply_bytes
        self._secret = Secret(connection.get("api_key"))

    async def send(self, request: Request) -> Response:
        """Send one request; litellm drops the settings that the provider does not accept."""
        started = time.monotonic()
        body = await self._completion(request)
        seconds = time.monotonic() - started
        return read_reply(body, request, model=self._model, secret=self._secret, seconds=seconds)

    async def close(self) -> None:
        """Close litellm's connections, which belong to the loop that made them."""
        if "litellm" not in sys.modules:  # no request was sent
            return
        import litellm

        await litellm.close_litellm_async_clients()
        # The clients stay in its cache, where the next run of this process would meet them closed.
        litellm.in_memory_llm_clients_cache.flush_cache()

    async def _completion(
        self,
        request: Request,
        stand_in: "Callable[[httpx.Request], httpx.Response] | None" = None,
    ) -> Mapping[str, Any]:
        import openai

        from autoevol.experiments.models.transports.litellm_bounds import BoundedCall, bounded

        call = BoundedCall(self._model, self._max_reply_bytes, self._secret, stand_in)
        with bounded(call):
            try:
                # litellm's own timeout is one between two bytes.
                async with asyncio.timeout(self._connection.get("timeout")):
                    return await self._answered(request)
            except TimeoutError:
                raise self._late() from None
            except openai.OpenAIError as error:  # the root of litellm's own; may repeat the key
                raise call.problem or self._error(error) from None

    async def _answered(self, request: Request) -> Mapping[str, Any]:
        import litellm

        litellm.suppress_debug_info = True
        response = await litellm.acompletion(**self._arguments(request))
        if isinstance(response, AsyncIterable):
            response = litellm.stream_chunk_builder([chunk async for chunk in response])
        completion: Mapping[str, Any] = response.model_dump()
        return completion

    def _arguments(self, request: Request) -> dict[str, Any]:
        stream = {"stream": True} if self._dialect.is_streaming else {}
        return {
            "model": self._model,
            # Both: its OpenAI path has retries of its own, 2 by default.
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            **self._connection,
            **self._dialect.body(request),
            **stream,
            **self._params,
        }

    def _late(self) -> LMTimeoutError:
        return LMTimeoutError(f"{self._model}: no reply in time")

    def _error(self, error: Any) -> LMError:
        import openai

        if isinstance(error, openai.APITimeoutError):
            return self._late()
        status = int(getattr(error, "status_code", None) or 500)
        if isinstance(error, openai.APIConnectionError):
            # litellm also raises it for refusals that it has no mapping for, Ollama's for example.
            if not is_about_model(str(error)):
                problem = quoted(str(error), self._secret)
                return LMTransportError(f"{self._model}: connection failed: {problem}")
            status = 404
        return error_for(
            status,
            str(error),
            self._model,
            secret=self._secret,
            retry_after=_retry_after(error),
        )


def _retry_after(error: Any) -> str | None:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    value = headers.get("retry-after")
    return str(value) if value is not None else None
