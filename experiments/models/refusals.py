"""What an endpoint's refusal means, by who must act on it."""

import re

from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
)

from program.errors import AccessError

_TOO_LONG = re.compile(r"context|too many tokens|prompt is too long", re.IGNORECASE)
_EXCEEDED = re.compile(r"exceed|maximum|too (?:long|many)", re.IGNORECASE)
_SHOWN = 300


def error_for(status: int, text: str, model: str) -> LMError:
    """Return the error for an HTTP status.

    Args:
        status: Other than 200.
        text: The body, or a library's message.
        model: Named in the message.
    """
    shown = " ".join(text.split())[:_SHOWN]
    message = f"{model} answered {status}: {shown}"
    if status in (401, 402, 403, 404):
        return AccessError(model, f"the endpoint refused the key or the model ({status}): {shown}")
    if status == 429:
        return LMRateLimitError(message)
    if status == 408:
        return LMTimeoutError(message)
    if status >= 500 or status in (409, 425):
        return LMServerError(message)
    if _TOO_LONG.search(text) and _EXCEEDED.search(text):
        return ContextWindowExceededError(message=message)
    return LMInvalidRequestError(message)
