"""What is new in a text, word by word, and what has changed in one, line by line."""

import difflib
import re
from dataclasses import dataclass
from itertools import chain

_LONGEST = 1_500
"""Words beyond which two texts are not laid side by side: the time grows with their product."""

_LEAST_SHARED = 0.3
"""Share of common words below which a text counts as written anew, and marks would tell nothing."""

_WORDS = re.compile(r"\S+\s*|\s+")
_CONTEXT = 9


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text."""

    text: str
    is_new: bool = False


def marked(before: str, after: str) -> list[Piece]:
    """Return `after` in pieces, with what is not in `before` marked; joined they are `after`.

    A text that shares little with the one before, or is very long, stays one piece without a mark.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if not new or max(len(old), len(new)) > _LONGEST:
        return [Piece(after)]
    same = difflib.SequenceMatcher(None, _bare(old), _bare(new), autojunk=False)
    if same.ratio() < _LEAST_SHARED:
        return [Piece(after)]
    return [
        *chain.from_iterable(
            _pieces("".join(new[start:end]), is_new=kind != "equal")
            for kind, _, _, start, end in same.get_opcodes()
            if end > start
        )
    ]


def changed_lines(before: str, after: str) -> list[str]:
    """Return a unified diff of two texts without its head; empty: they are equal."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=_CONTEXT)
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def _bare(words: list[str]) -> list[str]:
    return [word.strip() for word in words]


def _pieces(text: str, *, is_new: bool) -> list[Piece]:
    """Return a stretch; the white space behind new words bears no mark."""
    if not is_new or not text.strip():
        return [Piece(text)]
    words = text.rstrip()
    return [Piece(words, is_new=True), *([Piece(text[len(words) :])] * (len(words) < len(text)))]
