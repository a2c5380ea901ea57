"""The loop of the paper, step by step, on models whose truth is known."""

import asyncio
from collections.abc import Callable
from typing import Any

import dspy
import pytest

from program.evaluation import evaluate
from program.evolver import Evolver
from program.failure import failure_metric
from program.listeners import Listeners
from program.optimizer import AutoEvolInstruct, SearchSettings
from program.pipeline import Pipeline
from program.records import Row, StepRecord
from program.roles import Role, Roles
from signatures import Method

START = Method("start", "Rewrite the instruction into a harder one.")
MORE = " Then compare two other approaches and justify every decision with evidence."
Reply = Callable[[str, str, int], str]


class Model(dspy.BaseLM):
    """A model that is a function of system turn, last turn and draw; counts its calls."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("scripted")
        self.reply = reply
        self.systems: list[str] = []

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        self.systems.append(messages[0]["content"])
        return [self.reply(messages[0]["content"], messages[-1]["content"], kw["rollout_id"])]


def failing_unless(word: str, proposals: list[str]) -> Reply:
    """Return a model whose rewrites fail unless the method holds `word`."""
    given = iter(proposals)

    def reply(system: str, user: str, draw: int) -> str:
        if system.startswith("You review"):
            return "general: it answers"
        if system.startswith("You improve"):
            return next(given, f"Rewrite the instruction, harder. Variant {draw}.")
        if system.startswith("Answer the instruction"):
            return "A full answer."
        row = user.removeprefix("Instruction:\n").split("\n\n")[0]
        return row + MORE if word in system else "The answer is 4."

    return reply


def optimizer_for(
    reply: Reply, **settings: Any
) -> tuple[AutoEvolInstruct, list[StepRecord], Model]:
    model = Model(reply)
    roles = Roles(*(Role(model, "m") for _ in range(4)))
    pipeline = Pipeline(roles, failure_metric(["strict"], ["strict"]), blocks_in_flight=4)
    steps: list[StepRecord] = []
    chosen = SearchSettings(**{"steps": 3, "batch_size": 2, "candidates": 2, **settings})
    return AutoEvolInstruct(pipeline, chosen, Listeners(on_step=steps.append)), steps, model


def rows(count: int, prefix: str) -> list[Row]:
    return [Row(f"{prefix}{i}", f"{prefix}{i}", f"List {i} facts.") for i in range(count)]


def compiled(optimizer: AutoEvolInstruct) -> Evolver:
    return optimizer.compile(Evolver(START), trainset=rows(4, "t"), valset=rows(5, "d"))


def test_the_better_candidate_becomes_the_incumbent() -> None:
    better = "Rewrite the instruction, harder, MARK."
    optimizer, steps, _ = optimizer_for(
        failing_unless("MARK", ["Rewrite the instruction, harder, badly.", better]), steps=1
    )

    best = compiled(optimizer)

    assert best.method.instructions == better
    assert steps[0].incumbent.failure_rate.rate == 1.0
    assert steps[0].best.failure_rate.rate == 0.0
    assert [c.failure_rate.rate for c in steps[0].candidates if c.failure_rate] == [1.0, 0.0]


def test_the_student_is_not_changed() -> None:
    student = Evolver(START)
    optimizer, _, _ = optimizer_for(failing_unless("MARK", ["Rewrite the instruction MARK harder"]))
    optimizer.compile(student, trainset=rows(4, "t"), valset=rows(5, "d"))
    assert student.method == START


def test_the_search_stops_when_nothing_gets_better() -> None:
    optimizer, steps, _ = optimizer_for(failing_unless("NEVER", []), steps=9, patience=2)
    assert compiled(optimizer).method == START
    assert len(steps) == 2


def test_the_incumbents_verdicts_are_reused() -> None:
    optimizer, _, model = optimizer_for(failing_unless("NEVER", []), steps=2, patience=9)
    compiled(optimizer)
    evolved_with_start = model.systems.count(START.instructions)
    assert evolved_with_start == 5 + 2 * 2


@pytest.mark.parametrize(
    ("proposal", "needle"),
    [
        pytest.param(START.instructions, "known already", id="the incumbent itself"),
        pytest.param("The moon is far away.", "no longer a method", id="no method"),
        pytest.param("Rewrite the instruction harder. " * 200, "allowed", id="too long"),
        pytest.param("```\n\n```", "unparsed", id="empty"),
    ],
)
def test_a_proposal_that_is_no_candidate_is_rejected_with_its_reason(
    proposal: str, needle: str
) -> None:
    optimizer, steps, model = optimizer_for(
        failing_unless("NEVER", [proposal]), steps=1, candidates=1
    )

    compiled(optimizer)

    candidate = steps[0].candidates[0]
    assert needle in str(candidate.rejected)
    assert candidate.evaluation is None
    assert len(model.systems) == 5 + 2 + 2


def test_a_mini_batch_is_evolved_as_often_as_asked() -> None:
    optimizer, _, model = optimizer_for(
        failing_unless("harder", []), steps=1, candidates=1, trajectory_rounds=3
    )
    compiled(optimizer)
    assert model.systems.count(START.instructions) == 5 + 2 * 3


def test_examples_of_dspy_are_taken_as_rows() -> None:
    optimizer, steps, _ = optimizer_for(failing_unless("NEVER", []), steps=1)
    examples = [
        dspy.Example(instruction=f"List {i} facts.").with_inputs("instruction") for i in range(4)
    ]
    optimizer.compile(Evolver(START), trainset=examples, valset=examples)
    assert steps[0].incumbent.failure_rate.scored == 4


def test_a_run_within_a_loop_awaits_the_search() -> None:
    optimizer, steps, _ = optimizer_for(failing_unless("NEVER", []), steps=1)
    asyncio.run(optimizer.acompile(Evolver(START), trainset=rows(4, "t"), valset=rows(5, "d")))
    assert len(steps) == 1


@pytest.mark.parametrize(
    ("verdict", "failed"), [("True", 3), ("False", 0)], ids=["equal", "not equal"]
)
def test_a_judge_decides_what_no_pattern_can(verdict: str, failed: int) -> None:
    def reply(system: str, user: str, draw: int) -> str:
        if "are_equal" in system:
            return f"[[ ## are_equal ## ]]\n{verdict}\n\n[[ ## completed ## ]]"
        return user.removeprefix("Instruction:\n").split("\n\n")[0] + MORE

    role = Role(Model(reply), "m")
    metric = failure_metric(["wizardlm"], ["wizardlm"], judge=role)
    pipeline = Pipeline(Roles(role, role, role, role), metric, responds=False)

    found = asyncio.run(evaluate(Evolver(START), rows(3, "d"), pipeline, Listeners(), phase="x"))

    assert found.failure_rate.failed == failed
    assert {r.rule for o in found.outcomes for r in o.reasons} <= {"equal"}


def test_a_judge_that_cannot_be_read_leaves_the_row_unscored() -> None:
    def reply(system: str, user: str, draw: int) -> str:
        if "are_equal" in system:
            return "Who knows?"
        return user.removeprefix("Instruction:\n").split("\n\n")[0] + MORE

    role = Role(Model(reply), "m")
    metric = failure_metric(["wizardlm"], ["wizardlm"], judge=role)
    pipeline = Pipeline(Roles(role, role, role, role), metric, responds=False)

    found = asyncio.run(evaluate(Evolver(START), rows(2, "d"), pipeline, Listeners(), phase="x"))

    assert [outcome.status for outcome in found.outcomes] == ["unscored", "unscored"]
