"""The search's memory: every method that was measured, and every proposal that came to nothing."""

import re
from collections.abc import Iterable

from metrics.wording import shingles, words
from program.records import Candidate, Evaluation
from signatures import Method

NEAR_DUPLICATE = 0.95
"""Two methods that share so many of their pairs of words, in [0, 1], are one method."""

_FILLERS = frozenset({"a", "an", "and", "the"})
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SHOWN_WORDS = 40


class Archive:
    """Methods with their evaluations, ranked, and what was tried in vain.

    Args:
        initial: The initial method on the dev rows.
        remembered: How many proposals `tried` tells of.
    """

    def __init__(self, initial: Evaluation, *, remembered: int = 5) -> None:
        self.initial = initial
        self._measured = [initial]
        self._known = [initial.method]
        self._tried: list[str] = []
        self._remembered = remembered

    @property
    def ranked(self) -> list[Evaluation]:
        """The measured methods, the lowest failure rate on all dev rows first; ties: the older."""
        return sorted(self._measured, key=lambda found: found.failure_rate.rate)

    def at(self, rank: int) -> Evaluation:
        """Return the method at a rank from 0, or the last one there is."""
        ranked = self.ranked
        return ranked[min(rank, len(ranked) - 1)]

    @property
    def tried(self) -> str:
        """The last proposals that did not help, as text for the optimizer model, a line each."""
        return "\n".join(self._tried[-self._remembered :] if self._remembered else ())

    def twin_of(self, method: Method) -> Method | None:
        """Return the known method that says the same as `method`, if there is one."""
        return next((known for known in self._known if is_same(known, method)), None)

    def know(self, method: Method) -> None:
        """Remember a method, so that it is not measured a second time."""
        self._known.append(method)

    def add(self, candidates: Iterable[Candidate], best: Evaluation) -> None:
        """Keep what a step has measured, and what did not become its best."""
        for candidate in candidates:
            if candidate.evaluation and not candidate.is_pruned:
                self._measured.append(candidate.evaluation)
            if candidate.method and candidate.method.id != best.method.id:
                self._tried.append(told(candidate))


def told(candidate: Candidate) -> str:
    """Return what a candidate changed and what came of it, on one line."""
    old, new = (_sentences(m) for m in (candidate.parent, candidate.method) if m)
    changes = [f"added {_cut(s)!r}" for s in new if s not in old]
    changes += [f"dropped {_cut(s)!r}" for s in old if s not in new]
    return f"- {'; '.join(changes) or 'other examples'}: {candidate.verdict}"


def is_same(first: Method, second: Method) -> bool:
    """Tell whether two methods say the same: nearly the same words, and the same demonstrations."""
    if (first.demonstrations, first.thinking) != (second.demonstrations, second.thinking):
        return False
    mine, theirs = fingerprint(first), fingerprint(second)
    if mine == theirs:
        return True
    one, other = shingles(mine, 2), shingles(theirs, 2)
    return len(one & other) >= NEAR_DUPLICATE * max(1, len(one | other))


def fingerprint(method: Method) -> str:
    """Return a method's words without articles and "and"."""
    return " ".join(word for word in words(method.instructions) if word not in _FILLERS)


def _sentences(method: Method) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(method.instructions) if part.strip()]


def _cut(sentence: str) -> str:
    parts = sentence.split()
    return sentence if len(parts) <= _SHOWN_WORDS else " ".join(parts[:_SHOWN_WORDS]) + " …"
