"""The errors of an endpoint, by who must act: the user, the retry rules, or nobody (a bad row)."""

import math
import re

from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)

from autoevol.program.errors import AccessError

_TOO_LONG = re.compile(r"context|too many tokens|prompt is too long", re.IGNORECASE)
_EXCEEDED = re.compile(r"exceed|maximum|too (?:long|many)", re.IGNORECASE)
_NO_CREDIT = "insufficient_quota"
"""OpenAI's code of a 429 that no wait ends: the account has no credit."""

_SHOWN = 300
"""Characters of a body that a message quotes."""


class UnreachableError(LMTransportError):
    """Nothing listens at the endpoint's address, so the request was not sent."""


def error_for(
    status: int, text: str, model: str, *, secret: str | None = None, retry_after: str | None = None
) -> LMError | AccessError:
    """Return the error for an HTTP status.

    Args:
        status: Other than 200.
        text: The body, or a library's message.
        model: Named in the message.
        secret: The API key. Providers repeat it in their messages; ours must not.
        retry_after: The header's value, in seconds; a date is ignored.
    """
    shown = concealed(" ".join(text.split()), secret)[:_SHOWN]
    message = f"{model} answered {status}: {shown}"
    wait = _seconds(retry_after)
    # A 429 that names a wait will pass, whatever its text says about quota and billing.
    if status in (401, 402, 403, 404) or (status == 429 and _NO_CREDIT in text and wait is None):
        return AccessError(model, f"the endpoint refused the key or the model ({status}): {shown}")
    if status == 429:
        return LMRateLimitError(message, status=status, retry_after=wait)
    if status == 408:
        return LMTimeoutError(message, status=status)
    if status >= 500 or status in (409, 425):
        return LMServerError(message, status=status, retry_after=wait)
    if _TOO_LONG.search(text) and _EXCEEDED.search(text):
        return ContextWindowExceededError(message=message)
    return LMInvalidRequestError(message)


def concealed(text: str, secret: str | None) -> str:
    """Return a text without the API key."""
    return text.replace(secret, "[key]") if secret else text


def _seconds(retry_after: str | None) -> float | None:
    try:
        seconds = float(retry_after or "nan")
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None  # "inf" would be a wait for ever
