"""The test on held-out rows: whether the best method gains anything over the initial one."""

import pytest

from autoevol.experiments.artifacts.summary import HeldoutTest, SearchResult
from autoevol.program.records import StepRecord
from tests.support.evaluations import evaluation


@pytest.mark.parametrize(
    ("initial", "best", "added", "has_gain"),
    [
        pytest.param("xx..", "x...", 5, True, id="fails less"),
        pytest.param("x...", "xx..", 5, False, id="fails more"),
        pytest.param("x..x", ".x.x", 5, False, id="fails as often"),
        pytest.param("x..x", ".x.x", 6, True, id="fails as often and adds more"),
        pytest.param("x??", "?xx", 5, True, id="no row was scored under both"),
    ],
)
def test_a_gain_is_less_failure_or_more_added_words(
    initial: str, best: str, added: int, has_gain: bool
) -> None:
    heldout = HeldoutTest(evaluation(initial), evaluation(best, text="Other.", added=added))
    assert heldout.has_gain is has_gain


def test_a_missing_gain_is_reported_with_wins_and_losses() -> None:
    heldout = HeldoutTest(evaluation("x..."), evaluation(".xx.", text="Other."))
    assert "it won 1 rows and lost 2" in heldout.no_gain


@pytest.mark.parametrize(
    ("initial", "best", "verdict"),
    [
        pytest.param("x" * 30, "." * 30, "the best method is better", id="better"),
        pytest.param("." * 30, "x" * 30, "the best method is worse", id="worse"),
        pytest.param("x.", "..", "too few rows to tell", id="few"),
        pytest.param("..", "..", "neither method fails a row", id="no failure"),
    ],
)
def test_the_verdict_goes_by_the_intervals(initial: str, best: str, verdict: str) -> None:
    test = HeldoutTest(evaluation(initial), evaluation(best, text="Other."))
    assert test.verdict == verdict


def test_one_method_is_no_gain_and_no_loss() -> None:
    initial = evaluation("x.")
    assert HeldoutTest(initial, initial).verdict == "the initial method stays"


def test_the_best_rate_on_dev_rows_is_that_of_the_method_that_is_kept() -> None:
    initial, found = evaluation("xx.."), evaluation("x...", text="Other.")
    step = StepRecord(0, initial, (), found)
    kept = SearchResult(initial.failure_rate, steps=(step,), best_id=found.method.id)
    assert kept.best == found.failure_rate
    unproved = SearchResult(initial.failure_rate, steps=(step,), best_id=initial.method.id)
    assert unproved.best == initial.failure_rate
    assert SearchResult(initial.failure_rate, best_id=initial.method.id).best == kept.initial
