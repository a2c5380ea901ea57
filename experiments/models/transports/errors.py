"""An endpoint's refusals by meaning, for the status alone does not say who must act.

- this server: `LMServerError`, `LMRateLimitError`, `LMTimeoutError`, `LMTransportError`; the same
  request may succeed later.
- this row: `RowRefusedError`, `ContextWindowExceededError`; the provider will not take this text.
- a setting: `SettingError`; every row is refused alike, until the user or `Dialect` changes it.
- unclear: `LMInvalidRequestError`; the client tells by how many rows are refused alike.
"""

import json
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
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

from autoevol.experiments.models.transports.refusals import (
    Refusal,
    is_about_credit,
    is_about_key,
    is_about_model,
    is_busy,
    is_moderated,
    is_too_long,
    leaves_no_room,
    message_in,
    retry_seconds,
    setting_refused,
)
from autoevol.experiments.models.transports.secrets import NO_SECRET, Secret

_SHOWN = 300
"""Characters of a body that a message quotes."""

_NAMED_STATUS = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "unauthorized": 401,
    "insufficient_quota": 402,
    "permission_denied": 403,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "resource_exhausted": 429,
    "server_error": 500,
    "internal_error": 500,
    "api_error": 500,
    "overloaded_error": 529,
    "unavailable": 503,
    "timeout": 408,
}
"""Statuses of errors that carry a name instead of a number, in a reply with status 200."""


class UnreachableError(LMTransportError):
    """Nothing listens at the endpoint's address, so the request was not sent."""


class RowRefusedError(LMInvalidRequestError):
    """The provider's moderation refuses this text."""


class SettingError(LMInvalidRequestError):
    """The endpoint refuses a setting, and so every row alike.

    Attributes:
        setting: "key", "credit", "model", "address", "system_role", "stream", or the name of a
            setting as it is sent (`temperature`).
        is_certain: The status says so, and not words alone, which may come from a row's text.
        can_drop: The endpoint takes the request without the setting.
        replacement: The name under which it takes the setting; "": none.
    """

    def __init__(
        self,
        message: str,
        setting: str,
        *,
        is_certain: bool = False,
        can_drop: bool = False,
        replacement: str = "",
    ) -> None:
        super().__init__(message)
        self.setting = setting
        self.is_certain = is_certain
        self.can_drop = can_drop
        self.replacement = replacement


class NoRoomError(ContextWindowExceededError):
    """The prompt would fit; with `max_tokens` on top of it, it does not."""


def error_for(
    status: int,
    text: str,
    model: str,
    *,
    secret: Secret = NO_SECRET,
    retry_after: str | None = None,
) -> LMError:
    """Return the error for an HTTP status and a body.

    Args:
        status: Other than 200, or the code of an error that came with status 200.
        text: The body, or a library's message.
        model: Named in the message.
        secret: The API key. Providers repeat it in their messages; ours must not.
        retry_after: The header's value, in seconds or a date (RFC 9110, 10.2.3).
    """
    message = f"{model} answered {status}: {quoted(text, secret)}"
    wait = _seconds(retry_after)
    wait = retry_seconds(text) if wait is None else wait
    if status == 429:
        # A 429 that names a wait will pass, whatever its text says about quota and billing.
        is_broke = wait is None and "insufficient_quota" in text
        return (
            SettingError(message, "credit", is_certain=True)
            if is_broke
            else LMRateLimitError(message, status=status, retry_after=wait)
        )
    if error := _error_of_row(status, text, message):
        return error
    if status == 408:
        return LMTimeoutError(message, status=status)
    if status >= 500 or status in (409, 425):
        return LMServerError(message, status=status, retry_after=wait)
    return _error_of_setting(status, text, message)


def error_in_body(body: Mapping[str, Any], model: str, secret: Secret) -> LMError | None:
    """Return the error in a body that came with status 200; None: it holds none.

    Gateways send the status of the provider behind them inside the body, or inside the choice.
    """
    error = body.get("error") or _error_of_choice(body)
    if not error and not body.get("choices") and (body.get("object") == "error" or "code" in body):
        error = body
    if not error:
        return None
    text = error if isinstance(error, str) else json.dumps(error, ensure_ascii=False, default=str)
    return error_for(_status_in(error), text, model, secret=secret)


def quoted(text: str, secret: Secret) -> str:
    """Return a server's words for a message of ours: one line, without key and controls."""
    printable = "".join(c if c.isprintable() else " " for c in message_in(text) or text)
    return secret.concealed_in(" ".join(printable.split()))[:_SHOWN]


def _error_of_row(status: int, text: str, message: str) -> LMError | None:
    """Return the error that a text causes: too long, or moderated; None: it is another one."""
    if status in (401, 402, 404):
        return None
    if is_too_long(text):
        return (NoRoomError if leaves_no_room(text) else ContextWindowExceededError)(
            message=message
        )
    refusal = setting_refused(text)
    if status == 413:
        return ContextWindowExceededError(message=message)
    return RowRefusedError(message) if not refusal and is_moderated(text) else None


def _error_of_setting(status: int, text: str, message: str) -> LMError:
    """Return the error of a 4xx that is not about the row."""
    if status in (401, 407):
        return SettingError(message, "key", is_certain=True)
    if status == 402 or is_about_credit(text):
        return SettingError(message, "credit", is_certain=status == 402)
    if status in (404, 405):
        return SettingError(
            message, "model" if is_about_model(text) else "address", is_certain=True
        )
    if refusal := setting_refused(text):
        return _setting_error(message, refusal)
    if is_busy(text):
        return LMServerError(message, status=status)
    # A 403 without a reason: the key may not do this, or a firewall dislikes the row.
    if status == 403 or is_about_key(text):
        return SettingError(message, "key")
    return (
        SettingError(message, "model") if is_about_model(text) else LMInvalidRequestError(message)
    )


def _setting_error(message: str, refusal: Refusal) -> SettingError:
    return SettingError(
        message, refusal.setting, can_drop=refusal.can_drop, replacement=refusal.replacement
    )


def _error_of_choice(body: Mapping[str, Any]) -> Any:
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        return None
    return choice.get("error") or (choice.get("finish_reason") == "error" and dict(choice)) or None


def _status_in(error: Any) -> int:
    """Return the status that an error names; 500 where it names none."""
    if not isinstance(error, Mapping):
        return 500
    for name in ("code", "status", "status_code", "type"):
        value = error.get(name)
        if isinstance(value, str):
            value = int(value) if value.isdigit() else _NAMED_STATUS.get(value.lower())
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return 400 if "invalid" in str(error.get("type")) else 500


def _seconds(retry_after: str | None) -> float | None:
    """Return the wait that a header asks for; None: it has none, or is not of either form."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _seconds_until(retry_after)
    return max(0.0, seconds) if math.isfinite(seconds) else None  # "inf" would be a wait for ever


def _seconds_until(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return math.nan
