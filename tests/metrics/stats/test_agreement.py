"""Figures of a confusion table, against values computed by hand."""

import pytest

from autoevol.metrics.stats.agreement import Confusion, confusion
from autoevol.metrics.stats.intervals import of_the_difference, of_the_mean, share, wilson


def test_figures_of_a_small_table() -> None:
    counted = Confusion(hits=6, false_alarms=2, misses=4, passes=8)
    figures = {
        name: getattr(counted, name).value for name in ("precision", "recall", "specificity")
    }
    assert figures == {"precision": 0.75, "recall": 0.6, "specificity": 0.8}
    assert counted.balanced_accuracy is not None
    assert counted.balanced_accuracy.value == pytest.approx(0.7)
    assert counted.f1 is not None
    assert counted.f1.value == pytest.approx(2 * 0.75 * 0.6 / 1.35)


def test_counting_pairs_of_flagged_and_failed() -> None:
    pairs = [(True, True), (True, False), (False, True), (False, False), (True, True)]
    assert confusion(pairs) == Confusion(hits=2, false_alarms=1, misses=1, passes=1)


def test_without_counts_there_is_no_figure() -> None:
    nothing = Confusion(0, 0, 0, 5)
    assert nothing.precision is None
    assert nothing.recall is None
    assert nothing.balanced_accuracy is None
    assert nothing.f1 is None


def test_always_flagged_has_a_fine_f1_and_a_balanced_accuracy_of_one_half() -> None:
    always = Confusion(hits=90, false_alarms=10, misses=0, passes=0)
    assert always.f1 is not None
    assert always.f1.value > 0.9
    assert always.balanced_accuracy is not None
    assert always.balanced_accuracy.value == 0.5


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(8, 10, 0.490, 0.943), (0, 10, 0.0, 0.278), (0, 0, 0.0, 1.0)]
)
def test_wilson_as_tabulated(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=0.001)


def test_the_interval_of_a_mean_lies_around_it_and_is_narrower_than_its_parts() -> None:
    bounds = (wilson(60, 100), wilson(80, 100))
    low, high = of_the_mean(0.6, 0.8, bounds)
    assert low < 0.7 < high
    assert high - low < max(b - a for a, b in bounds)


def test_the_interval_of_a_difference_as_newcombe_gives_it() -> None:
    first, second = 56 / 70, 48 / 80
    interval = of_the_difference(first, second, (wilson(56, 70), wilson(48, 80)))
    assert interval == pytest.approx((0.0524, 0.3339), abs=0.0001)
    assert of_the_difference(0.5, 0.5, (wilson(5, 10), wilson(5, 10)))[0] < 0


def test_a_share_of_nothing_is_no_share() -> None:
    assert share(0, 0) is None
    assert str(share(8, 10)) == "0.80 (0.49–0.94)"


@pytest.mark.parametrize("name", ["precision", "recall", "specificity", "balanced_accuracy", "f1"])
def test_every_figure_lies_in_its_interval(name: str) -> None:
    figure = getattr(Confusion(hits=6, false_alarms=2, misses=4, passes=8), name)
    low, high = figure.interval
    assert 0 <= low < figure.value < high <= 1
