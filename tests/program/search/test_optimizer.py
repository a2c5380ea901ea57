"""The loop of the paper, step by step, on scripted models."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dspy
import pytest

from autoevol.program.errors import ConfigError
from autoevol.program.evolution.evaluation import evaluate
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import FinalChoice, Headroom, Row, StepRecord
from autoevol.program.roles import Role, Roles
from autoevol.program.search.optimizer import AutoEvolInstruct
from autoevol.program.search.policy import DIFFERENCE
from autoevol.program.search.settings import PAPER, SearchSettings
from autoevol.program.search.teleprompters import ExternalOptimizer, gepa
from autoevol.program.witnesses.judge import Judge
from autoevol.signatures import Method
from tests.support.models import Model, Reply

START = Method("start", "Rewrite the instruction into a harder one.")
MORE = " Then compare two other approaches and justify every decision with evidence."


def failing_unless(word: str, proposals: list[str]) -> Reply:
    """Return a model whose rewrites fail unless the method holds `word`."""
    remaining = iter(proposals)

    def reply(system: str, user: str, draw: int) -> str:
        if system.startswith("You review"):
            return "general: it answers"
        if system.startswith("You improve"):
            return next(remaining, f"Rewrite the instruction, harder. Variant {draw}.")
        if system.startswith("Answer the instruction"):
            return "A full answer."
        row = user.removeprefix("Instruction:\n").split("\n\n")[0]
        return row + MORE if word in system else "The answer is 4."

    return reply


def optimizer_for(
    reply: Reply,
    on_headroom: Callable[[Headroom], None] = lambda _: None,
    on_choice: Callable[[FinalChoice], None] = lambda _: None,
    **settings: Any,
) -> tuple[AutoEvolInstruct, list[StepRecord], Model]:
    model = Model(reply)
    roles = Roles(*(Role(model, "m") for _ in range(4)))
    pipeline = Pipeline(roles, failure_metric(["strict"], ["strict"]), blocks_in_flight=4)
    steps: list[StepRecord] = []
    small = {"steps": 3, "batch_size": 2, "candidates": 2, "patience": 3}
    search = SearchSettings(**{**PAPER, **small, **settings})
    listeners = Listeners(on_step=steps.append, on_headroom=on_headroom, on_choice=on_choice)
    return AutoEvolInstruct(pipeline, search, listeners), steps, model


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
        pytest.param(
            START.instructions, "duplicate of an earlier method", id="the incumbent itself"
        ),
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


LONG = "Describe the grey lighthouse on the northern cape, its lamp, its keeper and its storms."


@pytest.mark.parametrize("name", ["train", "dev", "fresh", "held-out"])
def test_a_proposal_that_quotes_a_row_of_any_set_is_rejected(name: str) -> None:
    proposal = f"Rewrite the instruction, harder. For example: {LONG}"
    optimizer, steps, _ = optimizer_for(
        failing_unless("NEVER", [proposal]), steps=1, candidates=1, finalists=1
    )
    names = {"train": "trainset", "dev": "valset", "fresh": "freshset", "held-out": "heldoutset"}
    data = {key: rows(3, key) for key in names.values()}
    # Beyond the mini-batch, so that the check of the cases does not see it.
    data[names[name]].append(Row("long", "long", LONG))
    data["trainset"] += rows(30, "more")
    optimizer.compile(Evolver(START), **data)
    assert f"quotes a row of {name}: " in str(steps[0].candidates[0].rejected)


def test_what_the_initial_method_says_itself_may_be_said_again() -> None:
    optimizer, steps, _ = optimizer_for(
        failing_unless("NEVER", [f"Rewrite the instruction, harder: {LONG}"]),
        steps=1,
        candidates=1,
    )
    start = Method("start", f"Rewrite the instruction into a harder one. {LONG}")
    data = {"trainset": rows(9, "t"), "valset": [*rows(4, "d"), Row("long", "long", LONG)]}
    optimizer.compile(Evolver(start), **data)
    assert steps[0].candidates[0].rejected is None


def test_a_demonstration_that_quotes_a_dev_row_is_rejected() -> None:
    def reply(system: str, user: str, draw: int) -> str:
        row = user.removeprefix("Instruction:\n").split("\n\n")[0]
        return f"{row}{MORE} {LONG}" if "List 9" in row else "The answer is 4."

    optimizer, steps, _ = optimizer_for(
        reply, policy="learned", operators=("add_demonstration",), steps=1, candidates=1
    )
    train = [Row(f"t{i}", f"t{i}", f"List 9{i} facts.") for i in range(4)]
    data = {"trainset": train, "valset": [*rows(6, "d"), Row("long", "long", LONG)]}
    optimizer.compile(Evolver(START), **data)
    rejected = str(steps[0].candidates[0].rejected)
    assert rejected.startswith("a demonstration quotes a row of dev: ")


def test_a_mini_batch_is_evolved_as_often_as_configured() -> None:
    optimizer, _, model = optimizer_for(
        failing_unless("harder", []), steps=1, candidates=1, trajectory_rounds=3
    )
    compiled(optimizer)
    assert model.systems.count(START.instructions) == 5 + 2 * 3


def listed(first: int, **more: Any) -> list[dspy.Example]:
    """Return four examples without ids."""
    texts = (f"List {first + i} facts." for i in range(4))
    return [dspy.Example(instruction=text, **more).with_inputs("instruction") for text in texts]


def test_examples_of_dspy_are_taken_as_rows_with_ids_of_their_own() -> None:
    optimizer, steps, _ = optimizer_for(failing_unless("NEVER", []), steps=1)
    data = {"trainset": listed(0, id=None), "valset": listed(10), "freshset": listed(20, id=None)}
    optimizer.compile(Evolver(START), **data)
    incumbent = steps[0].incumbent
    assert [o.source.id for o in incumbent.outcomes] == [f"dev-{i}" for i in range(4)]
    assert [o.source.instruction for o in incumbent.outcomes] == [e.instruction for e in listed(10)]


@pytest.mark.parametrize(
    ("sets", "needle"),
    [
        pytest.param(
            {"trainset": listed(0), "valset": listed(0)},
            "valset: shares the text of 4 examples with trainset, for example valset[0]",
            id="examples",
        ),
        pytest.param(
            {"trainset": rows(4, "t"), "valset": rows(5, "d"), "freshset": rows(3, "t")},
            "freshset: shares the id of 3 examples with trainset",
            id="rows",
        ),
        pytest.param(
            {"trainset": listed(0)[:1], "valset": [Row("a", "a", "List 0 facts.")]},
            "valset: shares the text of 1 example with trainset",
            id="a row and an example",
        ),
        pytest.param(
            {"trainset": listed(0, id="x")[:1], "valset": listed(9, id="x")[:1]},
            "valset: shares the id of 1 example",
            id="ids",
        ),
        pytest.param(
            {"trainset": listed(0, id="x"), "valset": listed(9)},
            "trainset[1]: id 'x' is there twice",
            id="one id twice",
        ),
    ],
)
@pytest.mark.parametrize("guest", [False, True], ids=["own", "guest"])
def test_sets_that_share_rows_are_refused_in_one_line(
    sets: dict[str, Any], needle: str, guest: bool
) -> None:
    optimizer, _, model = optimizer_for(failing_unless("NEVER", []), steps=1)
    search = ExternalOptimizer(gepa, optimizer.pipeline) if guest else optimizer
    with pytest.raises(ConfigError) as refused:
        asyncio.run(search.acompile(Evolver(START), **sets))
    assert needle in str(refused.value)
    assert not model.systems, "nothing was asked"


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
    metric = failure_metric(["wizardlm"], ["wizardlm"], judge=Judge(role))
    pipeline = Pipeline(Roles(role, role, role, role), metric, responds=False)

    evaluation = asyncio.run(
        evaluate(Evolver(START), rows(3, "d"), pipeline, Listeners(), phase="x")
    )

    assert evaluation.failure_rate.failed == failed
    assert {r.rule for o in evaluation.outcomes for r in o.reasons} <= {"equal"}


def test_a_judge_that_cannot_be_read_leaves_the_row_unscored() -> None:
    def reply(system: str, user: str, draw: int) -> str:
        if "are_equal" in system:
            return "Who knows?"
        return user.removeprefix("Instruction:\n").split("\n\n")[0] + MORE

    role = Role(Model(reply), "m")
    metric = failure_metric(["wizardlm"], ["wizardlm"], judge=Judge(role))
    pipeline = Pipeline(Roles(role, role, role, role), metric, responds=False)

    evaluation = asyncio.run(
        evaluate(Evolver(START), rows(2, "d"), pipeline, Listeners(), phase="x")
    )

    assert [outcome.status for outcome in evaluation.outcomes] == ["unscored", "unscored"]


RACED = {"pruner": "mcnemar", "race_level": 0.2, "race_worth": 0.5, "policy": "paper"}


def raced(
    proposals: list[str], *, fresh: int = 0, **settings: Any
) -> tuple[Evolver, list[StepRecord], Model]:
    """Search from a method that holds MARK and never fails, over 20 dev rows."""
    small = {"steps": 1, "candidates": len(proposals), "headroom": False}
    reply = failing_unless("MARK", proposals)
    optimizer, steps, model = optimizer_for(reply, **{**small, **RACED, **settings})
    start = Method("start", "Rewrite the instruction into a harder one, MARK.")
    best = optimizer.compile(
        Evolver(start),
        trainset=rows(4, "t"),
        valset=rows(20, "d"),
        freshset=rows(fresh, "f"),
    )
    return best, steps, model


def test_a_candidate_that_is_clearly_worse_is_stopped_at_the_first_rung() -> None:
    bad, good = "Rewrite the instruction, harder.", "Rewrite the instruction, harder, MARK."
    _, steps, model = raced([bad, good])

    first, second = steps[0].candidates
    assert first.is_pruned
    assert not second.is_pruned
    assert model.systems.count(bad) == 8
    assert model.systems.count(good) == 20
    assert first.verdict == "stopped after 8 rows: mended 0, broke 8"


def test_a_stopped_candidate_is_no_parent_and_not_the_best() -> None:
    best, steps, _ = raced(["Rewrite the instruction, harder."])
    assert best.method.name == "start"
    assert not steps[0].is_accepted


def test_a_duplicate_is_not_measured_again() -> None:
    text = "Rewrite the instruction, harder, MARK."
    _, steps, model = raced([text, text])
    assert steps[0].candidates[1].rejected == "duplicate of an earlier method"
    assert model.systems.count(text) == 20


def test_a_search_without_headroom_is_skipped_and_says_why() -> None:
    headrooms: list[Headroom] = []
    optimizer, steps, model = optimizer_for(
        failing_unless("harder", []), on_headroom=headrooms.append, headroom=True
    )
    assert compiled(optimizer).method == START
    assert not steps
    assert not headrooms[0].is_enough
    assert len(model.systems) == 5 * 2, "the dev rows alone, evolved and answered"


def test_the_confirmation_measures_the_best_few_on_fresh_rows() -> None:
    better = "Rewrite the instruction, harder, MARK."
    choices: list[FinalChoice] = []
    optimizer, _, model = optimizer_for(
        failing_unless("MARK", [better]),
        on_choice=choices.append,
        steps=1,
        candidates=1,
        finalists=2,
        acceptance="paired",
    )
    best = optimizer.compile(
        Evolver(START), trainset=rows(4, "t"), valset=rows(5, "d"), freshset=rows(3, "f")
    )
    assert best.method.instructions == better
    assert [c.preference.is_better for c in choices[0].finalists] == [True]
    assert model.systems.count(START.instructions) == 5 + 2 + 3


@pytest.mark.parametrize(
    ("max_calls", "steps_made"),
    [
        pytest.param(None, 3, id="no bound"),
        pytest.param(23, 0, id="10 for dev, and a step may need 14"),
        pytest.param(24, 1, id="10 for dev and 14 for a step"),
        pytest.param(37, 1, id="not another step of 14"),
        pytest.param(38, 2, id="another step of 14"),
    ],
)
def test_a_budget_of_calls_ends_the_search_before_a_step_that_would_pass_it(
    max_calls: int | None, steps_made: int
) -> None:
    """A step: 2 rows of the mini-batch, 2 calls for a proposal, 5 rows evolved and answered."""
    good = "Rewrite the instruction, harder, variant"
    optimizer, steps, _ = optimizer_for(
        failing_unless("harder", [f"{good} {i}." for i in range(9)]),
        steps=3,
        candidates=1,
        patience=9,
        max_calls=max_calls,
    )
    compiled(optimizer)
    assert len(steps) == steps_made


def test_the_paper_rewrites_the_incumbent_even_after_a_tie() -> None:
    """The first candidate fails as often and adds more; the next one is made from it."""
    first = "Rewrite the instruction into a harder one, at length."

    def reply(system: str, user: str, draw: int) -> str:
        if system.startswith("You improve"):
            return (
                first if START.instructions in user else f"Rewrite the instruction {draw}, harder."
            )
        if system.startswith("You review"):
            return "general: fine"
        if system.startswith("Answer the instruction"):
            return "A full answer."
        row = user.removeprefix("Instruction:\n").split("\n\n")[0]
        more = (
            " Also name one tool, one date, two places and three people." if system == first else ""
        )
        return row + MORE + more

    optimizer, steps, _ = optimizer_for(reply, steps=2, candidates=1)
    compiled(optimizer)
    assert steps[0].best.method.instructions == first
    assert steps[1].candidates[0].parent.instructions == first


def test_a_shared_analysis_is_made_once() -> None:
    draws: list[int] = []
    reply = failing_unless("NEVER", [])

    def noted(system: str, user: str, draw: int) -> str:
        if system.startswith("You review"):
            draws.append(draw)
        return reply(system, user, draw)

    for shared in (True, False):
        draws.clear()
        optimizer, _, _ = optimizer_for(noted, steps=1, candidates=3, shared_analysis=shared)
        compiled(optimizer)
        assert len(set(draws)) == (1 if shared else 3)


def test_without_an_incumbent_the_best_candidate_of_a_step_takes_over() -> None:
    worse = "Rewrite the instruction, harder, badly."
    optimizer, steps, _ = optimizer_for(
        failing_unless("into", [worse]), steps=1, candidates=1, incumbent=False
    )
    assert compiled(optimizer).method.instructions == worse
    assert steps[0].best.failure_rate.rate > steps[0].incumbent.failure_rate.rate


def test_the_methods_of_earlier_runs_are_the_first_candidates() -> None:
    """One is new and sound; the other one is the initial method, and is not measured again."""
    sound = Method("best", "Rewrite the instruction, harder, MARK.")
    optimizer, steps, _ = optimizer_for(
        failing_unless("MARK", []), steps=1, candidates=3, earlier=(START, sound)
    )

    best = compiled(optimizer)

    assert best.method.instructions == sound.instructions
    first, second, third = steps[0].candidates
    assert first.rejected == "duplicate of an earlier method"
    assert (second.operator, second.is_better) == ("recall", True)
    assert second.method
    assert second.method.name == "step-01-candidate-2"
    assert third.operator == "rewrite"


def test_a_trial_holds_the_difference_to_the_initial_method() -> None:
    """One candidate is as good, one is rejected, one loses its race on the first eight rows."""
    trials: list[Any] = []
    proposals = [
        "Rewrite the instruction into much harder work.",
        "",
        "Rewrite the instruction, harder.",
    ]
    optimizer, steps, _ = optimizer_for(
        failing_unless("into", proposals), steps=1, candidates=3, pruner="mcnemar"
    )
    optimizer.listeners = replace(optimizer.listeners, on_trials=trials.extend)

    optimizer.compile(Evolver(START), trainset=rows(4, "t"), valset=rows(9, "d"))

    assert [c.is_pruned for c in steps[0].candidates] == [False, False, True]
    assert [trial.user_attrs.get(DIFFERENCE) for trial in trials] == [0.0, None, 1.0]


@pytest.mark.parametrize(("dev_rows", "is_kept"), [(3, False), (4, True)])
def test_without_fresh_rows_the_dev_rows_have_to_prove_a_provisional_incumbent(
    dev_rows: int, is_kept: bool
) -> None:
    """Three wins and no loss have p 1/8, four have 1/16; the method is no shorter."""
    better = "Rewrite the instruction into a much harder one, MARK."
    optimizer, steps, _ = optimizer_for(
        failing_unless("MARK", [better]), steps=1, candidates=1, acceptance="provisional"
    )

    best = optimizer.compile(Evolver(START), trainset=rows(4, "t"), valset=rows(dev_rows, "d"))

    assert steps[0].best.method.instructions == better
    assert (best.method.instructions == better) is is_kept
