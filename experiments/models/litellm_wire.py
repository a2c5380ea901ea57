"""The transport of hosted providers: litellm, with its own retries and caches off."""

import time
from typing import Any

from dspy.utils.exceptions import LMServerError, LMTransportError

from experiments.models.refusals import error_for
from experiments.models.wire import Reply, WireCall, reply_from_openai


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
        import openai

        litellm.suppress_debug_info = True
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
        except openai.APIConnectionError as error:
            raise LMTransportError(f"{self._model}: connection failed: {error}") from error
        except openai.OpenAIError as error:  # the root of litellm's own errors
            status = getattr(error, "status_code", None) or 500
            raise error_for(int(status), str(error), self._model) from error
        try:
            return reply_from_openai(response.model_dump(), time.monotonic() - started)
        except (KeyError, IndexError, TypeError) as error:
            raise LMServerError(f"malformed reply: {str(response)[:200]!r}") from error

    async def close(self) -> None:
        """Do nothing: litellm owns its connections."""
