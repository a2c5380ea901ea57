"""The transport of hosted providers: litellm, with its own retries and caches off."""

import time
from typing import Any

from dspy.utils.exceptions import LMServerError, LMTimeoutError, LMTransportError

from autoevol.experiments.models.transports.errors import concealed, error_for
from autoevol.experiments.models.transports.protocol import (
    MALFORMED,
    Request,
    Response,
    response_from_openai,
)


class LitellmTransport:
    """Calls `litellm.acompletion` for one model.

    Args:
        model: A litellm name.
        connection: `api_base`, `api_key`, `timeout`; those that are set.
        params: Passed through in every request.
    """

    def __init__(self, model: str, *, connection: dict[str, Any], params: dict[str, Any]) -> None:
        self._model = model
        self._connection = connection
        self._params = params

    async def send(self, request: Request) -> Response:
        """Send one request; litellm drops the settings that the provider does not accept."""
        started = time.monotonic()
        response = await self._completion(request)
        try:
            return response_from_openai(response.model_dump(), time.monotonic() - started)
        except MALFORMED as error:
            raise LMServerError(
                f"malformed reply: {self._without_key(response)[:200]!r}"
            ) from error

    async def _completion(self, request: Request) -> Any:
        import litellm
        import openai

        litellm.suppress_debug_info = True
        try:
            return await litellm.acompletion(
                **{
                    "model": self._model,
                    # Both: its OpenAI path has retries of its own, 2 by default.
                    "num_retries": 0,
                    "max_retries": 0,
                    "drop_params": True,
                    **self._connection,
                    **request.body(),
                    **self._params,
                }
            )
        except openai.APITimeoutError as error:
            raise LMTimeoutError(f"{self._model}: no reply in time") from error
        except openai.APIConnectionError as error:
            problem = self._without_key(error)
            raise LMTransportError(f"{self._model}: connection failed: {problem}") from None
        except openai.OpenAIError as error:  # the root of litellm's own, which may repeat the key
            raise error_for(
                int(getattr(error, "status_code", None) or 500),
                str(error),
                self._model,
                secret=self._connection.get("api_key"),
                retry_after=_retry_after(error),
            ) from None

    def _without_key(self, message: object) -> str:
        return concealed(str(message), self._connection.get("api_key"))

    async def close(self) -> None:
        """Do nothing: litellm owns its connections."""


def _retry_after(error: Any) -> str | None:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    value = headers.get("retry-after")
    return str(value) if value is not None else None
