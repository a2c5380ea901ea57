"""Which verified answers are kept, and which pairs of them show a preference.

Source: AutoIF, arXiv 2406.13542, sections 3.3 and 3.4, with the thresholds of its code.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerifiedAnswer:
    """An answer to a query under a constraint.

    Attributes:
        text: The answer.
        passes: What each verifier says of it; None: it gave no bool.
        grade: Of a judge, in [1, 10], higher is better; None: no judge graded it.
    """

    text: str
    passes: tuple[bool | None, ...]
    grade: float | None = None

    @property
    def rate(self) -> float:
        """Share of the verifiers that the answer passes, in [0, 1]; no bool is no pass."""
        return sum(one is True for one in self.passes) / len(self.passes) if self.passes else 0.0


def preference_pairs(
    answers: Sequence[VerifiedAnswer], *, positive: float = 0.5, most: int = 2
) -> list[tuple[VerifiedAnswer, VerifiedAnswer]]:
    """Return pairs of a chosen and a rejected answer.

    Args:
        answers: To one query under one constraint.
        positive: Least rate of a chosen one; a rejected one is refused by every verifier.
        most: Chosen and rejected ones at most, so at most `most` squared pairs.
    """
    chosen = [answer for answer in answers if answer.rate >= positive][:most]
    # A verifier that gave no bool has refused nothing.
    refused = [a for a in answers if a.passes and all(one is False for one in a.passes)]
    rejected = refused[:most]
    return [(good, bad) for good in chosen for bad in rejected]
