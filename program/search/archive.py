"""The search's memory: every measured method with its rank, and every proposal that failed."""

import re
from collections import Counter
from collections.abc import Iterable

from autoevol.metrics.text.wording import words
from autoevol.program.records import Candidate, Evaluation
from autoevol.signatures import Method

NEAR_DUPLICATE, NEAR_SHARE = 2, 0.02
"""Two methods are duplicates if they differ in no more words than this, and in no more than this
share of their words: in a hundred words, one exchanged for another."""

_DECISIVE = frozenset("not never no none only always must without dont cannot all every".split())
"""Words that change what a sentence demands: methods that differ in one are never duplicates."""

_FILLERS = frozenset({"a", "an", "and", "the"})
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SHOWN_WORDS = 40
_SHOWN_CHANGES = 6
"""Of a proposal that failed; a method that was written anew differs in every sentence."""


class Archive:
    """Measured methods in order of rank, and descriptions of failed proposals.

    Args:
        initial: The initial method on the dev rows.
        remembered: How many failed proposals `failed_proposals` describes.
    """

    def __init__(self, initial: Evaluation, *, remembered: int = 5) -> None:
        self.initial = initial
        self._measured = [initial]
        self._methods = [initial.method]
        self._failed_proposals: list[str] = []
        self._remembered = remembered

    @property
    def ranked(self) -> list[Evaluation]:
        """The measured methods, the lowest failure rate on all dev rows first; ties: the older."""
        return sorted(self._measured, key=lambda evaluation: evaluation.failure_rate.rate)

    def at(self, rank: int) -> Evaluation:
        """Return the method at a rank from 0; beyond the last rank, the last method."""
        ranked = self.ranked
        return ranked[min(rank, len(ranked) - 1)]

    @property
    def failed_proposals(self) -> str:
        """The last failed proposals as text for the optimizer model, a line each."""
        # With 0 the slice would be the whole list.
        return "\n".join(self._failed_proposals[-self._remembered :] if self._remembered else ())

    def duplicate_of(self, method: Method) -> Method | None:
        """Return the registered method that says the same as `method`, if there is one."""
        return next((other for other in self._methods if is_same(other, method)), None)

    def register(self, method: Method) -> None:
        """Remember a proposed method, so that no duplicate of it is measured."""
        self._methods.append(method)

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Rank the candidates that a step measured, and remember those that were no better."""
        for candidate in candidates:
            # A stopped candidate has a rate over part of the dev rows, which has no rank.
            evaluation = candidate.evaluation
            if evaluation and not candidate.is_pruned and self._is_scored(evaluation):
                self._measured.append(evaluation)
            # What was stopped early is remembered, too: its verdict says after how many rows.
            if candidate.method and not candidate.is_better:
                self._failed_proposals.append(describe(candidate))

    def _is_scored(self, evaluation: Evaluation) -> bool:
        """Return whether a method was scored on at least half of the initial one's rows."""
        # A rate over a few rows would rank first by luck when most calls died.
        return 2 * evaluation.failure_rate.scored >= self.initial.failure_rate.scored > 0


def describe(candidate: Candidate) -> str:
    """Return what a candidate changed and its verdict, as a line for the optimizer model."""
    old, new = (_sentences(m) for m in (candidate.parent, candidate.method) if m)
    changes = [f"added {cut_to_words(s, _SHOWN_WORDS)!r}" for s in new if s not in old]
    changes += [f"dropped {cut_to_words(s, _SHOWN_WORDS)!r}" for s in old if s not in new]
    more = len(changes) - _SHOWN_CHANGES
    shown = [*changes[:_SHOWN_CHANGES], *([f"{more} more changes"] if more > 0 else [])]
    return f"- {'; '.join(shown) or 'other examples'}: {candidate.verdict}"


def is_same(first: Method, second: Method) -> bool:
    """Return whether two methods say nearly the same, with the same demonstrations.

    A word that changes what a sentence demands, such as "not" or "only", makes another method.
    """
    return all(map(_is_same_part, first.parts, second.parts))


def _is_same_part(first: Method, second: Method) -> bool:
    if (first.demonstrations, first.thinking) != (second.demonstrations, second.thinking):
        return False
    mine, theirs = (Counter(fingerprint(method).split()) for method in (first, second))
    differing = (mine - theirs) + (theirs - mine)
    most = min(NEAR_DUPLICATE, NEAR_SHARE * max(mine.total(), theirs.total()))
    return differing.total() <= most and not _DECISIVE & differing.keys()


def fingerprint(method: Method) -> str:
    """Return a method's words without articles and "and"."""
    return " ".join(word for word in words(method.instructions) if word not in _FILLERS)


def cut_to_words(text: str, limit: int) -> str:
    """Return the text, or its first `limit` words and an ellipsis."""
    parts = text.split()
    return text if len(parts) <= limit else " ".join(parts[:limit]) + " …"


def _sentences(method: Method) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(method.instructions) if part.strip()]
