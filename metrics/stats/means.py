"""Summaries of row scores: mean, interval, median, and rank correlation of two scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoevol.metrics.stats.intervals import Interval
from autoevol.metrics.stats.paired import mean_interval

Scores = Sequence[float | None] | NDArray[np.floating]
"""One score for each row; None and nan are unscored."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of a set's scores.

    Attributes:
        mean: Of the scored rows.
        interval: 95 % interval of the mean, by the normal approximation; (-inf, inf) below six
            rows.
        median: Of the scored rows.
        scored: Rows with a score.
        unscored: Rows without a score; they are in neither mean nor median.
    """

    mean: float
    interval: Interval
    median: float
    scored: int
    unscored: int


def summary(scores: Scores) -> Summary | None:
    """Summarise a set's scores; None: no row was scored."""
    numbers = as_numbers(scores)
    scored = numbers[np.isfinite(numbers)]
    if not scored.size:
        return None
    mean, low, high = mean_interval(scored.tolist())
    unscored = numbers.size - scored.size
    return Summary(mean, (low, high), float(np.median(scored)), scored.size, unscored)


def rank_correlation(first: Scores, second: Scores) -> float | None:
    """Return Spearman's rank correlation of two scores of the same rows, in [-1, 1].

    Between a reward and the words of its texts it shows a length bias; 0 is none.

    Returns:
        None: fewer than three rows have both scores, or one of the scores is constant.

    Raises:
        ValueError: The two have different numbers of rows.
    """
    if len(first) != len(second):
        raise ValueError(f"scores are of {len(first)} and of {len(second)} rows")
    pair = np.stack([as_numbers(first), as_numbers(second)])
    pair = pair[:, np.isfinite(pair).all(axis=0)]
    # Two rows always correlate by 1 or -1; a constant score would make `corrcoef` divide by 0.
    if pair.shape[1] < 3 or (np.ptp(pair, axis=1) == 0).any():
        return None
    return float(np.corrcoef(_ranks(pair[0]), _ranks(pair[1]))[0, 1])


def as_numbers(scores: Scores) -> NDArray[np.float64]:
    """Return scores as an array (rows,) with nan for the unscored."""
    # With a float type numpy turns None into nan.
    return np.array(scores, dtype=np.float64)


def _ranks(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each number; equal numbers share the mean of their ranks."""
    _, group, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: NDArray[np.float64] = (ends - (counts - 1) / 2)[group]
    return means
