"""A check of a response: a constraint of a shipped kind, or code of a model.

Rows carry their checks, and rows may come from anywhere: what a check says is hostile input.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from autoevol.program.sandbox import Call
from autoevol.signatures.constraints import constraint_kinds

CODE = "code"
"""The kind of a check that brings code of its own, with a function `evaluate(response)`."""

FUNCTION = "evaluate"
_KEYS = {"kind", "options", "code", "text"}
MOST_CHECKS = 50  # of a row
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "script": ("hangul", "latin", "kana", "han", "cyrillic"),
    "style": ("formal", "polite", "plain"),
}
"""Options that have some values and no others."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one response.

    Attributes:
        kind: One of `constraint_kinds()`, or "code".
        options: Of the kind.
        code: Of the kind "code"; it defines `evaluate(response)`, which returns a bool.
        text: The constraint in words.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    text: str = ""

    @property
    def source(self) -> str:
        """The program that a sandbox runs."""
        if self.kind == CODE:
            return self.code
        return _source(constraint_kinds()[self.kind].family)

    def call(self, response: str) -> Call:
        """Return the call that checks a response."""
        if self.kind == CODE:
            return Call(FUNCTION, [response])
        return Call(constraint_kinds()[self.kind].function, [response], self.options)

    def as_json(self) -> dict[str, Any]:
        """Return the check as a row carries it; see `checks_of`."""
        body = {"code": self.code} if self.kind == CODE else {"options": dict(self.options)}
        return {"kind": self.kind, **body, "text": self.text}


class CheckError(ValueError):
    """A row's checks are not what checks are; the message says what is wrong."""


def checks_of(value: Any) -> list[Check]:
    """Return the checks of a row.

    Args:
        value: A list of objects with `kind` and, as that asks, `options` or `code`; `text` may
            say the constraint in words. Tables hold the list as JSON text. None or an empty list:
            the row has no checks.

    Raises:
        CheckError: It is something else.
    """
    if isinstance(value, str):
        value = _listed(value)
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise CheckError(f"checks must be a list, is {type(value).__name__}")
    if len(value) > MOST_CHECKS:
        raise CheckError(f"{len(value)} checks; a row has at most {MOST_CHECKS}")
    return [_check(number, item) for number, item in enumerate(value)]


def _listed(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError) as error:
        raise CheckError(f"checks are no JSON: {error}") from error


def _check(number: int, item: Any) -> Check:
    where = f"checks[{number}]"
    if not isinstance(item, Mapping):
        raise CheckError(f"{where} must be an object, is {type(item).__name__}")
    unknown = sorted(map(str, set(item) - _KEYS))
    if unknown:
        raise CheckError(f"{where} has no key {unknown[0]!r}; keys: {', '.join(sorted(_KEYS))}")
    kind, text = item.get("kind", CODE), item.get("text") or ""
    if kind == CODE:
        code = item.get("code")
        if not isinstance(code, str) or not code.strip():
            raise CheckError(f"{where} needs code, which defines {FUNCTION}(response)")
        return Check(CODE, code=code, text=str(text))
    return Check(kind, _options(where, kind, item.get("options") or {}), text=str(text))


def _options(where: str, name: Any, options: Any) -> dict[str, Any]:
    kind = constraint_kinds().get(name) if isinstance(name, str) else None
    if kind is None:
        raise CheckError(f"{where}: no kind {name!r}; docs/verified.md lists them")
    # A table with checks of several kinds has all their options, those of other kinds null.
    if isinstance(options, Mapping):
        options = {option: value for option, value in options.items() if value is not None}
    if not isinstance(options, Mapping) or set(options) != set(kind.options):
        needed = ", ".join(kind.options) or "none"
        raise CheckError(f"{where}: {name} has the options: {needed}")
    for option, value in options.items():
        example = kind.options[option][0]
        choices = _CHOICES.get(option)
        if not _fits(value, example) or (choices and value not in choices):
            form = f"one of {', '.join(choices)}" if choices else f"like {example!r}"
            raise CheckError(f"{where}: {option} of {name} must be {form}")
    return dict(options)


def _fits(value: Any, example: Any) -> bool:
    """Return whether a value has the form of an example: a count, a share, a text or texts."""
    if isinstance(example, int):
        return type(value) is int and value >= 0
    if isinstance(example, float):
        return isinstance(value, int | float) and 0 <= value <= 1
    if isinstance(example, list):
        return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)
    return isinstance(value, str) and bool(value)


@cache
def _source(family: str) -> str:
    return inspect.getsource(import_module(f"autoevol.metrics.constraints.{family}"))
