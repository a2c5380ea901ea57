"""What no longer is a method, or copies a case: refused before it costs an evaluation."""

import re
from collections.abc import Sequence

from metrics.wording import shingles, words
from program.records import Trajectory

_INSTRUCTION = re.compile(
    r"\b(?:instruction|prompt|question|task|request)s?\b|지시|질문|명령", re.IGNORECASE
)
_REWRITING = re.compile(
    r"\b(?:re-?writ|harder|complex|difficult|challeng|evolv|deeper|demanding)|어렵|복잡",
    re.IGNORECASE,
)
_COPIED_RUN = 8


def flaw_of(text: str, cases: Sequence[Trajectory], *, max_words: int) -> str | None:
    """Return why `text` is not usable as a method, or None."""
    count = len(words(text))
    if not count:
        return "empty"
    if count > max_words:
        return f"{count} words, {max_words} allowed"
    if not (_INSTRUCTION.search(text) and _REWRITING.search(text)):
        return f"no longer a method: {text[:80]!r}"
    seen = {run for case in cases for stage in case.stages for run in shingles(stage, _COPIED_RUN)}
    copied = shingles(text, _COPIED_RUN) & seen
    return f"copies a case: {min(copied)!r}" if copied else None
