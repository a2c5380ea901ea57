"""What is said of a program, a metric or a model that a search can do little with."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import dspy
import pytest
from dspy.lm15 import Message, Request, Response, TextPart, Usage

from autoevol.program.errors import StoppedError
from autoevol.program.listeners import Listeners
from autoevol.program.records import StepRecord
from autoevol.program.search.programs.compiler import AutoEvol
from autoevol.program.search.settings import SearchSettings
from tests.support.programs import exact, model, sets

SETTINGS = SearchSettings(steps=1, batch_size=4, candidates=2, operators=("rewrite",))
PROPOSAL = "Sort each ticket by what its first sentence is about."


def compiled(metric: Any, program: dspy.Module | None = None, **options: Any) -> dspy.Module:
    with dspy.context(lm=model()):
        student = program or dspy.Predict("ticket -> category")
        return AutoEvol(metric, SETTINGS, **options).compile(student, **sets())


class Raising(dspy.Module):
    """Raises on the tickets whose number ends in a digit; "": on all."""

    def __init__(self, digit: str) -> None:
        super().__init__()
        self.sort, self.digit = dspy.Predict("ticket -> category"), digit

    def forward(self, ticket: str) -> Any:
        if ticket.rstrip(".").endswith(self.digit):
            raise ValueError("no queue")
        return self.sort(ticket=ticket)


@pytest.mark.parametrize(
    ("digit", "needle"),
    [("", "raises on all 16 dev rows"), ("3", "raises on 2 of 16 dev rows")],
)
def test_a_program_that_raises_is_named(
    digit: str, needle: str, caplog: pytest.LogCaptureFixture
) -> None:
    compiled(exact, Raising(digit))
    [warning] = [r.getMessage() for r in caplog.records if "the program raises" in r.getMessage()]
    assert warning == f"the program {needle}: error: ValueError: no queue"


def test_rows_without_a_score_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    def metric(example: dspy.Example, prediction: Any) -> Any:
        return None if example.ticket.endswith("3.") else exact(example, prediction)

    compiled(metric)
    assert "2 of 16 dev rows got no score: metric: " in caplog.text


def test_the_commonest_of_several_reasons_is_named_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def metric(example: dspy.Example, prediction: Any) -> Any:
        if example.ticket.endswith("1."):
            raise KeyError("an error", "of two\nlines")
        return None if example.ticket.endswith(("3.", "5.")) else exact(example, prediction)

    compiled(metric)
    [warning] = [r.getMessage() for r in caplog.records if "got no score" in r.getMessage()]
    assert warning.endswith("metric: the metric returned None, not a score (4 of them)")
    assert warning.startswith("6 of 16 dev rows")

    def broken(example: dspy.Example, prediction: Any) -> Any:
        raise ValueError("two\nlines")

    with pytest.raises(StoppedError) as stopped:
        compiled(broken)
    assert "ValueError: two lines" in str(stopped.value)


async def _score(example: dspy.Example, prediction: Any) -> float:
    return float(exact(example, prediction))


class AsyncMetric:
    """A metric whose call is a coroutine."""

    async def __call__(self, example: dspy.Example, prediction: Any) -> float:
        """Return the score."""
        return float(exact(example, prediction))


@pytest.mark.parametrize(
    "metric",
    [
        AsyncMetric(),
        partial(AsyncMetric()),
        lambda example, prediction: _score(example, prediction),
    ],
    ids=["object", "partial", "lambda"],
)
def test_an_asynchronous_metric_may_hide(metric: Any, caplog: pytest.LogCaptureFixture) -> None:
    compiled(metric)
    assert "got no score" not in caplog.text


def test_a_bar_that_no_score_reaches_is_named(caplog: pytest.LogCaptureFixture) -> None:
    compiled(lambda example, prediction: 0.8)
    assert "the highest score is 0.8, and a row passes from 1 on" in caplog.text
    caplog.clear()
    compiled(lambda example, prediction: 0.8, passes=0.8)
    compiled(exact)
    assert "highest score" not in caplog.text, "rows that score 0 tell nothing of the bar"


class Legacy(dspy.BaseLM):
    """A model as people wrote them for earlier versions of DSPy."""

    def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        """Return a reply in OpenAI's form."""
        message = SimpleNamespace(content=PROPOSAL, tool_calls=None)
        choice = SimpleNamespace(message=message, finish_reason="stop")
        return SimpleNamespace(choices=[choice], usage={}, model="plain")


class Overridden(dspy.LM):
    """A model of DSPy's whose synchronous call alone is replaced."""

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> list[str]:
        """Return a reply."""
        return [PROPOSAL]


class Engine:
    """An engine of a user's own, without an asynchronous counterpart."""

    def complete(self, request: Request) -> Response:
        """Return a reply."""
        message = Message.assistant([TextPart(PROPOSAL)])
        usage = Usage(input_tokens=1, output_tokens=1, total_tokens=2)
        return Response(None, "plain", message=message, finish_reason="stop", usage=usage)


@pytest.mark.filterwarnings("ignore:Implementing custom LMs:DeprecationWarning")
@pytest.mark.parametrize(
    "lm",
    [
        pytest.param(lambda: Legacy("plain", temperature=1.0), id="forward alone"),
        pytest.param(lambda: dspy.LM("plain", engine=Engine(), cache=False), id="engine"),
        pytest.param(lambda: Overridden("openai/plain"), id="overridden call"),
    ],
)
def test_a_model_without_an_asynchronous_call_may_optimise(lm: Any) -> None:
    steps: list[StepRecord] = []
    compiled(exact, optimizer_lm=lm(), listeners=Listeners(on_step=steps.append))
    methods = [c.method for step in steps for c in step.candidates if c.method]
    assert PROPOSAL in {method.instructions for method in methods}
