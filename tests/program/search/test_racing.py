"""Races: when a candidate is stopped, by hand."""

from collections.abc import Sequence

import optuna
import pytest

from autoevol.program.search.policy import Policy, ProposalStudy
from autoevol.program.search.racing import Race, Verdicts
from autoevol.program.search.settings import PrunerName

BROKEN, MENDED, BOTH_PASS, BOTH_FAIL = (True, False), (False, True), (False, False), (True, True)
"""The candidate's and the incumbent's verdict on a row."""


def is_lost(race: Race, verdicts: Sequence[Verdicts | None]) -> bool:
    study = ProposalStudy(Policy("paper"), race)
    return study.is_lost(study.ask(0, 1)[0], verdicts)


@pytest.mark.parametrize(
    ("rows", "looks"),
    [
        (50, [8, 16, 32, 50]),
        (8, [8]),
        (10, [8, 10]),
        (32, [8, 16, 32]),
        (100, [8, 16, 32, 64, 96, 100]),
    ],
)
def test_looks(rows: int, looks: list[int]) -> None:
    assert Race("mcnemar", rows).looks == looks
    assert Race("none", rows).looks == [rows]


@pytest.mark.parametrize(
    ("broken", "mended", "stopped"),
    [
        pytest.param(3, 0, False, id="p 1/8"),
        pytest.param(4, 0, True, id="p 1/16"),
        pytest.param(5, 1, False, id="p 7/64"),
        pytest.param(6, 1, True, id="p 8/128"),
    ],
)
def test_mcnemar_with_the_level_shared_among_three_looks(
    broken: int, mended: int, stopped: bool
) -> None:
    """Level 0.3 over the looks at 8, 16 and 32 of 50 rows is 0.1 for each."""
    race = Race("mcnemar", 50, level=0.3, worth=0.5)
    verdicts = [BROKEN] * broken + [MENDED] * mended + [BOTH_PASS] * 5 + [BOTH_FAIL] * 4
    assert is_lost(race, verdicts) is stopped


def test_what_is_no_better_is_stopped_when_more_is_asked_for() -> None:
    even = [BROKEN, MENDED] * 8
    assert not is_lost(Race("mcnemar", 50, level=0.6, worth=0.5), even)
    assert is_lost(Race("mcnemar", 50, level=0.6, worth=0.7), even)


def test_a_race_without_differences_goes_on() -> None:
    assert not is_lost(Race("mcnemar", 50), [BOTH_FAIL] * 16)


@pytest.mark.parametrize("name", ["none", "wilcoxon", "halving", "mcnemar"])
def test_every_pruner_lets_the_first_candidate_win(name: PrunerName) -> None:
    assert not is_lost(Race(name, 50), [MENDED] * 16)


def test_what_a_trial_reports() -> None:
    rows = [BROKEN, None, MENDED, BOTH_FAIL]
    assert Race("mcnemar", 50).reports(rows) == {1: 1.0, 3: -1.0, 4: 0.0}
    assert Race("wilcoxon", 50).reports(rows) == {1: 1.0, 3: 0.0, 4: 1.0}
    assert Race("halving", 50).reports(rows) == pytest.approx({1: 1.0, 3: 0.5, 4: 2 / 3})


def test_halving_stops_the_worse_of_several() -> None:
    study = ProposalStudy(Policy("paper"), Race("halving", 50))
    first, second = study.ask(0, 2)
    assert not study.is_lost(first, [MENDED] * 8)
    assert study.is_lost(second, [BROKEN] * 8)


def test_wilcoxon_compares_with_the_best_trial_so_far() -> None:
    study = ProposalStudy(Policy("paper"), Race("wilcoxon", 50, level=0.1))
    best, worse = study.ask(0, 2)
    study.is_lost(best, [MENDED] * 16)
    study.tell(best, -1.0)
    assert study.is_lost(worse, [BROKEN] * 16)


@pytest.mark.parametrize("name", ["wilcoxon", "halving"])
def test_another_incumbent_does_not_stop_an_equal_of_the_best(name: PrunerName) -> None:
    """The first trial mended all and became the incumbent; the second is just as good."""
    study = ProposalStudy(Policy("paper"), Race(name, 50))
    first, second = study.ask(0, 2)
    study.is_lost(first, [MENDED] * 16)
    study.tell(first, -1.0)
    assert not study.is_lost(second, [BOTH_PASS] * 16)


def test_a_later_look_reports_only_what_is_new() -> None:
    study = ProposalStudy(Policy("paper"), Race("mcnemar", 50))
    asked = study.ask(0, 1)[0]
    study.is_lost(asked, [BROKEN, BOTH_PASS])
    study.is_lost(asked, [BROKEN, BOTH_PASS, MENDED])
    assert study.trials[0].intermediate_values == {1: 1.0, 2: 0.0, 3: -1.0}


def test_stopped_and_refused_proposals_have_no_mean() -> None:
    study = ProposalStudy(Policy("paper"), Race("mcnemar", 50))
    won, stopped, refused = study.ask(0, 3)
    study.is_lost(stopped, [BROKEN, BROKEN, BROKEN, MENDED])
    study.tell(won, -0.25)
    study.tell(stopped, 0.5, is_pruned=True)
    study.tell(refused, None)
    states = [trial.state for trial in study.trials]
    wanted = optuna.trial.TrialState
    assert states == [wanted.COMPLETE, wanted.PRUNED, wanted.FAIL]
    assert study.trials[0].value == -0.25
    assert study.trials[1].value == -1.0, "Optuna keeps the last row's difference, not a mean"
