"""Means over questions and seeds: held against what one computes by hand and by simulation."""

import numpy as np
import pytest

from autoevol.metrics.stats.crossed import crossed_mean


def test_the_mean_is_that_of_all_scores() -> None:
    mean = crossed_mean(np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]))
    assert mean.value == pytest.approx(5 / 8)
    assert mean.seeds == (0.75, 0.5)
    assert mean.low <= mean.value <= mean.high


def test_equal_scores_have_no_width() -> None:
    mean = crossed_mean(np.full((3, 5), 0.25))
    assert (mean.low, mean.high) == pytest.approx((0.25, 0.25))


def test_one_seed_gives_the_interval_over_questions() -> None:
    # A share of 40 of 100: t of 99 degrees is 1.984, the standard error 0.0492.
    mean = crossed_mean(np.array([[1.0] * 40 + [0.0] * 60]))
    assert mean.low == pytest.approx(0.4 - 1.984 * 0.04924, abs=1e-4)
    assert mean.high == pytest.approx(0.4 + 1.984 * 0.04924, abs=1e-4)


def test_seeds_alone_give_students_interval_over_them() -> None:
    # Questions are alike: means 0.2, 0.5, 0.8 with t of 2 degrees, 4.303, and error 0.3 / sqrt(3).
    mean = crossed_mean(np.array([[0.2] * 200, [0.5] * 200, [0.8] * 200]))
    assert mean.high - 0.5 == pytest.approx(4.303 * 0.3 / np.sqrt(3), abs=1e-3)


def test_by_hand_with_both() -> None:
    # Means of rows 2 and 4, of columns 1, 3 and 5; nothing is left: squares 6, 8 and 0, of which
    # the variance is (6 + 8) / 6 and the degrees 14² / (6² / 1 + 8² / 2).
    mean = crossed_mean(np.array([[0.0, 2.0, 4.0], [2.0, 4.0, 6.0]]))
    assert mean.value == pytest.approx(3.0)
    # t of 2.882 degrees is 3.26.
    assert mean.high - 3 == pytest.approx(3.26 * np.sqrt(14 / 6), abs=0.02)


def test_one_score_has_no_width() -> None:
    mean = crossed_mean(np.array([[0.5]]))
    assert (mean.low, mean.high) == (0.5, 0.5)


@pytest.mark.parametrize("seed_spread", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("questions", [20, 300])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(
    seed_spread: float, questions: int
) -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        by_seed = rng.normal(0, seed_spread, (3, 1))
        by_question = rng.normal(0, 0.3, (1, questions))
        mean = crossed_mean(by_seed + by_question + rng.normal(0, 0.2, (3, questions)))
        covered += mean.low <= 0 <= mean.high
    assert 0.9 * 400 <= covered <= 0.98 * 400


def test_no_score_is_an_error() -> None:
    with pytest.raises(ValueError, match="no scores"):
        crossed_mean(np.zeros((0, 0)))
