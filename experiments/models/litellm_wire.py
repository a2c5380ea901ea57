"""The transport of hosted providers: litellm, with its own retries and caches off."""

import time
from typing import Any

from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)

from experiments.models.wire import Reply, WireCall, reply_from_openai
from program.errors import AccessError


class LitellmTransport:
    """Calls `litellm.acompletion` for one model.

    Args:
        model: A litellm name.
        connection: `api_base`, `api_key`, `timeout`, as far as they are set.
        params: Passed through in every call.
    """

    def __init__(self, model: str, *, connection: dict[str, Any], params: dict[str, Any]) -> None:
        self._model = model
        self._connection = connection
        self._params = params

    async def send(self, call: WireCall) -> Reply:
        """Send one call; what the provider does not take is dropped by litellm."""
        import litellm

        started = time.monotonic()
        try:
            response = await litellm.acompletion(
                model=self._model,
                num_retries=0,
                max_retries=0,
                drop_params=True,
                **self._connection,
                **call.body(),
                **self._params,
            )
        except litellm.exceptions.OpenAIError as error:
            raise error_of(error, self._model) from error
        try:
            return reply_from_openai(response.model_dump(), time.monotonic() - started)
        except (KeyError, IndexError, TypeError) as error:
            raise LMServerError(f"malformed reply: {str(response)[:200]!r}") from error

    async def close(self) -> None:
        """Do nothing: litellm owns its connections."""


def error_of(error: Exception, model: str) -> LMError:
    """Return DSPy's error for one of litellm's, by who must act."""
    from litellm import exceptions as raised

    message = f"{model}: {str(error)[:300]}"
    if isinstance(
        error, raised.AuthenticationError | raised.PermissionDeniedError | raised.NotFoundError
    ):
        return AccessError(model, f"the provider refused the key or the model: {str(error)[:300]}")
    kinds: list[tuple[type[Exception], type[LMError]]] = [
        (raised.RateLimitError, LMRateLimitError),
        (raised.Timeout, LMTimeoutError),
        (raised.ServiceUnavailableError, LMServerError),
        (raised.InternalServerError, LMServerError),
        (raised.APIConnectionError, LMTransportError),
        (raised.BadRequestError, LMInvalidRequestError),
    ]
    if isinstance(error, raised.ContextWindowExceededError):
        return ContextWindowExceededError(message=message)
    return next(
        (to(message) for kind, to in kinds if isinstance(error, kind)), LMServerError(message)
    )
