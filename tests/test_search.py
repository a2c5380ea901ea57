"""Optuna's study behind the search, and the rule that picks a winner."""

import pytest
from optuna.trial import TrialState

from metrics import FailureRate
from program.records import Evaluation, Outcome, Row, Status
from program.search import CandidateStudy, is_better
from signatures import Method


def evaluation(failed: int, *, added: float = 5.0, unscored: int = 0) -> Evaluation:
    """Return a method that failed the first rows of ten and whose last calls died."""
    counts: dict[Status, int] = {"failed": failed, "kept": 10 - failed - unscored}
    statuses = [status for status, n in counts.items() for _ in range(n)]
    statuses += ["unscored"] * unscored
    rows = [Row(str(i), str(i), "Why?") for i in range(10)]
    outcomes = tuple(Outcome(row, row, status) for row, status in zip(rows, statuses, strict=True))
    rate = FailureRate(failed, 10 - unscored)
    return Evaluation(Method(f"m{failed}{added}", "x"), outcomes, rate, added)


@pytest.mark.parametrize(
    ("challenger", "tie_break", "expected"),
    [
        pytest.param(evaluation(2), True, True, id="fails less"),
        pytest.param(evaluation(4, added=20), True, False, id="fails more but adds more"),
        pytest.param(evaluation(3), True, False, id="a tie keeps the incumbent"),
        pytest.param(evaluation(3, added=5.9), True, False, id="not a whole word more"),
        pytest.param(evaluation(3, added=6.0), True, True, id="a tie that adds a word"),
        pytest.param(evaluation(3, added=9.0), False, False, id="no tie-break asked for"),
        pytest.param(evaluation(0, unscored=6), True, False, id="most of its calls died"),
        pytest.param(evaluation(2, unscored=3), True, True, id="better on the shared rows"),
    ],
)
def test_the_lowest_failure_rate_wins(
    challenger: Evaluation, tie_break: bool, expected: bool
) -> None:
    assert is_better(challenger, evaluation(3), tie_break=tie_break) is expected


def test_every_candidate_is_a_trial_with_its_rate_and_rejected_ones_fail() -> None:
    study = CandidateStudy(temperatures=None, seed=1)
    first, second = study.ask(0, 2)

    study.tell(first, FailureRate(1, 4))
    study.tell(second, None)

    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE, TrialState.FAIL]
    assert study.trials[0].value == 0.25
    assert [trial.user_attrs["candidate"] for trial in study.trials] == [0, 1]


def test_temperatures_are_sampled_in_their_range_and_the_same_for_a_seed() -> None:
    drawn = [
        [t.temperature for t in CandidateStudy(temperatures=(0.3, 1.1), seed=s).ask(0, 4)]
        for s in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(t is not None and 0.3 <= t <= 1.1 for t in drawn[0])


def test_without_a_range_the_model_keeps_its_own_temperature() -> None:
    assert [t.temperature for t in CandidateStudy(temperatures=None, seed=1).ask(0, 2)] == [
        None
    ] * 2
