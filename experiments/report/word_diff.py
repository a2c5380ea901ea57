"""Differences of two texts: new words within a text, and a diff of its lines."""

import difflib
import re
from dataclasses import dataclass
from itertools import chain

_MOST_WORDS = 1_500
"""Longer texts are not compared: the time grows with the product of their lengths."""

_LEAST_SHARED = 0.3
"""Share of common words below which a text counts as rewritten, and marks would be useless."""

# A word takes the white space after it along, so that the pieces joined are the text. Punctuation
# is apart: a comma behind a word does not make it new.
_WORDS = re.compile(r"\w[\w'’-]*\s*|[^\w\s]+\s*|\s+")
_CONTEXT = 9


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, new or not."""

    text: str
    is_new: bool = False


def mark_new_words(before: str, after: str) -> list[Piece]:
    """Return `after` in pieces, words that `before` lacks marked as new; joined they are `after`.

    A text that shares little with `before`, or is very long, is one piece without a mark.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if not new or max(len(old), len(new)) > _MOST_WORDS:
        return [Piece(after)]
    # autojunk would ignore the frequent words of long texts.
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
    """Return a unified diff of two texts without its header; empty: they are equal."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=_CONTEXT)
    # The first two lines are the header, "---" and "+++".
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def _bare(words: list[str]) -> list[str]:
    return [word.strip() for word in words]


def _pieces(text: str, *, is_new: bool) -> list[Piece]:
    """Return a part as pieces; white space after new words is not marked."""
    if not is_new or not text.strip():
        return [Piece(text)]
    words = text.rstrip()
    return [Piece(words, is_new=True), *([Piece(text[len(words) :])] * (len(words) < len(text)))]
