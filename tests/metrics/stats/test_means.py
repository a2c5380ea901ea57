"""Summaries and correlations of scores, by hand and against SciPy."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from autoevol.metrics.stats.means import rank_correlation, summary


def test_a_summary_leaves_out_the_unscored_and_counts_them() -> None:
    figures = summary([1.0, None, 3.0, math.nan, 8.0])
    assert figures is not None
    assert (figures.mean, figures.median, figures.scored, figures.unscored) == (4.0, 3.0, 3, 2)
    assert figures.interval == (-math.inf, math.inf)


def test_the_interval_of_many_scores() -> None:
    figures = summary(np.array([1.0, 3.0] * 4))
    assert figures is not None
    spread = 1.959963984540054 * math.sqrt(8 / 7) / math.sqrt(8)
    assert figures.interval == pytest.approx((2 - spread, 2 + spread))


@pytest.mark.parametrize("scores", [[], [None], [math.nan, None]])
def test_nothing_scored_has_no_summary(scores: list[float | None]) -> None:
    assert summary(scores) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([1, 2, 3], [10, 100, 1000], 1.0, id="together"),
        pytest.param([1, 2, 3], [3, 2, -9], -1.0, id="against"),
        pytest.param([1, 1, 2], [1, 2, 3], math.sqrt(3) / 2, id="a tie"),
        pytest.param([1, 2, 3, None], [1, 2, 3, 0], 1.0, id="an unscored row"),
        pytest.param([5, 5, 5], [1, 2, 3], None, id="all equal"),
        pytest.param([1, 2], [1, 2], None, id="two rows"),
    ],
)
def test_rank_correlation(
    first: list[float | None], second: list[float | None], expected: float | None
) -> None:
    correlation = rank_correlation(first, second)
    assert correlation == (expected if expected is None else pytest.approx(expected))


def test_rank_correlation_as_scipy_gives_it() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 9, 200).astype(float)
    second = first + rng.integers(0, 9, 200).astype(float)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_both_scores_are_of_the_same_rows() -> None:
    with pytest.raises(ValueError, match="of 1 and of 2 rows"):
        rank_correlation([1.0], [1.0, 2.0])
