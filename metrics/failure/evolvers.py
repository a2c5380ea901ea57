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

COPIES_FROM = 0.67
"""Mean share of kept words from which an evolver copies. Small models keep 0.84 to 0.87, GPT-4 and
Mixtral 0.42 to 0.52 (docs/failure-metric.md)."""


@dataclass(frozen=True, slots=True)
class EvolverLook:
    """What some rewrites show of their evolver.

    Attributes:
        kept: Mean share of the seeds' content words that the rewrites keep, in [0, 1].
        rewrites: How many were looked at.
    """

    kept: float
    rewrites: int

    @property
    def evolver_class(self) -> EvolverClass:
        """The class; "unknown" for fewer than `LEAST_REWRITES`."""
        if self.rewrites < LEAST_REWRITES:
            return "unknown"
        return "copies" if self.kept >= COPIES_FROM else "rewords"


def tells(case: Case) -> bool:
    """Tell whether a rewrite can show the class of its evolver.

    A breadth method makes another task, which shares few words with its seed whoever writes it.
    """
    return bool(case.evolved and stems(case.source)) and case.method_kind != "breadth"


def look_at(cases: Iterable[Case]) -> EvolverLook:
    """Return what rewrites show of their evolver; those that tell nothing are left out."""
    shares = [_share_kept(case) for case in cases if tells(case)]
    return EvolverLook(round(fmean(shares), 4) if shares else 0.0, len(shares))


def _share_kept(case: Case) -> float:
    before = stems(case.source)
    return len(before & stems(case.evolved or "")) / len(before)
