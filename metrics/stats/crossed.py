"""Means over questions and training seeds, with intervals that count both as drawn.

Source: A. B. Owen, The pigeonhole bootstrap, 2007 (arXiv 0712.1111): questions and seeds are drawn
with replacement, each on its own. The interval is rather too wide than too narrow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES, _AT_ONCE = 10_000, 500
_ENDS = (2.5, 97.5)  # percent
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CrossedMean:
    """A mean over questions and seeds.

    Attributes:
        value: The mean.
        low: Lower end of the 95 % interval.
        high: Its upper end.
        seeds: Mean of each seed.
    """

    value: float
    low: float
    high: float
    seeds: tuple[float, ...]


def crossed_mean(scores: Matrix, *, seed: int = 0) -> CrossedMean:
    """Return the mean of scores with its interval.

    Args:
        scores: (seeds, questions), no score missing; with one seed the interval is over questions
            alone.
        seed: Of the resampling.

    Raises:
        ValueError: There is no score.
    """
    if not scores.size:
        raise ValueError("there are no scores")
    rng = np.random.default_rng(seed)
    means: list[NDArray[np.float64]] = []
    for _ in range(_RESAMPLES // _AT_ONCE):
        by_question = _weights(rng, scores.shape[0]) @ scores
        means.append((by_question * _weights(rng, scores.shape[1])).sum(axis=1))
    low, high = np.percentile(np.concatenate(means), _ENDS)
    seeds = tuple(float(mean) for mean in scores.mean(axis=1))
    return CrossedMean(float(scores.mean()), float(low), float(high), seeds)


def _weights(rng: np.random.Generator, count: int) -> Matrix:
    """Return (draws, count) shares of each unit in draws with replacement."""
    return rng.multinomial(count, np.full(count, 1 / count), size=_AT_ONCE) / count
