"""Two classes of evolvers: those that copy the seed's words, and those that reword.

A resemblance means much where the evolver copies: what is new in its words is new in substance.
Where it rewords, a good rewrite may share no word with its seed, and a bad one all of its meaning.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from autoevol.metrics.failure.cases import Case
from autoevol.metrics.text.wording import stems

EvolverClass = Literal["copies", "rewords", "unknown"]

LEAST_REWRITES, MOST_REWRITES = 20, 32
"""Fewer rewrites tell nothing; more are not needed: the means of both classes lie 0.3 apart."""

LEAST_COMPARED = 8
"""Of the rewrites looked at, those without evidence against them: an answer in the place of a
rewrite says nothing of how its evolver rewrites. The shares of one evolver have a standard
deviation of 0.14 to 0.25, so the mean of eight has one of at most 0.09."""

COPIES_FROM = 0.67
"""Mean share of kept words from which an evolver copies. Small models keep 0.84 to 0.87, GPT-4 and
Mixtral 0.42 to 0.52 (docs/failure-metric.md)."""


@dataclass(frozen=True, slots=True)
class EvolverLook:
    """What some rewrites show of their evolver.

    Attributes:
        kept: Mean share of the seeds' content words that the rewrites keep, in [0, 1].
        rewrites: How many were compared with their seeds.
        looked: How many were looked at, those with evidence against them included; None: as many.
    """

    kept: float
    rewrites: int
    looked: int | None = None

    @property
    def evolver_class(self) -> EvolverClass:
        """The class; "unknown" for fewer than `LEAST_REWRITES`, or `LEAST_COMPARED` of them."""
        looked = self.rewrites if self.looked is None else self.looked
        if looked < LEAST_REWRITES or self.rewrites < LEAST_COMPARED:
            return "unknown"
        return "copies" if self.kept >= COPIES_FROM else "rewords"


def tells(case: Case) -> bool:
    """Tell whether a rewrite can show the class of its evolver.

    A breadth method makes another task: every evolver's shares few words with its seed.
    """
    return bool(case.evolved and stems(case.source)) and case.method_kind != "breadth"


def look_at(cases: Iterable[Case], looked: int | None = None) -> EvolverLook:
    """Return what rewrites show of their evolver; those that tell nothing are left out.

    Args:
        cases: The rewrites to compare.
        looked: How many were looked at; None: as many as are compared.
    """
    shares = [_share_kept(case) for case in cases if tells(case)]
    return EvolverLook(round(fmean(shares), 4) if shares else 0.0, len(shares), looked)


def _share_kept(case: Case) -> float:
    before = stems(case.source)
    return len(before & stems(case.evolved or "")) / len(before)
