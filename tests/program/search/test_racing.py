"""Races: when a candidate is stopped, by hand."""

from collections.abc import Sequence

import optuna
import pytest

from autoevol.program.search.policy import Policy, ProposalStudy, ProposalTrial
from autoevol.program.search.racing import RaceRules, Verdicts
from autoevol.program.search.settings import PrunerName

BROKEN, MENDED, BOTH_PASS, BOTH_FAIL = (True, False), (False, True), (False, False), (True, True)
"""The candidate's and the incumbent's verdict on a row."""


class RacedStudy:
    """A study with its rules, so that a test can report verdicts."""

    def __init__(self, rules: RaceRules) -> None:
        self.rules = rules
        self.study = ProposalStudy(Policy("paper"), rules.make_pruner())

    def is_lost(self, proposal: ProposalTrial, verdicts: Sequence[Verdicts | None]) -> bool:
        return self.study.should_prune(proposal, self.rules.values(verdicts))


def is_lost(rules: RaceRules, verdicts: Sequence[Verdicts | None]) -> bool:
    raced = RacedStudy(rules)
    return raced.is_lost(raced.study.ask(0, 1)[0], verdicts)


@pytest.mark.parametrize(
    ("rows", "rungs"),
    [
        (50, [8, 16, 32, 50]),
        (8, [8]),
        (10, [8, 10]),
        (32, [8, 16, 32]),
        (100, [8, 16, 32, 64, 96, 100]),
    ],
)
def test_rungs(rows: int, rungs: list[int]) -> None:
    assert RaceRules("mcnemar", rows).rungs == rungs
    assert RaceRules("none", rows).rungs == [rows]


@pytest.mark.parametrize(
    ("broken", "mended", "stopped"),
    [
        pytest.param(3, 0, False, id="p 1/8"),
        pytest.param(4, 0, True, id="p 1/16"),
        pytest.param(5, 1, False, id="p 7/64"),
        pytest.param(6, 1, True, id="p 8/128"),
    ],
)
def test_mcnemar_with_the_level_shared_among_three_rungs(
    broken: int, mended: int, stopped: bool
) -> None:
    """Level 0.3 over the rungs at 8, 16 and 32 of 50 rows is 0.1 for each."""
    rules = RaceRules("mcnemar", 50, level=0.3, worth=0.5)
    verdicts = [BROKEN] * broken + [MENDED] * mended + [BOTH_PASS] * 5 + [BOTH_FAIL] * 4
    assert is_lost(rules, verdicts) is stopped


def test_what_is_no_better_is_stopped_when_a_gain_is_required() -> None:
    even = [BROKEN, MENDED] * 8
    assert not is_lost(RaceRules("mcnemar", 50, level=0.6, worth=0.5), even)
    assert is_lost(RaceRules("mcnemar", 50, level=0.6, worth=0.7), even)


def test_a_race_without_differences_continues() -> None:
    assert not is_lost(RaceRules("mcnemar", 50), [BOTH_FAIL] * 16)


@pytest.mark.parametrize("name", ["none", "wilcoxon", "halving", "mcnemar"])
def test_every_pruner_lets_the_first_candidate_win(name: PrunerName) -> None:
    assert not is_lost(RaceRules(name, 50), [MENDED] * 16)


def test_what_a_trial_reports() -> None:
    rows = [BROKEN, None, MENDED, BOTH_FAIL]
    assert RaceRules("mcnemar", 50).values(rows) == {1: 1.0, 3: -1.0, 4: 0.0}
    assert RaceRules("wilcoxon", 50).values(rows) == {1: 1.0, 3: 0.0, 4: 1.0}
    assert RaceRules("halving", 50).values(rows) == pytest.approx({1: 1.0, 3: 0.5, 4: 2 / 3})


def test_halving_stops_the_worse_of_several() -> None:
    raced = RacedStudy(RaceRules("halving", 50))
    study = raced.study
    first, second = study.ask(0, 2)
    assert not raced.is_lost(first, [MENDED] * 8)
    assert raced.is_lost(second, [BROKEN] * 8)


def test_wilcoxon_compares_with_the_best_trial_so_far() -> None:
    raced = RacedStudy(RaceRules("wilcoxon", 50, level=0.1))
    study = raced.study
    best, worse = study.ask(0, 2)
    raced.is_lost(best, [MENDED] * 16)
    study.tell(best, -1.0)
    assert raced.is_lost(worse, [BROKEN] * 16)


@pytest.mark.parametrize("name", ["wilcoxon", "halving"])
def test_another_incumbent_does_not_stop_an_equal_of_the_best(name: PrunerName) -> None:
    """The first trial mended all and became the incumbent; the second is just as good."""
    raced = RacedStudy(RaceRules(name, 50))
    study = raced.study
    first, second = study.ask(0, 2)
    raced.is_lost(first, [MENDED] * 16)
    study.tell(first, -1.0)
    assert not raced.is_lost(second, [BOTH_PASS] * 16)


def test_a_later_rung_reports_only_new_rows() -> None:
    raced = RacedStudy(RaceRules("mcnemar", 50))
    study = raced.study
    proposal = study.ask(0, 1)[0]
    raced.is_lost(proposal, [BROKEN, BOTH_PASS])
    raced.is_lost(proposal, [BROKEN, BOTH_PASS, MENDED])
    assert study.trials[0].intermediate_values == {1: 1.0, 2: 0.0, 3: -1.0}


def test_stopped_and_rejected_proposals_have_no_mean() -> None:
    raced = RacedStudy(RaceRules("mcnemar", 50))
    study = raced.study
    won, stopped, rejected = study.ask(0, 3)
    raced.is_lost(stopped, [BROKEN, BROKEN, BROKEN, MENDED])
    study.tell(won, -0.25)
    study.tell(stopped, 0.5, is_pruned=True)
    study.tell(rejected, None)
    states = [trial.state for trial in study.trials]
    wanted = optuna.trial.TrialState
    assert states == [wanted.COMPLETE, wanted.PRUNED, wanted.FAIL]
    assert study.trials[0].value == -0.25
    assert study.trials[1].value == -1.0, "Optuna keeps the last row's difference, not a mean"
