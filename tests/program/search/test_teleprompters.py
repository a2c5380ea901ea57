"""DSPy's own optimisers under our budget and records, in the scripted world."""

import asyncio
import sys
from dataclasses import replace
from typing import Any

import dspy
import pytest

from autoevol.experiments.models.transports.scripted import SAFEGUARD, world
from autoevol.program.calls import CallRecord, report_call
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Row, StepRecord
from autoevol.program.roles import Role, Roles
from autoevol.program.search.optimizer import AutoEvolInstruct
from autoevol.program.search.scoreboard import ScoredEvolver
from autoevol.program.search.settings import SearchSettings
from autoevol.program.search.teleprompters import EXTERNAL, ExternalOptimizer, Factory
from autoevol.signatures import Method, RespondToInstruction
from tests.conftest import REPOSITORY

START = Method("start", "You rewrite instructions. Reply with the harder instruction alone.")


class WorldModel(dspy.BaseLM):
    """The scripted world as a DSPy model that can be asked from any thread."""

    def __init__(self) -> None:
        super().__init__("world")
        self.systems: list[str] = []

    def __deepcopy__(self, memo: object) -> "WorldModel":
        """Return the model itself, which counts the calls."""
        return self

    def copy(self, **kwargs: Any) -> "WorldModel":
        """Return the model itself."""
        return self

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        """Return one reply."""
        self.systems.append(messages[0]["content"])
        text = world(messages, kw.get("rollout_id") or 0)
        report_call(CallRecord("", "world", text, False, False, 1, 0, 0, 1, 0.0, None))
        return [text]

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        """Return one reply."""
        return self(prompt, messages=messages, **kw)


def rows(prefix: str, count: int) -> list[Row]:
    return [
        Row(f"{prefix}{i}", f"{prefix}{i}", f"List {i + 3} facts on {i}.") for i in range(count)
    ]


def pipeline(model: WorldModel) -> Pipeline:
    roles = Roles(*(Role(model, "world") for _ in range(4)))
    return Pipeline(roles, failure_metric(["strict"], ["strict"]), blocks_in_flight=2)


def compiled(
    factory: Factory, **settings: Any
) -> tuple[Evolver, list[StepRecord], WorldModel, ExternalOptimizer]:
    model, steps = WorldModel(), []  # type: WorldModel, list[StepRecord]
    search = SearchSettings(**{"steps": 2, "batch_size": 3, "candidates": 3, **settings})
    optimizer = ExternalOptimizer(factory, pipeline(model), search, Listeners(on_step=steps.append))
    data = {"trainset": rows("t", 6), "valset": rows("d", 8)}
    with dspy.context(lm=model):
        best = asyncio.run(optimizer.acompile(Evolver(START), **data))
    return best, steps, model, optimizer


@pytest.mark.parametrize("name", EXTERNAL)
def test_an_external_optimizer_never_changes_the_responders_prompt(name: str) -> None:
    best, _, model, _ = compiled(EXTERNAL[name])
    responder = best.responder.predict
    assert responder.signature.instructions == RespondToInstruction.instructions
    assert responder.demos == []
    answered = [system for system in model.systems if system.startswith("Answer the instruction")]
    assert answered
    assert {system.strip() for system in answered} == {RespondToInstruction.instructions.strip()}
    assert [name for name, _ in ScoredEvolver(best, None).named_predictors()] == ["evolver.evolve"]  # type: ignore[arg-type]


def test_gepa_finds_the_method_that_truly_fails_less() -> None:
    best, steps, _, _ = compiled(EXTERNAL["gepa"], steps=6)
    assert SAFEGUARD in best.method.instructions
    assert steps[-1].best.failure_rate.rate < steps[0].incumbent.failure_rate.rate
    assert {c.operator for step in steps for c in step.candidates} == {"gepa"}


def continued(**settings: Any) -> tuple[Evolver, list[StepRecord], WorldModel]:
    """Run one step of our search, which takes no proposal, and GEPA after it."""
    model, steps = WorldModel(), []  # type: WorldModel, list[StepRecord]
    small = {"steps": 1, "batch_size": 3, "candidates": 1, "operators": ("edit",), "finalists": 1}
    search = SearchSettings(**{**small, "max_method_words": 1, **settings})
    listeners = Listeners(on_step=steps.append)
    external = replace(search, steps=6, max_method_words=400)
    following = ExternalOptimizer(EXTERNAL["gepa"], pipeline(model), external, listeners)
    optimizer = AutoEvolInstruct(pipeline(model), search, listeners, following.continued)
    data = {"trainset": rows("t", 6), "valset": rows("d", 8), "freshset": rows("f", 8)}
    with dspy.context(lm=model):
        return optimizer.compile(Evolver(START), **data), steps, model


def test_gepa_goes_on_from_the_incumbent_and_fresh_rows_decide() -> None:
    best, steps, model = continued()
    assert [step.step for step in steps] == list(range(len(steps)))
    operators = [c.operator for step in steps for c in step.candidates]
    assert operators == ["edit", *["gepa"] * (len(steps) - 1)]
    assert steps[1].incumbent.method.id == START.id
    assert SAFEGUARD in best.method.instructions
    measured = [system for system in model.systems if system == START.instructions]
    assert len(measured) == 6 + 8 + 8, "train, dev and fresh rows, each once"


def test_the_search_that_follows_gets_the_calls_that_are_left() -> None:
    _, _, free = continued()
    _, steps, model = continued(max_calls=75)
    assert len(model.systems) < len(free.systems)
    # A proposal that has begun is made to its end.
    assert len(model.systems) <= 75 + 14
    assert steps[-1].candidates[0].operator == "gepa"
    _, steps, _ = continued(max_calls=40)
    assert "gepa" not in {c.operator for step in steps for c in step.candidates}


@pytest.mark.parametrize("name", EXTERNAL)
def test_the_budget_of_calls_holds_and_the_best_seen_is_kept(name: str) -> None:
    free, _, unbounded, _ = compiled(EXTERNAL[name], steps=9)
    best, _, model, _ = compiled(EXTERNAL[name], steps=9, max_calls=40)
    assert len(model.systems) <= 40 + 14, "a proposal that has begun is made to its end"
    assert len(unbounded.systems) > len(model.systems)
    assert best.method.id == free.method.id or best.method == START


def test_a_row_is_measured_once_for_a_method() -> None:
    _, _, model, _ = compiled(EXTERNAL["gepa"])
    evolving = [system for system in model.systems if system == START.instructions]
    assert len(evolving) <= 6 + 8, "train and dev rows, each at most once"


def test_a_proposal_of_ours_for_gepa_that_quotes_a_row_is_not_used() -> None:
    quoted = "Describe the grey lighthouse on the northern cape, its lamp and its keeper."

    class Quoting(WorldModel):
        def __call__(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
            [text] = super().__call__(prompt, messages=messages, **kw)
            is_proposal = messages[0]["content"].startswith("You improve a method")
            return [f"Rewrite the instruction, harder. {quoted}" if is_proposal else text]

    model, steps = Quoting(), []  # type: Quoting, list[StepRecord]
    optimizer = ExternalOptimizer(
        EXTERNAL["gepa"],
        pipeline(model),
        SearchSettings(steps=3, batch_size=3),
        Listeners(on_step=steps.append),
    )
    data = {"trainset": rows("t", 6), "valset": rows("d", 8)}
    heldout = [Row("h", "h", quoted)]
    with dspy.context(lm=model):
        best = asyncio.run(optimizer.acompile(Evolver(START), **data, heldoutset=heldout))
    assert best.method == START
    assert not [c for s in steps for c in s.candidates if c.method and quoted in c.method.text]


class _Idle:
    """A teleprompter that does nothing."""

    def compile(self, program: Any, **data: Any) -> Any:
        return program


def test_a_teleprompter_that_does_nothing_leaves_the_initial_method() -> None:
    best, steps, model, _ = compiled(lambda optimizer, board: (_Idle(), {}))
    assert best.method == START
    assert steps == []
    assert len([s for s in model.systems if s == START.instructions]) == 8


def test_the_screen_is_left_to_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    compiled(EXTERNAL["gepa"])
    sys.stdout.write("afterwards printing works as before")
    assert capsys.readouterr() == ("afterwards printing works as before", "")


def test_any_other_teleprompter() -> None:
    """The example of the docs, as it stands there."""
    text = (REPOSITORY / "docs/search.md").read_text("utf-8")
    source = text.split("```python\n")[1].split("best = await")[0]
    names: dict[str, Any] = {"dspy": dspy}
    exec(source, names)

    best, steps, _, _ = compiled(names["copro"])

    assert steps
    assert best.method.instructions != START.instructions


def test_an_error_that_ends_a_run_ends_an_external_optimizer() -> None:
    class RefusedError(RuntimeError):
        pass

    class Failing(WorldModel):
        def __call__(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
            if len(self.systems) > 20:
                raise RefusedError("the budget is used up")
            return super().__call__(prompt, messages=messages, **kw)

    model = Failing()
    optimizer = ExternalOptimizer(
        EXTERNAL["gepa"], pipeline(model), SearchSettings(steps=3, batch_size=3)
    )
    data = {"trainset": rows("t", 6), "valset": rows("d", 8)}
    with dspy.context(lm=model), pytest.raises(RefusedError):
        asyncio.run(optimizer.acompile(Evolver(START), **data))


def test_an_external_optimizer_does_not_start_without_headroom() -> None:
    best, steps, model, _ = compiled(EXTERNAL["gepa"], accept_level=0.001)
    assert best.method == START
    assert steps == []
    assert len([s for s in model.systems if s == START.instructions]) == 8
