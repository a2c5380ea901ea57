"""Whether refused requests are the fault of their rows or of a setting."""

import re
from collections import Counter

from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMError,
    LMInvalidRequestError,
    LMServerError,
)

from autoevol.experiments.models.settings import ModelOptions, ModelSettings
from autoevol.experiments.models.transports.errors import NoRoomError, RowRefusedError, SettingError
from autoevol.program.errors import AccessError

MOST_REFUSALS = 3
"""Refusals that mean the same, with no reply between them, after which a setting is wrong."""

_ADVICE = {
    "credit": "add credit to the account, or name another key (api_key_env)",
    "model": "check the model's name, and that the server has it",
    "address": "check api_base, which ends before /chat/completions, and the model's name",
    "system_role": "set system_role: fold if the model takes no system turns",
    "max_tokens": "set a smaller max_tokens: it leaves no room for the prompt",
}
_KEYS = {
    "key": "api_key_env",
    "credit": "api_key_env",
    "address": "api_base",
    "certificate": "api_base",
    "redirect": "api_base",
}
"""The config's key for a refused setting that has another name there."""

_EXPLAINED = ("certificate", "redirect")
"""Refusals whose message says what to do."""

_OPTIONS = ModelOptions.__dataclass_fields__


class RefusalCounter:
    """Counts one client's refused requests by meaning.

    Args:
        settings: Of the role, for messages.
        is_served: The endpoint has answered the role before.
    """

    def __init__(self, settings: ModelSettings, *, is_served: bool) -> None:
        self._settings = settings
        self._is_served = is_served
        self._counts: Counter[str] = Counter()
        self._last: LMInvalidRequestError | None = None

    def record_success(self) -> None:
        """Note a reply: refusals before it were the fault of their rows."""
        self._is_served = True
        self._counts.clear()

    def judged(self, error: LMInvalidRequestError) -> LMError | AccessError:
        """Return the error that a refusal amounts to.

        Returns:
            `AccessError`: a setting is wrong, and the run ends. `LMServerError`: the endpoint has
            taken the setting before, so the request is worth a retry. Otherwise the error itself,
            which fails its row.
        """
        meaning = _meaning(error)
        is_certain = isinstance(error, SettingError) and error.is_certain
        if meaning is None or (self._is_served and not is_certain):
            return error
        self._counts[meaning] += 1
        self._last = error
        if self._counts[meaning] >= MOST_REFUSALS or (is_certain and not self._is_served):
            return self._wrong_setting(meaning, error)
        return LMServerError(str(error)) if self._is_served else error

    def final(self) -> AccessError | None:
        """Return the error of a run that ends without a single reply, if one setting explains it.

        A short run has too few rows for `MOST_REFUSALS`.
        """
        if self._is_served or self._last is None or len(self._counts) > 1:
            return None
        return self._wrong_setting(next(iter(self._counts)), self._last)

    def _wrong_setting(self, meaning: str, error: LMInvalidRequestError) -> AccessError:
        settings = self._settings
        role, name = settings.config_section or f"models.{settings.role}", f"({settings.model})"
        if isinstance(error, SettingError | NoRoomError):
            advice = self._advice(meaning)
            return AccessError(f"{role}{self._key(meaning)} {name}", f"{error}{advice}")
        problem = f"refused its first {self._counts[meaning]} requests: {error}"
        return AccessError(f"{role} {name}", problem)

    def _key(self, meaning: str) -> str:
        """Return the config's key for a refused setting, with a dot; "": it has none."""
        if meaning in self._settings.params:
            return f".params.{meaning}"
        key = _KEYS.get(meaning, meaning)
        return f".{key}" if key in _OPTIONS else ""

    def _advice(self, meaning: str) -> str:
        if meaning == "key":
            variable = self._settings.key_variable
            return f"; check {variable}" if variable else "; set api_key_env if it needs a key"
        if meaning in _EXPLAINED:
            return ""
        return f"; {_ADVICE.get(meaning, 'change or remove it')}"


def _meaning(error: LMInvalidRequestError) -> str | None:
    """Return what a refusal is about; None: about its row alone."""
    if isinstance(error, SettingError):
        return error.setting
    if isinstance(error, NoRoomError):
        return "max_tokens"
    if isinstance(error, RowRefusedError | ContextWindowExceededError):
        return None
    # The words of an unclear refusal, without what differs from request to request.
    return re.sub(r"\S*\d\S*", "#", str(error))
