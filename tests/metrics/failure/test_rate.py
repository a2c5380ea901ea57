"""λ and its interval."""

import pytest

from autoevol.metrics import FailureRate, Reason, added_words, count_by_rule, failure_rate


def test_unscored_rows_are_in_neither_count() -> None:
    rate = failure_rate([True, False, None, False])
    assert (rate.failed, rate.scored) == (1, 3)
    assert rate.rate == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("failed", "scored", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.2775, id="none failed"),
        pytest.param(5, 10, 0.2366, 0.7634, id="half"),
        pytest.param(10, 10, 0.7225, 1.0, id="all failed"),
    ],
)
def test_the_interval_is_wilsons(failed: int, scored: int, low: float, high: float) -> None:
    assert FailureRate(failed, scored).interval == pytest.approx((low, high), abs=1e-4)


def test_nothing_scored_is_the_worst_rate_with_the_widest_interval() -> None:
    assert FailureRate(0, 0).rate == 1.0
    assert FailureRate(0, 0).interval == (0.0, 1.0)


def test_few_rows_overlap_and_many_do_not() -> None:
    assert FailureRate(1, 8).overlaps(FailureRate(4, 8))
    assert not FailureRate(10, 100).overlaps(FailureRate(50, 100))


@pytest.mark.parametrize(("failed", "scored"), [(2, 1), (-1, 3)])
def test_impossible_counts_are_refused(failed: int, scored: int) -> None:
    with pytest.raises(ValueError, match="failed"):
        FailureRate(failed, scored)


def test_a_row_counts_once_for_each_rule_it_broke() -> None:
    row = (Reason("empty", "x"), Reason("empty", "y"), Reason("refusal", "z"))
    assert count_by_rule([row, ()]) == {"empty": 1, "refusal": 1}


def test_added_words_are_capped_and_ignore_stop_words() -> None:
    assert added_words("Name a river.", "Name a river and its longest tributary.") == 2
    assert added_words("a", " ".join(f"word{i}" for i in range(50))) == 20
