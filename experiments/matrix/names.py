"""Names of a matrix's cells: readable, safe as a file's, and the same for the same values.

A name joins a short word for each value of the cell by points. Where two values of a key would be
called the same, they are called by their whole texts instead of the last parts.
"""

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from autoevol.experiments.config.errors import CONCEALED
from autoevol.experiments.config.models import SECRET

RESERVED = ("matrix.json", "cells.json", "run.lock")
"""Files of the folder that the cells' folders lie in."""

_WORD_BYTES, _NAME_BYTES = 60, 200
_BARE = ("true", "false", "null")


def names_of(varied: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the cells' names; the last key varies fastest."""
    words = [_words(key, values) for key, values in varied.items()]
    names = [_cut(".".join(each), _NAME_BYTES) for each in itertools.product(*words)]
    counts = Counter(map(str.casefold, [*names, *RESERVED]))
    cells = itertools.product(*varied.values())
    return [
        name if counts[name.casefold()] == 1 else f"{name}-{_digest(cell)}"
        for name, cell in zip(names, cells, strict=True)
    ]


def canonical(value: Any) -> str:
    """Return a value as one text, the same for the same value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def is_private(key: str) -> bool:
    """Tell whether the value of a dotted key may be a secret, if only by mistake."""
    return bool(SECRET.search(key)) or not CONCEALED.isdisjoint(key.split("."))


def concealed(key: str, value: Any) -> Any:
    """Return a value as it may be shown and kept: a digest stands for what may be a secret."""
    if value is not None and is_private(key):
        return f"{_clean(key.rpartition('.')[2])}-{_digest(value)}"
    if isinstance(value, Mapping):
        return {inner: concealed(str(inner), each) for inner, each in value.items()}
    if isinstance(value, list):
        return [concealed("", each) for each in value]
    return value


def _words(key: str, values: Sequence[Any]) -> list[str]:
    """Return a word for each value, no two alike."""
    short = [_word(key, value, is_whole=False) for value in values]
    whole = [_word(key, value, is_whole=True) for value in values]
    return [
        _first_alone(number, short, whole) or f"{short[number]}-{_digest(value)}"
        for number, value in enumerate(values)
    ]


def _first_alone(number: int, *choices: Sequence[str]) -> str | None:
    """Return the first of a value's words that no other value has."""
    for words in choices:
        folded = [word.casefold() for word in words]
        if folded.count(folded[number]) == 1:
            return words[number]
    return None


def _word(key: str, value: Any, *, is_whole: bool) -> str:
    last = key.rpartition(".")[2]
    if is_private(key):
        return f"{_clean(last)}-{_digest(value)}"
    text = _clean(_text(value, is_whole=is_whole))
    if not text:
        return f"{_clean(last)}-{_digest(value)}"
    is_bare = text in _BARE or not any(map(str.isalpha, text))
    return _cut(f"{_clean(last)}-{text}" if is_bare else text, _WORD_BYTES)


def _text(value: Any, *, is_whole: bool) -> str:
    if isinstance(value, Mapping):
        shown = [each for key, each in value.items() if not is_private(str(key))]
        return "-".join(_text(each, is_whole=is_whole) for each in shown)
    if isinstance(value, list):
        return "+".join(_text(each, is_whole=is_whole) for each in value)
    if isinstance(value, str):
        return value if is_whole else value.rstrip("/").rpartition("/")[2]
    return canonical(value)


def _clean(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text).strip(".+-")


def _cut(text: str, most: int) -> str:
    """Return a text of at most so many bytes; a digest stands for what is cut."""
    if len(text.encode()) <= most:
        return text
    end = f"-{_digest(text)}"
    return text.encode()[: most - len(end)].decode(errors="ignore").rstrip(".+-") + end


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:6]
