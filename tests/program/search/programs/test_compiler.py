"""Any DSPy program through the search, on a scripted model with a known truth."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import LMAuthError, LMTransportError

import autoevol
from autoevol.program.errors import ConfigError, StoppedError
from autoevol.program.listeners import Listeners
from autoevol.program.records import FinalChoice, Outcome, StepRecord
from autoevol.program.search.programs.compiler import AutoEvol
from autoevol.program.search.settings import PAPER, SearchSettings
from tests.support.engines import counting_lm, own_cache
from tests.support.programs import (
    CATEGORIES,
    ORDERS,
    ScriptedLM,
    classify,
    exact,
    field,
    model,
    sets,
    tickets,
)

SMALL: dict[str, Any] = {"steps": 4, "batch_size": 4, "candidates": 3, "patience": 4}


class TwoSteps(dspy.Module):
    """Summarises a ticket, then sorts it; the sorting is what can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.summarize = dspy.Predict("ticket -> summary")
        self.sort = dspy.Predict("ticket, summary -> category")

    def forward(self, ticket: str) -> dspy.Prediction:
        """Return the category."""
        summary = self.summarize(ticket=ticket).summary
        return self.sort(ticket=ticket, summary=summary)


def two_step_reply(lm: ScriptedLM) -> ScriptedLM:
    """Let the model summarise, too."""
    plain = lm.reply

    def reply(system: str, user: str, draw: int) -> str:
        if "`summary` (str)" in system and "produce the fields `summary`" in system:
            return field("summary", "a ticket")
        return plain(system, user, draw)

    lm.reply = reply
    return lm


def optimizer(
    metric: Any = exact, *, lm: Any = None, **settings: Any
) -> tuple[AutoEvol, list[StepRecord]]:
    steps: list[StepRecord] = []
    listeners = Listeners(on_step=steps.append)
    search = SearchSettings(**{**SMALL, **settings})
    return AutoEvol(metric, search, listeners, optimizer_lm=lm, num_threads=4), steps


def true_rate(program: dspy.Module, lm: ScriptedLM) -> float:
    """Return the failure rate on rows that no search has seen."""
    rows = tickets(40, 9000)
    with dspy.context(lm=lm):
        results = [exact(row, program(**row.inputs())) for row in rows]
    return 1 - sum(results) / len(rows)


def test_a_program_gets_better_and_the_student_stays_as_it_is() -> None:
    lm, student = model(), dspy.Predict("ticket -> category")
    before = student.signature.instructions
    compiler, steps = optimizer()
    with dspy.context(lm=lm):
        best = compiler.compile(student, **sets(fresh=16))
    assert true_rate(student, lm) == 1.0
    assert true_rate(best, lm) <= 0.5
    assert steps[0].incumbent.failure_rate.rate == 1.0
    assert student.signature.instructions == before


def test_only_the_step_that_helps_is_changed_in_a_program_of_two() -> None:
    lm, student = two_step_reply(model()), TwoSteps()
    compiler, steps = optimizer(steps=6)
    with dspy.context(lm=lm):
        best = compiler.compile(student, **sets(fresh=16))
    assert true_rate(best, lm) < 1.0
    assert "word-" in best.sort.signature.instructions
    changed = {c.predictor for step in steps for c in step.candidates}
    assert {"summarize", "sort"} <= changed, "the predictor is a knob"


def test_the_metrics_feedback_reaches_the_optimizer() -> None:
    prompts: list[str] = []

    def scored(example: dspy.Example, prediction: Any, trace: Any = None) -> dspy.Prediction:
        is_right = exact(example, prediction)
        return dspy.Prediction(score=float(is_right), feedback="" if is_right else "look for WORDS")

    lm = model()
    plain = lm.reply

    def noted(system: str, user: str, draw: int) -> str:
        prompts.append(user)
        return plain(system, user, draw)

    lm.reply = noted
    compiler, _ = optimizer(scored, operators=("edit",), steps=1)
    with dspy.context(lm=lm):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    shown = [prompt for prompt in prompts if "look for WORDS" in prompt]
    assert shown
    assert all("expected: category:" in prompt for prompt in shown)
    assert not any("number 2" in prompt for prompt in shown), "dev rows are never shown"


def passing_by_draw(system: str, user: str, draw: int) -> str:
    """Classify a ticket right where its number is even."""
    digits = [part for part in user.split("number ")[-1].split(".")[:1] if part.isdigit()]
    is_even = bool(digits) and int(digits[0]) % 2 == 0
    return classify(f"{system} {' '.join(ORDERS.values())}" if is_even else system, user)


def test_demonstrations_are_runs_of_train_rows_that_passed() -> None:
    compiler, steps = optimizer(operators=("add_demonstration",), steps=2, candidates=2)
    lm = ScriptedLM(passing_by_draw)
    with dspy.context(lm=lm):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    methods = [c.method for step in steps for c in step.candidates if c.method]
    shown = {inputs for method in methods for inputs, _ in method.demonstrations}
    train = {f"ticket: {row.ticket}" for row in tickets(12, 1000)}
    assert shown
    assert shown <= train


def test_a_run_is_shown_to_all_steps_of_a_program() -> None:
    class Branching(TwoSteps):
        """Sorts a second time where the summary says so, which it never does."""

        def __init__(self) -> None:
            super().__init__()
            self.again = dspy.Predict("summary -> category")

        def forward(self, ticket: str) -> dspy.Prediction:
            sorted_ticket = super().forward(ticket)
            return self.again(summary="") if "again" in sorted_ticket.category else sorted_ticket

    compiler, steps = optimizer(operators=("add_demonstration",), steps=2, candidates=2)
    lm = two_step_reply(ScriptedLM(passing_by_draw))
    with dspy.context(lm=lm):
        compiler.compile(Branching(), **sets())
    candidates = [c for step in steps for c in step.candidates if c.method]
    assert candidates
    for candidate in candidates:
        assert candidate.method is not None
        summarize, sort, again = (part.demonstrations for part in candidate.method.parts)
        assert [inputs.split("\n")[0] for inputs, _ in sort] == [inputs for inputs, _ in summarize]
        assert again == (), "a step that was not called has nothing to show"
        assert candidate.predictor == "summarize, sort"


def test_a_users_own_demonstrations_stay_whatever_is_shown() -> None:
    """`applies` looks for room in the drawn step alone; the others may be full."""
    student = TwoSteps()
    student.summarize.demos = [
        dspy.Example(ticket=f"Old ticket {i}", summary="old") for i in range(16)
    ]
    compiler, steps = optimizer(operators=("add_demonstration",), steps=3, candidates=3)
    with dspy.context(lm=two_step_reply(ScriptedLM(passing_by_draw))):
        compiler.compile(student, **sets())
    methods = [c.method for step in steps for c in step.candidates if c.method]
    assert methods
    for method in methods:
        full, other = (part.demonstrations for part in method.parts)
        assert len(full) == 16, "no room, so nothing is added or lost"
        assert 0 < len(other) <= 12
    assert all(c.predictor == "sort" for s in steps for c in s.candidates if c.method)


def test_a_program_that_passes_no_row_is_shown_the_labels_of_train_rows() -> None:
    class Shown(ScriptedLM):
        def _answer(self, messages: Any, kwargs: dict[str, Any]) -> list[str]:
            # A demonstration is a pair of messages before the row's.
            orders = " ".join(ORDERS.values()) if len(messages) > 2 else ""
            first = {**messages[0], "content": f"{messages[0]['content']} {orders}"}
            return super()._answer([first, *messages[1:]], kwargs)

    lm = Shown(lambda system, user, draw: classify(system, user))
    compiler, steps = optimizer(operators=("add_demonstration",), steps=2, candidates=2)
    with dspy.context(lm=lm):
        best = compiler.compile(dspy.Predict("ticket -> category"), **sets(fresh=8))
    assert steps[0].incumbent.failure_rate.rate == 1.0
    train = {row.ticket: row.category for row in tickets(12, 1000)}
    assert best.demos
    assert all(train[demo.ticket] == demo.category for demo in best.demos)
    assert true_rate(best, lm) == 0.0


def test_labels_that_do_not_fill_a_predictor_are_not_shown() -> None:
    compiler, steps = optimizer(operators=("add_demonstration",), steps=1, candidates=2)
    lm = two_step_reply(model())
    with dspy.context(lm=lm):
        compiler.compile(TwoSteps(), **sets())
    assert all(candidate.method is None for step in steps for candidate in step.candidates)


def test_the_compiled_program_holds_its_demonstrations_as_examples_and_can_be_saved(
    tmp_path: Path,
) -> None:
    def helped(system: str, user: str, draw: int) -> str:
        return passing_by_draw(system, user, draw)

    class Shown(ScriptedLM):
        def _answer(self, messages: Any, kwargs: dict[str, Any]) -> list[str]:
            orders = " ".join(ORDERS.values()) if len(messages) > 2 else ""
            first = {**messages[0], "content": f"{messages[0]['content']} {orders}"}
            return super()._answer([first, *messages[1:]], kwargs)

    lm = Shown(helped)
    compiler, _ = optimizer(operators=("add_demonstration",), steps=2, candidates=2)
    with dspy.context(lm=lm):
        best = compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert best.demos
    assert {"ticket", "category"} <= set(best.demos[0].keys())
    best.save(tmp_path / "program.json")
    loaded = dspy.Predict("ticket -> category")
    loaded.load(tmp_path / "program.json")
    assert loaded.signature.instructions == best.signature.instructions
    assert [dict(demo) for demo in loaded.demos] == [dict(demo) for demo in best.demos]
    with dspy.context(lm=lm):
        report = dspy.Evaluate(
            devset=tickets(4, 9000), metric=exact, num_threads=1, display_progress=False
        )(loaded)
    assert report.score == 100.0


def test_a_search_is_a_function_of_its_seed() -> None:
    def methods() -> list[str]:
        compiler, steps = optimizer(seed=3)
        with dspy.context(lm=model()):
            compiler.compile(dspy.Predict("ticket -> category"), **sets(fresh=8))
        return [c.method.id if c.method else c.rejected or "" for s in steps for c in s.candidates]

    assert methods() == methods()


def test_a_row_has_one_draw_under_every_method_and_rows_have_different_draws() -> None:
    draws: dict[str, set[int]] = {}
    lm = model()
    plain = lm.reply

    def noted(system: str, user: str, draw: int) -> str:
        if "[[ ## ticket ## ]]" in user:
            draws.setdefault(user, set()).add(draw)
        return plain(system, user, draw)

    lm.reply = noted
    compiler, steps = optimizer()
    with dspy.context(lm=lm):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert len(steps) > 1
    assert {len(own) for own in draws.values()} == {1}
    assert len({draw for own in draws.values() for draw in own}) == len(draws)


def test_predictors_with_models_of_their_own_get_the_draws_too() -> None:
    lm, student = model(), dspy.Predict("ticket -> category")
    student.lm = lm
    compiler, _ = optimizer(steps=1)
    best = compiler.compile(student, **sets())
    assert best.lm is lm
    assert lm.draws.count(0) == 0


def test_a_greedy_model_gets_no_draws_but_its_proposals_differ() -> None:
    lm = model(temperature=0.0)
    compiler, steps = optimizer(operators=("rewrite",), steps=1)
    with dspy.context(lm=lm):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    methods = {c.method.id for c in steps[0].candidates if c.method}
    assert len(methods) > 1
    assert 0 in lm.draws


@pytest.mark.parametrize("name", ["paper", "learned"])
def test_the_papers_own_loop_runs_on_a_program(name: str) -> None:
    settings = {**PAPER, "policy": name, "batch_size": 4, "patience": 4}
    compiler, steps = optimizer(**settings)
    lm = two_step_reply(model())
    with dspy.context(lm=lm):
        best = compiler.compile(TwoSteps(), **sets())
    assert steps
    assert true_rate(best, lm) <= 1.0


ONE_STEP = 3 * (2 + 16) + 3 * 4
"""Most calls of a step: three candidates on 16 dev rows, a mini-batch of four for each parent."""


@pytest.mark.parametrize(("calls", "steps_made"), [(16 + ONE_STEP - 1, 0), (16 + ONE_STEP, 1)])
def test_a_budget_ends_the_search_before_a_step_that_would_pass_it(
    calls: int, steps_made: int
) -> None:
    lm = model()
    compiler, steps = optimizer(max_calls=calls, steps=1, patience=9, finalists=0)
    with dspy.context(lm=lm):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert len(steps) == steps_made
    assert len(lm.systems) <= calls


def test_calls_of_a_model_that_the_program_sets_by_itself_count() -> None:
    own = model()

    class Own(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sort = dspy.Predict("ticket -> category")

        def forward(self, ticket: str) -> Any:
            with dspy.context(lm=own):
                return self.sort(ticket=ticket)

    compiler, steps = optimizer(max_calls=16 + 2)
    with dspy.context(lm=model()):
        compiler.compile(Own(), **sets())
    assert not steps
    assert len(own.systems) == 16


def test_the_confirmation_reports_its_choice() -> None:
    choices: list[FinalChoice] = []
    listeners = Listeners(on_choice=choices.append)
    compiler = AutoEvol(exact, SearchSettings(**SMALL), listeners)
    with dspy.context(lm=model()):
        compiler.compile(dspy.Predict("ticket -> category"), **sets(fresh=12))
    assert choices[0].initial.failure_rate.scored == 12


def test_compile_runs_inside_an_event_loop_and_acompile_awaits() -> None:
    async def both() -> list[dspy.Module]:
        compiler, _ = optimizer(steps=2)
        student = dspy.Predict("ticket -> category")
        return [compiler.compile(student, **sets()), await compiler.acompile(student, **sets())]

    with dspy.context(lm=model()):
        first, second = asyncio.run(both())
    assert first.signature.instructions == second.signature.instructions


def test_an_asynchronous_program_is_awaited_and_any_other_runs_in_threads() -> None:
    threads: dict[str, set[int]] = {"sync": set(), "async": set()}

    class Sync(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sort = dspy.Predict("ticket -> category")

        def forward(self, ticket: str) -> Any:
            threads["sync"].add(threading.get_ident())
            return self.sort(ticket=ticket)

    class Async(Sync):
        async def aforward(self, ticket: str) -> Any:
            threads["async"].add(threading.get_ident())
            return await self.sort.acall(ticket=ticket)

    compiler, _ = optimizer(steps=1)
    with dspy.context(lm=model()):
        for student in (Sync(), Async()):
            compiler.compile(student, **sets())
    assert threading.get_ident() not in threads["sync"]
    assert threads["async"] == {threading.get_ident()}


def test_a_subclass_that_overrides_forward_alone_is_run_by_it() -> None:
    seen: list[str] = []

    class Wrapped(dspy.Predict):
        def forward(self, **kwargs: Any) -> Any:
            seen.append(kwargs["ticket"])
            return super().forward(**kwargs)

    compiler, _ = optimizer(steps=1)
    with dspy.context(lm=model()):
        compiler.compile(Wrapped("ticket -> category"), **sets())
    assert len(seen) >= 16


def test_a_coroutine_may_be_the_metric() -> None:
    async def metric(example: dspy.Example, prediction: Any) -> tuple[float, str]:
        return float(exact(example, prediction)), "see the words"

    compiler, steps = optimizer(metric, steps=2)
    with dspy.context(lm=model()):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert steps[0].incumbent.outcomes[0].reasons[0].evidence == "see the words"


def test_a_student_that_was_compiled_before_keeps_its_demonstrations() -> None:
    student = TwoSteps()
    demo = dspy.Example(ticket="An old one", summary="old", category="billing", extra={"a": 1})
    student.sort.demos = [demo]
    compiler, _ = optimizer(operators=("rewrite",))
    with dspy.context(lm=two_step_reply(model())):
        best = compiler.compile(student, **sets())
    assert [dict(shown) for shown in best.sort.demos] == [dict(demo)]


def test_a_compiled_sub_module_is_left_alone() -> None:
    student = TwoSteps()
    student.summarize = dspy.ChainOfThought("ticket -> summary")
    student.summarize._compiled = True
    lm = model()
    plain = lm.reply

    def reply(system: str, user: str, draw: int) -> str:
        if "`reasoning` (str)" in system:
            return f"[[ ## reasoning ## ]]\nx\n\n{field('summary', 'a ticket')}"
        return plain(system, user, draw)

    lm.reply = reply
    compiler, steps = optimizer()
    with dspy.context(lm=lm):
        best = compiler.compile(student, **sets())
    old, new = (p.summarize.predict.signature.instructions for p in (student, best))
    assert old == new
    assert {c.predictor for step in steps for c in step.candidates} == {""}
    assert true_rate(best, lm) < 1.0


def test_it_is_one_optimizer_of_dspys_better_together() -> None:
    student = dspy.Predict("ticket -> category")
    lm = model()
    student.set_lm(lm)
    chain = dspy.BetterTogether(
        metric=exact,
        a=optimizer(steps=2)[0],
        b=dspy.LabeledFewShot(k=2),
    )
    data = sets()
    with dspy.context(lm=lm):
        best = chain.compile(
            student, trainset=data["trainset"], valset=data["valset"], strategy="a -> b -> a"
        )
    assert true_rate(best, lm) < 1.0
    assert not best.flag_compilation_error_occurred


def test_dspys_own_cache_answers_a_repeated_search_and_no_other_draw(tmp_path: Path) -> None:
    """Two draws of one prompt are two replies, and the same search asks for the same ones."""
    lm, engine = counting_lm(lambda system, user: model().reply(system, user, engine.calls))
    rows = sets()
    rows["valset"] = tickets(1, 7000) * 8

    def search() -> tuple[int, str]:
        before = engine.calls
        compiler, _ = optimizer(steps=2, operators=("rewrite",))
        with dspy.context(lm=lm):
            best = compiler.compile(dspy.Predict("ticket -> category"), **rows)
        return engine.calls - before, best.signature.instructions

    with own_cache(tmp_path):
        first_calls, first = search()
        again_calls, again = search()
    assert first_calls >= 8, "eight rows with one text are eight draws"
    assert (again_calls, again) == (0, first)


@pytest.mark.parametrize(
    ("error", "status", "rule"),
    [
        pytest.param(ValueError("no such thing"), "failed", "error", id="the program's own"),
        pytest.param(LMTransportError("gone"), "unscored", "transport", id="a died call"),
    ],
)
def test_a_program_that_raises_on_a_row(error: Exception, status: str, rule: str) -> None:
    class Odd(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sort = dspy.Predict("ticket -> category")

        def forward(self, ticket: str) -> Any:
            if "number 2003" in ticket:
                raise error
            return self.sort(ticket=ticket)

    outcomes: list[Outcome] = []
    compiler = AutoEvol(
        exact, SearchSettings(**{**SMALL, "steps": 1}), Listeners(on_row=outcomes.append)
    )
    with dspy.context(lm=model()):
        compiler.compile(Odd(), **sets())
    odd = [outcome for outcome in outcomes if outcome.source.id == "dev-3"]
    assert {outcome.status for outcome in odd} == {status}
    assert {outcome.reasons[0].rule for outcome in odd} == {rule}
    assert str(error) in odd[0].reasons[0].evidence


def test_a_refused_key_ends_the_search() -> None:
    def refused(system: str, user: str, draw: int) -> str:
        raise LMAuthError("bad key")

    compiler, _ = optimizer()
    with dspy.context(lm=ScriptedLM(refused)), pytest.raises(LMAuthError, match="bad key"):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())


@pytest.mark.parametrize(
    ("value", "needle"),
    [
        pytest.param(None, "returned None", id="nothing"),
        pytest.param(float("nan"), "returned nan", id="not a number"),
        pytest.param(7, "not a score in [0, 1]", id="out of range"),
        pytest.param(KeyError("x"), "the metric raised KeyError", id="raises"),
    ],
)
def test_a_row_without_a_score_is_unscored(value: Any, needle: str) -> None:
    def metric(example: dspy.Example, prediction: Any, trace: Any = None) -> Any:
        if example.ticket.endswith("2001."):
            if isinstance(value, Exception):
                raise value
            return value
        return exact(example, prediction)

    compiler, steps = optimizer(metric, steps=1)
    with dspy.context(lm=model()):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    outcome = steps[0].incumbent.outcomes[1]
    assert outcome.status == "unscored"
    assert needle in outcome.reasons[0].evidence
    assert steps[0].incumbent.failure_rate.scored == 15


def test_a_metric_that_never_scores_stops_the_search_with_its_reason() -> None:
    compiler, _ = optimizer(lambda example, prediction: None)
    with (
        dspy.context(lm=model()),
        pytest.raises(StoppedError, match=r"no dev row could be scored: metric: .* returned None"),
    ):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())


@pytest.mark.parametrize("name", ["trainset", "valset", "freshset", "heldoutset"])
def test_a_proposal_that_quotes_an_example_of_any_set_is_rejected(name: str) -> None:
    text = "the kettle in the blue box hums a tune about trains at night"
    odd = dspy.Example(ticket=f"Number 8: {text}", category="login").with_inputs("ticket")
    data = {**sets(train=40, fresh=4), "heldoutset": tickets(2, 5000)}
    data[name] = [*data[name], odd]
    lm = model(lambda method, draw: f"{method} Never answer when {text}. {ORDERS['login']} {draw}")
    compiler, steps = optimizer(steps=1, operators=("rewrite",), headroom=False)
    plain = lm.reply
    lm.reply = lambda system, user, draw: (
        field("category", "login")
        if text in user and "ticket" in user
        else plain(system, user, draw)
    )
    with dspy.context(lm=lm):
        compiler.compile(dspy.Predict("ticket -> category"), **data)
    called = {"trainset": "train", "valset": "dev", "freshset": "fresh", "heldoutset": "held-out"}
    reasons = [str(c.rejected) for c in steps[0].candidates]
    assert reasons
    assert all(reason.startswith(f"quotes a row of {called[name]}: ") for reason in reasons)


@pytest.mark.parametrize(
    ("proposal", "needle"),
    [
        pytest.param("The improved method reads the ticket.", "talks about the method", id="talk"),
        pytest.param("", "unparsed reply", id="nothing"),
        pytest.param("word " * 500, "400 allowed", id="too long"),
    ],
)
def test_a_reply_that_gives_no_orders_is_rejected(proposal: str, needle: str) -> None:
    compiler, steps = optimizer(steps=1, operators=("rewrite",))
    with dspy.context(lm=model(lambda method, draw: proposal)):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert {needle in str(c.rejected) for c in steps[0].candidates} == {True}


class NoPredictor(dspy.Module):
    """Calls no model."""

    def forward(self, ticket: str) -> str:
        """Return nothing."""
        return ""


def test_a_mistake_is_one_clear_line() -> None:
    student, data = dspy.Predict("ticket -> category"), sets()
    rows = data["trainset"]
    bare = [dspy.Example(ticket="x")]
    calls: list[tuple[Any, dict[str, Any], str]] = [
        (NoPredictor(), data, "NoPredictor has no predictor to change"),
        ("x", data, "must be a dspy.Module, is str"),
        (student, {**data, "valset": rows[:2]}, "valset: shares the inputs of 2 examples with"),
        (student, {**data, "freshset": data["valset"][1:2]}, "1 example with valset, for example"),
        (student, {**data, "heldoutset": rows[:1]}, "heldoutset: shares the inputs"),
        (student, {**data, "valset": []}, "valset: is empty"),
        (student, {"trainset": rows}, "valset: is empty"),
        (student, {**data, "trainset": []}, "trainset: is empty"),
        (student, {**data, "valset": bare}, r"valset[0]: does not say which fields are inputs"),
        (student, {**data, "trainset": [{"ticket": "x"}]}, "must be a dspy.Example, is dict"),
    ]
    compiler, _ = optimizer()
    for program, arguments, needle in calls:
        with dspy.context(lm=model()), pytest.raises(ConfigError) as caught:
            compiler.compile(program, **arguments)
        assert needle in str(caught.value)
        assert "\n" not in str(caught.value)


def test_without_a_model_nothing_starts() -> None:
    compiler, _ = optimizer()
    with pytest.raises(ConfigError, match="no model is set"):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())


@pytest.mark.parametrize(
    ("arguments", "needle"),
    [
        pytest.param({"metric": "accuracy"}, "must be callable, is str", id="no function"),
        pytest.param({"metric": lambda: 1}, "an example and a prediction", id="no arguments"),
        pytest.param({"metric": exact, "passes": 1.5}, "must be in (0, 1]", id="threshold"),
        pytest.param({"metric": exact, "optimizer_lm": "x/y"}, "must be a dspy.LM", id="a name"),
        pytest.param(
            {"metric": exact, "settings": SearchSettings(operators=("safeguard",))},
            "no program has safeguard",
            id="operators",
        ),
    ],
)
def test_an_argument_that_cannot_be_used_is_one_clear_line(
    arguments: dict[str, Any], needle: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        AutoEvol(**arguments)
    assert needle in str(caught.value)


def test_a_metric_of_gepas_form_is_called_with_all_of_its_arguments() -> None:
    def metric(gold: Any, pred: Any, trace: Any, pred_name: Any, pred_trace: Any) -> float:
        return float(exact(gold, pred))

    compiler, steps = optimizer(metric, steps=1)
    with dspy.context(lm=model()):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert steps[0].incumbent.failure_rate.rate == 1.0


def test_a_graded_metric_passes_from_its_threshold_on() -> None:
    def half(example: dspy.Example, prediction: Any) -> float:
        return 0.5

    compiler = AutoEvol(half, SearchSettings(**{**SMALL, "headroom": False}), passes=0.5)
    outcomes: list[Outcome] = []
    compiler.listeners = Listeners(on_row=outcomes.append)
    with dspy.context(lm=model()):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert {outcome.status for outcome in outcomes} == {"kept"}


def test_it_is_a_public_name() -> None:
    assert autoevol.AutoEvol is AutoEvol
    assert len(CATEGORIES) == 4


def test_a_compiled_predictor_within_a_program_is_left_alone() -> None:
    student = TwoSteps()
    student.summarize._compiled = True
    compiler, steps = optimizer()
    with dspy.context(lm=two_step_reply(model())):
        best = compiler.compile(student, **sets())
    assert steps
    assert best.summarize.signature.instructions == student.summarize.signature.instructions


def test_what_is_only_shorter_is_no_improvement() -> None:
    """The task model ignores its orders, and the optimizer offers short ones."""

    def reply(system: str, user: str, draw: int) -> str:
        if "review" in system[:60] or "improve" in system[:60]:
            return "general: be brief" if "review" in system[:60] else "Keep it short."
        return field("category", "billing")

    signature = dspy.Signature("ticket -> category").with_instructions(
        "Sort the ticket into one of four categories, and never leave any of these long orders "
        "out, for they must stay as they are."
    )
    compiler, _ = optimizer(patience=2, headroom=False)
    with dspy.context(lm=ScriptedLM(reply)):
        best = compiler.compile(dspy.Predict(signature), **sets())
    assert best.signature.instructions == signature.instructions


@pytest.mark.parametrize("error", [ConnectionError("reset"), TimeoutError("late")])
def test_a_lost_connection_of_any_kind_leaves_its_row_unscored(error: Exception) -> None:
    lm = model()
    plain = lm.reply
    lost: list[str] = []

    def reply(system: str, user: str, draw: int) -> str:
        if not lost:
            lost.append(user)
            raise error
        return plain(system, user, draw)

    lm.reply = reply
    outcomes: list[Outcome] = []
    compiler = AutoEvol(exact, SearchSettings(**SMALL), Listeners(on_row=outcomes.append))
    with dspy.context(lm=lm):
        compiler.compile(dspy.Predict("ticket -> category"), **sets())
    assert [o.status for o in outcomes].count("unscored") == 1


@pytest.fixture
def dspy_log() -> Iterator[list[str]]:
    """Return what is logged as DSPy's own optimisers log; it does not reach `caplog`."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("dspy.autoevol")
    logger.addHandler(handler)
    # The command line of another test has silenced DSPy.
    level = logger.level
    logger.setLevel(logging.INFO)
    yield lines
    logger.setLevel(level)
    logger.removeHandler(handler)


def test_a_search_says_how_it_goes_and_ends_where_nothing_fails(dspy_log: list[str]) -> None:
    steps: list[StepRecord] = []
    settings = SearchSettings(**{**SMALL, "steps": 9, "patience": 9})
    with dspy.context(lm=model()):
        AutoEvol(exact, settings).compile(dspy.Predict("ticket -> category"), **sets())
        listeners = Listeners(on_step=steps.append)
        AutoEvol(exact, settings, listeners).compile(dspy.Predict("ticket -> category"), **sets())
    assert dspy_log[0].startswith("the initial program fails ")
    assert dspy_log[1].startswith("step 1: ")
    assert dspy_log[-1].startswith("a better program, after ")
    assert len(dspy_log) == len(steps) + 2
    assert [step.best.failure_rate.failed for step in steps].index(0) == len(steps) - 1 < 8


def test_a_search_that_is_skipped_or_has_no_calls_says_so(
    caplog: pytest.LogCaptureFixture, dspy_log: list[str]
) -> None:
    with dspy.context(lm=model()):
        AutoEvol(exact, SearchSettings(**SMALL, max_calls=20)).compile(
            dspy.Predict("ticket -> category"), **sets()
        )
        data = sets()
        AutoEvol(exact, SearchSettings(**SMALL)).compile(
            dspy.Predict("ticket -> category"), **{**data, "valset": data["valset"][:2]}
        )
    assert "max_calls is 20, and the search makes no step" in caplog.text
    assert "the search is skipped" in dspy_log[-2]
    assert "stays as it is" in dspy_log[-1]
