"""Names of a matrix's cells: readable, safe as file names, and the same for the same values.

A name joins a short word for each value of the cell with dots. Where the last parts of two values
of a key are the same, their whole texts make the words.
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
"""Files of the folder that holds the cells' folders."""

_WORD_BYTES, _NAME_BYTES = 60, 200  # a file system takes 255 bytes a name; a suffix has to fit
_BARE = ("true", "false", "null")


def names_of(varied: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the cells' names; the last key varies fastest."""
    words = [_words(key, values) for key, values in varied.items()]
    names = [_cut(".".join(combination), _NAME_BYTES) for combination in itertools.product(*words)]
    # Folded, because some file systems take "A" and "a" for one name.
    counts = Counter(map(str.casefold, [*names, *RESERVED]))
    cells = itertools.product(*varied.values())
    return [
        name if counts[name.casefold()] == 1 else f"{name}-{_digest(cell)}"
        for name, cell in zip(names, cells, strict=True)
    ]


def canonical(value: Any) -> str:
    """Return a value as one text, the same for equal values."""
    # YAML also reads dates, for which JSON has no text.
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def is_private(key: str) -> bool:
    """Tell whether the value of a dotted key may be a secret, if only by mistake."""
    return bool(SECRET.search(key)) or not CONCEALED.isdisjoint(key.split("."))


def concealed(key: str, value: Any) -> Any:
    """Return a value as it may be shown and stored: a digest replaces what may be a secret."""
    if value is not None and is_private(key):
        return f"{_clean(key.rpartition('.')[2])}-{_digest(value)}"
    if isinstance(value, Mapping):
        return {inner: concealed(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list):
        return [concealed("", item) for item in value]
    return value


def _words(key: str, values: Sequence[Any]) -> list[str]:
    """Return a word for each value, no two alike."""
    short = [_word(key, value, is_whole=False) for value in values]
    whole = [_word(key, value, is_whole=True) for value in values]
    return [
        _first_unique(number, short, whole) or f"{short[number]}-{_digest(value)}"
        for number, value in enumerate(values)
    ]


def _first_unique(number: int, *wordings: Sequence[str]) -> str | None:
    """Return the first of a value's words that no other value has."""
    for words in wordings:
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
    # A number or a truth value says nothing without its key: "seed-1", but "qwen3".
    is_bare = text in _BARE or not any(map(str.isalpha, text))
    return _cut(f"{_clean(last)}-{text}" if is_bare else text, _WORD_BYTES)


def _text(value: Any, *, is_whole: bool) -> str:
    if isinstance(value, Mapping):
        shown = [item for key, item in value.items() if not is_private(str(key))]
        return "-".join(_text(item, is_whole=is_whole) for item in shown)
    if isinstance(value, list):
        return "+".join(_text(item, is_whole=is_whole) for item in value)
    if isinstance(value, str):
        return value if is_whole else value.rstrip("/").rpartition("/")[2]
    return canonical(value)


def _clean(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text).strip(".+-")


def _cut(text: str, most: int) -> str:
    """Return a text of at most so many bytes; a digest replaces what is cut."""
    if len(text.encode()) <= most:
        return text
    end = f"-{_digest(text)}"
    # The cut may fall inside a character of several bytes; what is left of it is dropped.
    return text.encode()[: most - len(end)].decode(errors="ignore").rstrip(".+-") + end


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:6]
