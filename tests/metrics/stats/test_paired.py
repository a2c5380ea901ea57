"""Two methods on the same rows: the exact test, by hand."""

import math

import pytest

from autoevol.metrics import Pairs, mean_interval, pairs


def test_only_shared_rows_are_compared() -> None:
    comparison = pairs({"a": True, "b": False, "c": False}, {"a": False, "b": True, "d": True})
    assert comparison == Pairs(won=1, lost=1, shared=2)
    assert comparison.difference == 0.0


@pytest.mark.parametrize(
    ("won", "lost", "p"),
    [
        pytest.param(5, 0, 1 / 32, id="five mended, none broken"),
        pytest.param(4, 1, 6 / 32, id="four mended, one broken"),
        pytest.param(0, 0, 1.0, id="no difference"),
        pytest.param(0, 3, 1.0, id="only broken"),
    ],
)
def test_mcnemars_exact_one_sided_test(won: int, lost: int, p: float) -> None:
    assert Pairs(won, lost, 20).p_better == pytest.approx(p)


def test_many_rows_do_not_overflow() -> None:
    assert Pairs(won=1040, lost=1040, shared=5000).p_better == pytest.approx(0.5, abs=0.02)


def test_a_challenger_worth_having_wins_a_larger_share() -> None:
    lost_two = Pairs(won=0, lost=2, shared=8)
    assert lost_two.p_worth(0.5) == pytest.approx(0.25)
    assert lost_two.p_worth(0.75) == pytest.approx(0.0625)


def test_the_difference_is_of_the_rates_on_the_shared_rows() -> None:
    assert Pairs(won=3, lost=1, shared=10).difference == pytest.approx(-0.2)


def test_an_interval_of_paired_differences() -> None:
    mean, low, high = mean_interval([1, 3, 1, 3, 1, 3, 1, 3])
    spread = 1.959963984540054 * math.sqrt(8 / 7) / math.sqrt(8)
    assert (mean, low, high) == pytest.approx((2, 2 - spread, 2 + spread))


def test_few_differences_have_an_infinite_interval() -> None:
    assert mean_interval([9, 9, 9]) == (9, -math.inf, math.inf)
    assert mean_interval([]) == (0.0, -math.inf, math.inf)
