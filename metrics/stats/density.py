"""The density of numbers along a line, smoothed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Places and the density there."""


def density(values: Sequence[float], *, low: float, high: float, points: int = 256) -> Curve | None:
    """Return a Gaussian kernel density of values on [low, high]; its integral there is 1.

    The band width is Silverman's; what a kernel would lay beyond an end is reflected back. Values
    are counted in `points` bins first, so that the cost does not grow with their number.

    Returns:
        None: fewer than three values, or all of them equal.

    Raises:
        ValueError: A value is beyond [low, high].
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size and not (low <= numbers.min() and numbers.max() <= high):
        raise ValueError(f"values must be in [{low}, {high}]")
    width = _band_width(numbers)
    if width is None:
        return None
    counts, edges = np.histogram(numbers, bins=points, range=(low, high))
    middles = (edges[:-1] + edges[1:]) / 2
    places = np.stack([middles, 2 * low - middles, 2 * high - middles])
    apart = (middles[:, None, None] - places[None]) / max(width, edges[1] - edges[0])
    heights = np.exp(-(apart**2) / 2).sum(axis=1) @ counts
    return middles, heights / (heights.sum() * (edges[1] - edges[0]))


def _band_width(numbers: NDArray[np.float64]) -> float | None:
    """Return Silverman's rule of thumb; None where there is no spread."""
    if numbers.size < 3 or np.ptp(numbers) == 0:
        return None
    quarter, three = np.percentile(numbers, [25, 75])
    spreads = [each for each in (numbers.std(ddof=1), (three - quarter) / 1.34) if each > 0]
    return float(0.9 * min(spreads) * numbers.size**-0.2)
