"""The proposal policy: the same for a seed, and it learns what helps."""

from collections import Counter

import pytest

from autoevol.program.search.operators import OPERATORS
from autoevol.program.search.policy import Knobs, Policy, ProposalStudy
from autoevol.program.search.racing import Race
from autoevol.program.search.settings import PolicyName

RACE = Race("none", 50)


def knobs(policy: Policy, count: int = 6) -> list[Knobs]:
    return [asked.knobs for asked in ProposalStudy(policy, RACE).ask(0, count)]


@pytest.mark.parametrize("name", ["learned", "random"])
def test_the_same_seed_asks_the_same(name: PolicyName) -> None:
    assert knobs(Policy(name, seed=1)) == knobs(Policy(name, seed=1)) != knobs(Policy(name, seed=2))


def test_the_paper_rewrites_the_incumbent_and_shows_every_case() -> None:
    assert knobs(Policy("paper"), 3) == [Knobs("rewrite", 0, shows_half=False)] * 3


def test_temperatures_lie_in_their_range() -> None:
    drawn = [k.temperature for k in knobs(Policy("paper", temperatures=(0.3, 1.1)), 8)]
    assert all(t is not None and 0.3 <= t <= 1.1 for t in drawn)
    assert len(set(drawn)) == 8


def test_only_the_operators_that_are_allowed_are_asked_for() -> None:
    policy = Policy("random", operators=("safeguard", "shorten"))
    assert {k.operator for k in knobs(policy, 20)} == {"safeguard", "shorten"}


def test_a_trial_knows_its_step_and_number() -> None:
    study = ProposalStudy(Policy(), RACE)
    study.ask(3, 2)
    attributes = [trial.user_attrs for trial in study.trials]
    assert attributes == [{"step": 3, "candidate": 0}, {"step": 3, "candidate": 1}]


def test_knobs_that_fit_nothing_are_passed_over() -> None:
    study = ProposalStudy(Policy("random", seed=2), RACE)
    asked = study.ask(0, 3, lambda knobs: knobs.operator == "shorten")
    assert [each.knobs.operator for each in asked] == ["shorten"] * 3
    states = Counter(trial.state.name for trial in study.trials)
    assert states["RUNNING"] == 3
    assert states["FAIL"] == len(study.trials) - 3 > 0


def test_where_nothing_fits_the_paper_s_proposal_is_made() -> None:
    study = ProposalStudy(Policy("random"), RACE)
    assert study.ask(0, 1, lambda _: False)[0].knobs == Knobs()


def test_the_policy_learns_which_operator_helps() -> None:
    """In a world where only safeguards help, later proposals are mostly safeguards."""
    study = ProposalStudy(Policy(seed=5), RACE)
    asked_for: list[str] = []
    for step in range(12):
        for asked in study.ask(step, 5):
            asked_for.append(asked.knobs.operator)
            study.tell(asked, -0.3 if asked.knobs.operator == "safeguard" else 0.1)
    late = Counter(asked_for[30:])
    assert late.most_common(1)[0][0] == "safeguard"
    assert late["safeguard"] > 2 * 30 / len(OPERATORS)


def test_a_replay_asks_the_same_after_the_same_answers() -> None:
    def play() -> list[Knobs]:
        study, found = ProposalStudy(Policy(seed=3), RACE), []
        for step in range(5):
            asked = study.ask(step, 4)
            found += [each.knobs for each in asked]
            for number, each in enumerate(asked):
                study.tell(each, 0.1 * number - 0.2, is_pruned=number == 3)
        return found

    assert play() == play()
