"""Two methods on the same rows: wins and losses, exact tests, and the mean difference."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from autoevol.metrics.stats.intervals import Z95

_LEAST_PAIRS = 6
"""An interval from the spread of fewer differences means nothing."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A challenger against an incumbent on the rows that were scored under both.

    Attributes:
        won: Rows that the incumbent failed and the challenger passed.
        lost: Rows that the challenger failed and the incumbent passed.
        shared: Rows that were scored under both, rows with equal verdicts included.
    """

    won: int
    lost: int
    shared: int

    @property
    def difference(self) -> float:
        """The challenger's failure rate minus the incumbent's, in [-1, 1]; lower is better."""
        return (self.lost - self.won) / self.shared if self.shared else 0.0

    @property
    def p_better(self) -> float:
        """Exact one-sided p of McNemar's test, in (0, 1]; lower: the challenger fails less."""
        return tail(self.won, self.won + self.lost, 0.5)

    def p_worth(self, share: float = 0.5) -> float:
        """Return the probability of this many losses or more for a worthwhile challenger.

        Args:
            share: Rows that a worthwhile challenger wins, of those on which the two differ, in
                (0, 1); 0.5 means not worse, and makes this McNemar's exact one-sided test.
        """
        return tail(self.lost, self.won + self.lost, 1 - share)


def pairs(challenger: Mapping[str, bool], incumbent: Mapping[str, bool]) -> Pairs:
    """Compare verdicts by row id: True is failed, False is passed."""
    shared = challenger.keys() & incumbent.keys()
    won = sum(incumbent[row] and not challenger[row] for row in shared)
    lost = sum(challenger[row] and not incumbent[row] for row in shared)
    return Pairs(won, lost, len(shared))


def tail(least: int, trials: int, chance: float) -> float:
    """Return the exact binomial probability of `least` successes or more in `trials`."""
    if not 0 < chance < 1:
        raise ValueError(f"chance must lie in (0, 1), got {chance}")
    success, failure = math.log(chance), math.log1p(-chance)
    # In logarithms: with thousands of trials the binomial coefficients exceed a float.
    logs = (
        _log_comb(trials, k) + k * success + (trials - k) * failure
        for k in range(least, trials + 1)
    )
    # The sum of all terms is 1 only up to rounding.
    return min(1.0, math.fsum(map(math.exp, logs)))


def _log_comb(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)


def mean_interval(differences: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of paired differences and its 95 % interval, by the normal approximation.

    With fewer than six differences the interval is (-inf, inf).
    """
    if len(differences) < _LEAST_PAIRS:
        return (fmean(differences) if differences else 0.0), -math.inf, math.inf
    mean = fmean(differences)
    spread = Z95 * stdev(differences) / math.sqrt(len(differences))
    return mean, mean - spread, mean + spread
