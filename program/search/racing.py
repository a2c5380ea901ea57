"""Racing: dev rows in increments, and an early end for candidates that are not worth the rest.

A pruner sees a trial's intermediate values, one for each dev row. For `mcnemar` they are the
candidate's verdict less the incumbent's (1: it alone failed, -1: the incumbent alone failed, 0: no
difference). The others compare trials with one another, whatever incumbent each of them met, so
they get the candidate's own verdict (1: failed), and successive halving its running mean.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner

from autoevol.metrics import Pairs
from autoevol.program.search.settings import PrunerName

LOOKS = (8, 16, 32)
"""Rows after which a race is looked at, besides its end (and every 32 rows after the last)."""

Verdicts = tuple[bool, bool]
"""The candidate's and the incumbent's on one row: True failed."""

_WILCOXON_ROWS = 14
"""Optuna computes the test's exact distribution below so many rows: half a second for each look."""


class McNemarPruner(BasePruner):
    """Stops a candidate that loses too often to the incumbent, on the rows that both have.

    Exact one-sided McNemar test at each look, its level divided by the number of looks
    (Bonferroni). Optuna's own WilcoxonPruner compares with the best trial so far, which is the
    luckiest one, and never with the incumbent.

    Args:
        level: Chance that a candidate that is worth having is stopped in any of the looks, (0, 1).
        looks: How many times a whole race is looked at.
        worth: Share of the differing rows that a candidate worth having wins, in [0.5, 1): 0.5
            stops what is worse than the incumbent; more also stops what is no better.
    """

    def __init__(self, level: float, looks: int, worth: float = 0.5) -> None:
        self._level = level / max(1, looks)
        self._worth = worth

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        """Tell whether to stop, from the values reported so far."""
        values = list(trial.intermediate_values.values())
        found = Pairs(won=values.count(-1.0), lost=values.count(1.0), shared=len(values))
        return found.p_worth(self._worth) <= self._level


@dataclass(frozen=True, slots=True)
class Race:
    """How candidates are raced over `rows` dev rows.

    Attributes:
        pruner: Its name.
        level: See `McNemarPruner`; Wilcoxon's p threshold.
        worth: See `McNemarPruner`.
    """

    pruner: PrunerName
    rows: int
    level: float = 0.6
    worth: float = 0.6

    @property
    def looks(self) -> list[int]:
        """Numbers of rows, rising, after which a race may end; the last is all of them."""
        if self.pruner == "none":
            return [self.rows]
        later = range(2 * LOOKS[-1], self.rows, LOOKS[-1])
        return [*(look for look in (*LOOKS, *later) if look < self.rows), self.rows]

    def make_pruner(self) -> BasePruner:
        """Return Optuna's object."""
        if self.pruner == "mcnemar":
            return McNemarPruner(self.level, len(self.looks) - 1, self.worth)
        if self.pruner == "wilcoxon":
            return _wilcoxon(self.level)
        if self.pruner == "halving":
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=LOOKS[0], reduction_factor=2)
        return optuna.pruners.NopPruner()

    def reports(self, verdicts: Sequence[Verdicts | None]) -> dict[int, float]:
        """Return what a trial reports, by the number of the dev row from 1."""
        seen = {row: pair for row, pair in enumerate(verdicts, 1) if pair is not None}
        if self.pruner == "mcnemar":
            return {row: float(mine) - float(theirs) for row, (mine, theirs) in seen.items()}
        own = {row: float(mine) for row, (mine, _) in seen.items()}
        if self.pruner != "halving":
            return own
        sums = accumulate(own.values())
        return {row: total / n for n, (row, total) in enumerate(zip(own, sums, strict=True), 1)}


def _wilcoxon(level: float) -> BasePruner:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return optuna.pruners.WilcoxonPruner(p_threshold=level, n_startup_steps=_WILCOXON_ROWS)
