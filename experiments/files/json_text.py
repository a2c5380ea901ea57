"""JSON as RFC 8259 has it, for every file of rows: any value is written, and any reader takes it.

Python's own writer has two habits that other readers refuse: `NaN`, and half of a surrogate pair
as it is, which no UTF-8 file can hold. Its reader takes the last of two values for a key, silently.
"""

import json
import math
import re
from typing import Any

from autoevol.program.errors import ConfigError

MOST_LEVELS = 100
"""Lists and objects in each other that a record may have."""

_OPTIONS: dict[str, Any] = {"ensure_ascii": False, "default": str}
HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs, which no UTF-8 file can hold."""


def as_json(value: Any, *, indent: int | None = None, is_repaired: bool = False) -> str:
    """Return a value as JSON that every reader takes.

    NaN and infinities become null. What JSON has no form for, such as a date of a Parquet file,
    becomes its text.

    Args:
        value: Plain data.
        indent: Spaces for each level; None: all in one line.
        is_repaired: Put U+FFFD in the place of halves of surrogate pairs, for texts of models. Else
            they are written as escapes, and a reader gets what was read.
    """
    try:
        text = json.dumps(value, **_OPTIONS, indent=indent, allow_nan=False)
    except ValueError:
        # Only now: few values hold a NaN, and the search for it costs more than the writing.
        # `allow_nan` is for one that is a key, which is written as a text.
        text = json.dumps(_finite(value), **_OPTIONS, indent=indent, allow_nan=True)
    return HALVES.sub("\ufffd" if is_repaired else _escape, text)


def _escape(half: re.Match[str]) -> str:
    return f"\\u{ord(half[0]):04x}"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def holds_half(value: Any) -> bool:
    """Tell whether a text in a value has half of a surrogate pair."""
    return HALVES.search(json.dumps(value, **_OPTIONS)) is not None


def parsed(text: str, place: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ConfigError: It is not JSON, has two values for a key, nests too deep, or holds a number
            with too many digits.
    """
    try:
        value = _decoded(text)
        # What is read has to be written again, from deeper within the program.
        if max(text.count("["), text.count("{")) > MOST_LEVELS and _levels(value) > MOST_LEVELS:
            raise RecursionError(f"it nests deeper than {MOST_LEVELS} levels")
        return value
    except json.JSONDecodeError as error:
        # A record of JSON Lines is one line, and its place has the line's number already.
        line = "" if error.lineno == 1 else f":{error.lineno}"
        raise ConfigError(f"{place}{line}", f"is not valid JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(place, f"is not valid JSON: {error}") from error


def _decoded(text: str) -> Any:
    # `decode` looks for white space before and after, which takes as long as a short line itself.
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        return _DECODER.decode(text)
    return value if text[end:] in _LINE_ENDS else _DECODER.decode(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"it has two values for the key {twice[:80]!r}")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
"""Made once: a million records would each make one."""
_LINE_ENDS = ("", "\n")


def _levels(value: Any) -> int:
    """Return how deep lists and objects are in each other."""
    levels, layer = 0, [value]
    while layer := [item for item in layer if isinstance(item, list | dict)]:
        levels += 1
        layer = [
            inner for item in layer for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return levels
