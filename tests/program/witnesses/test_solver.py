"""The solver's rules: when solutions tell something, and when the solver is not asked."""

import asyncio
from collections.abc import Sequence

import pytest

from autoevol.metrics import Case, Reason
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.roles import Role
from autoevol.program.witnesses.exam import exam
from autoevol.program.witnesses.solutions import Solutions
from autoevol.program.witnesses.solver import Solver
from tests.support.witnesses import ScriptedSolver

SEED = "A bus carries 40 people and 12 get off. How many are left?"
REWRITE = "Forty people ride a bus. At the market 12 of them leave it. How many ride on?"
RULES = ["restated", "unsolvable", "same_answer"]


def verdict(
    results: Sequence[str],
    *,
    rules: Sequence[str] = RULES,
    errs: Sequence[str] = (),
    case: Case | None = None,
) -> tuple[tuple[Reason, ...], int]:
    """Return what F finds, and how often a row was solved."""
    model = ScriptedSolver(results, errs)
    metric = failure_metric(rules, [], solver=Solver(Role(model, "solver")))
    case = case or Case(SEED, REWRITE)
    return asyncio.run(metric.reasons("evolve", case)), model.rows_asked


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        pytest.param(["28", "28", "28"], None, id="agree"),
        pytest.param(["28", "28", "30"], None, id="most agree"),
        pytest.param(["28", "29", "30"], "3 solutions disagree: 28, 29, 30", id="disagree"),
        pytest.param(
            ["impossible"] * 2 + ["5"], "solutions find none: impossible, impossible, 5", id="none"
        ),
        pytest.param(["open", "28", "29"], None, id="the first calls it open"),
        pytest.param(["28", "open", "open"], None, id="most call it open"),
    ],
)
def test_what_solutions_tell_of_a_task(results: list[str], fault: str | None) -> None:
    reasons, _ = verdict(results, rules=["unsolvable"])
    assert [reason.evidence for reason in reasons] == ([fault] if fault else [])


def test_an_open_task_costs_one_call() -> None:
    assert verdict(["open"], rules=["unsolvable"]) == ((), 1)


def test_the_seeds_own_answer_settles_a_suspicion() -> None:
    case = Case(SEED, REWRITE, expected="40 - 12 = 28")
    reasons, calls = verdict(["28"], case=case, rules=["restated", "same_answer"])
    assert [reason.rule for reason in reasons] == ["restated", "same_answer"]
    assert reasons[-1].evidence == "the seed's own answer: 28"
    assert calls == 3


def test_a_seed_without_an_answer_is_solved() -> None:
    reasons, calls = verdict(["28"], rules=["restated", "same_answer"])
    assert reasons[-1].rule == "same_answer"
    assert calls == 6


def test_another_answer_leaves_the_suspicion() -> None:
    case = Case(SEED, REWRITE, expected="40 - 12 = 28")
    assert [reason.rule for reason in verdict(["14"], case=case)[0]] == ["restated"]


def test_the_same_answer_fails_nothing_that_is_not_suspected() -> None:
    distraction = Case(SEED, f"{SEED[:-20]} The driver is 51 years old. How many are left?")
    reasons, calls = verdict(["28"], case=distraction, rules=["restated", "same_answer"])
    assert (reasons, calls) == ((), 0)


def test_a_text_that_does_not_stand_alone_is_not_solved() -> None:
    assert verdict(["1", "2", "3"], case=Case(SEED, REWRITE, input=None), rules=["unsolvable"]) == (
        (),
        0,
    )


def test_the_input_is_part_of_the_task() -> None:
    assert Case("Add them.", "Add them twice.", input="4, 5").task == "Add them twice.\n\n4, 5"
    assert Case("Add them.", None).task is None


def test_a_solver_that_disagrees_with_itself_on_sound_tasks_is_not_admitted() -> None:
    wrong = [item.rewrite for item in exam().items if item.answer][:3]
    assert verdict(["1", "2", "3"], rules=["unsolvable"], errs=wrong) == ((), 0)


def test_a_solver_that_is_wrong_alike_may_not_compare_answers() -> None:
    model = ScriptedSolver(["28"])
    wrong = [item for item in exam().items if item.answer][:3]
    model.errs = [item.rewrite for item in wrong]
    metric = failure_metric(["restated", "same_answer"], [], solver=Solver(Role(model, "solver")))
    case = Case(SEED, REWRITE, expected="40 - 12 = 28")
    assert [reason.rule for reason in asyncio.run(metric.reasons("evolve", case))] == ["restated"]


def test_numbers_of_the_config_replace_the_solvers_own() -> None:
    model = ScriptedSolver(["28", "28", "29", "30", "31"])
    metric = failure_metric(
        ["unsolvable"],
        [],
        solver=Solver(Role(model, "solver")),
        thresholds={"unsolvable": {"samples": 5, "agree": 0.4}},
    )
    assert asyncio.run(metric.reasons("evolve", Case(SEED, REWRITE))) == ()
    assert model.rows_asked == 5


def test_agreement_counts_every_solution() -> None:
    assert Solutions(("3", "3", "")).agreement == pytest.approx(2 / 3)
    assert not Solutions(("3", "", "")).is_checkable
    assert Solutions(("impossible",) * 3).agreed(0.6) == ""
