"""The proposal policy: the same for a seed, and it learns what helps."""

from collections import Counter

import pytest

from autoevol.program.search.operators import OPERATORS
from autoevol.program.search.policy import Knobs, Policy, ProposalStudy, importances
from autoevol.program.search.racing import RaceRules
from autoevol.program.search.settings import PolicyName

PRUNER = RaceRules("none", 50).make_pruner()


def knobs(policy: Policy, count: int = 6) -> list[Knobs]:
    return [proposal.knobs for proposal in ProposalStudy(policy, PRUNER).ask(0, count)]


@pytest.mark.parametrize("name", ["learned", "random"])
def test_the_same_seed_gives_the_same_knobs(name: PolicyName) -> None:
    assert knobs(Policy(name, seed=1)) == knobs(Policy(name, seed=1)) != knobs(Policy(name, seed=2))


def test_the_paper_rewrites_the_incumbent_and_shows_every_case() -> None:
    assert knobs(Policy("paper"), 3) == [Knobs("rewrite", 0, shows_half=False)] * 3


def test_boldness_is_a_knob_where_there_is_a_choice() -> None:
    free = Policy("random", boldness=("sentence", "section", "whole"))
    assert {k.boldness for k in knobs(free, 20)} == {"sentence", "section", "whole"}
    study = ProposalStudy(Policy("random", boldness=("whole",)), PRUNER)
    assert {proposal.knobs.boldness for proposal in study.ask(0, 3)} == {"whole"}
    assert all("boldness" not in trial.params for trial in study.trials)


def test_temperatures_lie_in_their_range() -> None:
    drawn = [k.temperature for k in knobs(Policy("paper", temperatures=(0.3, 1.1)), 8)]
    assert all(t is not None and 0.3 <= t <= 1.1 for t in drawn)
    assert len(set(drawn)) == 8


def test_only_permitted_operators_are_chosen() -> None:
    policy = Policy("random", operators=("safeguard", "shorten"))
    assert {k.operator for k in knobs(policy, 20)} == {"safeguard", "shorten"}


def test_a_trial_knows_its_step_and_number() -> None:
    study = ProposalStudy(Policy(), PRUNER)
    study.ask(3, 2)
    attributes = [trial.user_attrs for trial in study.trials]
    assert attributes == [{"step": 3, "candidate": 0}, {"step": 3, "candidate": 1}]


def test_the_first_trials_take_the_methods_of_earlier_runs() -> None:
    """They are as many as the step has candidates, and the others are chosen as usual."""
    study = ProposalStudy(Policy("random", operators=("edit",)), PRUNER)
    proposals = study.ask(0, 3, recalled=2)
    assert [(p.knobs.operator, p.knobs.rank) for p in proposals[:2]] == [
        ("recall", 0),
        ("recall", 1),
    ]
    assert proposals[2].knobs.operator == "edit"
    assert [trial.user_attrs["candidate"] for trial in study.trials] == [0, 1, 2]
    assert len(study.ask(1, 3, recalled=9)) == 3


def test_unusable_knobs_are_skipped() -> None:
    study = ProposalStudy(Policy("random", seed=2), PRUNER)
    proposals = study.ask(0, 3, lambda knobs: knobs.operator == "merge")
    assert [proposal.knobs.operator for proposal in proposals] == ["merge"] * 3
    states = Counter(trial.state.name for trial in study.trials)
    assert states["RUNNING"] == 3
    assert states["FAIL"] == len(study.trials) - 3 > 0


def test_where_no_knobs_are_usable_the_paper_s_proposal_is_made() -> None:
    study = ProposalStudy(Policy("random"), PRUNER)
    assert study.ask(0, 1, lambda _: False)[0].knobs == Knobs()


def test_the_policy_learns_which_operator_helps() -> None:
    """In a world where only safeguards help, later proposals are mostly safeguards."""
    study = ProposalStudy(Policy("learned", seed=5), PRUNER)
    operators: list[str] = []
    for step in range(12):
        for proposal in study.ask(step, 5):
            operators.append(proposal.knobs.operator)
            study.tell(proposal, -0.3 if proposal.knobs.operator == "safeguard" else 0.1)
    late = Counter(operators[30:])
    assert late.most_common(1)[0][0] == "safeguard"
    assert late["safeguard"] > 2 * 30 / len(OPERATORS)


def test_a_replay_gives_the_same_knobs_after_the_same_values() -> None:
    def play() -> list[Knobs]:
        study, knobs_so_far = ProposalStudy(Policy("learned", seed=3), PRUNER), []
        for step in range(5):
            proposals = study.ask(step, 4)
            knobs_so_far += [proposal.knobs for proposal in proposals]
            for number, proposal in enumerate(proposals):
                study.tell(proposal, 0.1 * number - 0.2, is_pruned=number == 3)
        return knobs_so_far

    assert play() == play()


def played(count: int) -> ProposalStudy:
    """Return a study in which the operator alone decides; every third proposal is rejected."""
    study = ProposalStudy(Policy("random", seed=4), PRUNER)
    for number, proposal in enumerate(study.ask(0, count)):
        is_good = proposal.knobs.operator in ("safeguard", "add_demonstration")
        to_initial = None if number % 3 == 0 else -0.2 if is_good else 0.1 + number / 1000
        study.tell(proposal, to_initial, to_initial=to_initial)
    return study


def test_the_knob_that_decides_is_the_most_important_one() -> None:
    shares = importances(played(60).trials)
    assert next(iter(shares)) == "operator"
    assert shares["operator"] > 0.6
    assert sum(shares.values()) == pytest.approx(1)


def test_a_few_trials_or_trials_without_a_choice_have_no_importances() -> None:
    assert importances(played(12).trials) == {}
    study = ProposalStudy(Policy("paper"), PRUNER)
    for proposal in study.ask(0, 20):
        study.tell(proposal, 0.1, to_initial=0.1)
    assert importances(study.trials) == {}
