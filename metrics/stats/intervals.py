"""95 % intervals of shares, of their mean and of their difference."""

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: half a 95 % interval, in standard errors."""

Interval = tuple[float, float]
"""Lower and upper bound."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share, or a difference of shares, with its 95 % interval."""

    value: float
    interval: Interval

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.2f} ({low:.2f}–{high:.2f})"


def wilson(part: int, whole: int) -> Interval:
    """Return Wilson's 95 % interval of a share, in [0, 1]; (0, 1) if nothing was counted."""
    if not whole:
        return 0.0, 1.0
    # Wilson and not the normal approximation: that has no width at shares of 0 and 1, and few
    # failures among few dev rows are the usual case.
    share = part / whole
    centre = share + Z95**2 / (2 * whole)
    spread = Z95 * math.sqrt(share * (1 - share) / whole + Z95**2 / (4 * whole * whole))
    scale = 1 + Z95**2 / whole
    # At shares of 0 and 1 rounding could lead just beyond the bounds.
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def of_the_mean(first: float, second: float, bounds: tuple[Interval, Interval]) -> Interval:
    """Return the 95 % interval of the mean of two independent shares, from their own intervals.

    Source: Zou and Donner 2008 (MOVER), with the signs of a sum.
    """
    (low1, high1), (low2, high2) = bounds
    mean = (first + second) / 2
    below = math.hypot(first - low1, second - low2) / 2
    above = math.hypot(high1 - first, high2 - second) / 2
    return max(0.0, mean - below), min(1.0, mean + above)


def of_the_difference(first: float, second: float, bounds: tuple[Interval, Interval]) -> Interval:
    """Return the 95 % interval of `first` minus `second`, two independent shares, in [-1, 1].

    Source: Newcombe 1998, method 10 (the shares' own intervals are Wilson's).
    """
    (low1, high1), (low2, high2) = bounds
    difference = first - second
    below = math.hypot(first - low1, high2 - second)
    above = math.hypot(high1 - first, second - low2)
    return max(-1.0, difference - below), min(1.0, difference + above)


def share(part: int, whole: int) -> Estimate | None:
    """Return a share with Wilson's interval; None if nothing was counted."""
    return Estimate(part / whole, wilson(part, whole)) if whole else None
