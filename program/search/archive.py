"""The search's memory: every method that was measured, and every proposal that came to nothing."""

import re
from collections import Counter
from collections.abc import Iterable

from autoevol.metrics.text.wording import words
from autoevol.program.records import Candidate, Evaluation
from autoevol.signatures import Method

NEAR_DUPLICATE, NEAR_SHARE = 2, 0.02
"""Two methods that differ in no more words than this, and in no more than this share of them, are
one method: in a hundred words, one exchanged for another."""

_DECISIVE = frozenset("not never no none only always must without dont cannot all every".split())
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

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Keep what a step has measured, and what was no better than its incumbent."""
        for candidate in candidates:
            found = candidate.evaluation
            if found and not candidate.is_pruned and self._is_scored(found):
                self._measured.append(found)
            if candidate.method and not candidate.is_better:
                self._tried.append(told(candidate))

    def _is_scored(self, found: Evaluation) -> bool:
        """Tell whether a method was scored on half of the initial one's rows at least."""
        return 2 * found.failure_rate.scored >= self.initial.failure_rate.scored > 0


def told(candidate: Candidate) -> str:
    """Return what a candidate changed and what came of it, on one line."""
    old, new = (_sentences(m) for m in (candidate.parent, candidate.method) if m)
    changes = [f"added {_cut(s)!r}" for s in new if s not in old]
    changes += [f"dropped {_cut(s)!r}" for s in old if s not in new]
    return f"- {'; '.join(changes) or 'other examples'}: {candidate.verdict}"


def is_same(first: Method, second: Method) -> bool:
    """Tell whether two methods say nearly the same, with the same demonstrations.

    A word that turns a sentence round, such as "not" or "only", makes another method.
    """
    if (first.demonstrations, first.thinking) != (second.demonstrations, second.thinking):
        return False
    mine, theirs = (Counter(fingerprint(method).split()) for method in (first, second))
    differing = (mine - theirs) + (theirs - mine)
    most = min(NEAR_DUPLICATE, NEAR_SHARE * max(mine.total(), theirs.total()))
    return differing.total() <= most and not _DECISIVE & differing.keys()


def fingerprint(method: Method) -> str:
    """Return a method's words without articles and "and"."""
    return " ".join(word for word in words(method.instructions) if word not in _FILLERS)


def _sentences(method: Method) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(method.instructions) if part.strip()]


def _cut(sentence: str) -> str:
    parts = sentence.split()
    return sentence if len(parts) <= _SHOWN_WORDS else " ".join(parts[:_SHOWN_WORDS]) + " …"
