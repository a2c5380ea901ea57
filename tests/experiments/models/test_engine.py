"""The engine: ledger first, retries, one request for equal calls, budget."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import (
    AdapterParseError,
    LMInvalidRequestError,
    LMServerError,
    LMTransportError,
)

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.ledger import Ledger
from autoevol.experiments.models.limits.rate_limiter import Pace, RateLimiter
from autoevol.experiments.models.lm import RoleLM
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.adapter import AdapterName
from autoevol.program.calls import collected_calls
from autoevol.program.errors import AccessError, BudgetExhaustedError
from autoevol.program.roles import Role, ask
from tests.support.wires import client_of

REQUEST = Request(({"role": "user", "content": "Why?"},), temperature=0.5, max_tokens=9)
MakeEngine = Callable[..., Engine]


class Counting:
    """A transport that fails so many times, then answers, and keeps the requests."""

    def __init__(self, failures: int = 0, delay: float = 0.0, text: str = "answer {n}") -> None:
        self.failures = failures
        self.text = text
        self.delay = delay
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        await asyncio.sleep(self.delay)
        if len(self.requests) <= self.failures:
            raise LMTransportError("connection lost")
        text = self.text.replace("{n}", str(len(self.requests)))
        return Response(text, "stop", tokens_in=10, tokens_out=2)

    async def close(self) -> None:
        return


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[MakeEngine]:
    opened: list[Engine] = []

    def make(**budget: Any) -> Engine:
        engine = Engine(Ledger(tmp_path / "ledger.sqlite"), Budget(**budget))
        opened.append(engine)
        return engine

    yield make
    for engine in opened:
        engine.close([])


def test_a_finished_call_is_paid_once(make_engine: MakeEngine) -> None:
    wire = Counting()
    engine = make_engine()
    first = engine.submit(client_of(wire), REQUEST, 1).result()

    again = engine.submit(client_of(wire), REQUEST, 1).result()
    later = make_engine().submit(client_of(wire), REQUEST, 1).result()

    assert first.text == again.text == later.text
    assert len(wire.requests) == 1
    assert not first.is_replayed
    assert later.is_replayed
    assert engine.totals.calls.total() == 1


def test_another_draw_is_another_answer(make_engine: MakeEngine) -> None:
    wire = Counting()
    engine = make_engine()
    replies = {engine.submit(client_of(wire), REQUEST, draw).result().text for draw in range(3)}
    assert len(replies) == len(wire.requests) == 3


def test_the_same_question_under_way_is_asked_once(make_engine: MakeEngine) -> None:
    wire = Counting(delay=0.05)
    engine = make_engine()
    futures = [engine.submit(client_of(wire), REQUEST, 1) for _ in range(10)]
    assert {future.result().text for future in futures} == {"answer 1"}
    assert len(wire.requests) == 1


def test_a_lost_connection_is_retried(make_engine: MakeEngine) -> None:
    wire = Counting(failures=2)
    assert make_engine().submit(client_of(wire), REQUEST, 1).result().text == "answer 3"


def test_tries_are_bounded_and_nothing_is_kept_of_a_failure(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    wire = Counting(failures=9)
    with pytest.raises(LMTransportError):
        make_engine().submit(client_of(wire, attempts=2), REQUEST, 1).result()
    assert len(wire.requests) == 2
    rows = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT count(*) FROM calls")
    assert rows.fetchone() == (0,)


def test_an_endpoint_that_refuses_everything_ends_the_run(make_engine: MakeEngine) -> None:
    class Refusing(Counting):
        async def send(self, request: Request) -> Response:
            raise LMInvalidRequestError("unknown parameter")

    engine, client = make_engine(), client_of(Refusing())
    errors = []
    for draw in range(3):
        with pytest.raises((LMInvalidRequestError, AccessError)) as caught:
            engine.submit(client, REQUEST, draw).result()
        errors.append(caught.type)
    assert errors == [LMInvalidRequestError] * 2 + [AccessError]


def test_calls_in_flight_are_kept_when_the_engine_closes(tmp_path: Path) -> None:
    wire = Counting(delay=0.2)
    engine = Engine(Ledger(tmp_path / "ledger.sqlite"))
    for draw in range(3):
        engine.submit(client_of(wire), REQUEST, draw)
    while len(wire.requests) < 3:
        time.sleep(0.01)

    engine.close([])

    rows = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT count(*) FROM calls")
    assert rows.fetchone() == (3,)


def test_a_budget_of_calls_is_not_overrun_by_those_in_flight(make_engine: MakeEngine) -> None:
    wire = Counting(delay=0.05)
    engine = make_engine(calls=5)
    futures = [engine.submit(client_of(wire), REQUEST, draw) for draw in range(20)]
    refused = sum(isinstance(future.exception(), BudgetExhaustedError) for future in futures)
    assert len(wire.requests) == 5
    assert refused == 15


def test_past_the_budget_nothing_is_started(make_engine: MakeEngine) -> None:
    wire = Counting()
    engine = make_engine(calls=2)
    for draw in (1, 2):
        engine.submit(client_of(wire), REQUEST, draw).result()

    with pytest.raises(BudgetExhaustedError, match=r"budget\.calls"):
        engine.submit(client_of(wire), REQUEST, 3).result()

    assert len(wire.requests) == 2
    assert engine.submit(client_of(wire), REQUEST, 1).result().is_replayed


def test_tokens_count_towards_the_budget(make_engine: MakeEngine) -> None:
    engine = make_engine(tokens=12)
    engine.submit(client_of(Counting()), REQUEST, 1).result()
    with pytest.raises(BudgetExhaustedError, match=r"budget\.tokens"):
        engine.submit(client_of(Counting()), REQUEST, 2).result()


def test_the_rate_limiter_spaces_the_starts(make_engine: MakeEngine) -> None:
    wire = Counting()
    limited = client_of(wire, rate_limiter=RateLimiter(Pace(requests_per_minute=1200)))
    engine = make_engine()
    started = time.monotonic()
    for future in [engine.submit(limited, REQUEST, draw) for draw in range(5)]:
        future.result()
    assert time.monotonic() - started >= 0.18


def test_the_draw_reaches_the_wire_past_dspy(make_engine: MakeEngine) -> None:
    wire = Counting()
    role = Role(RoleLM(client_of(wire, temperature=0.5, top_p=0.9), make_engine()), "m")

    with collected_calls() as calls:
        for draw in (3, 4):
            asyncio.run(ask(dspy.Predict("question -> answer"), role, draw=draw, question="Why?"))

    assert [request.seed for request in wire.requests] == [3, 4]
    assert [request.temperature for request in wire.requests] == [0.5, 0.5]
    assert [request.top_p for request in wire.requests] == [0.9, 0.9]
    assert [call.role for call in calls] == ["evolver", "evolver"]


@pytest.mark.parametrize(
    ("adapter", "text"),
    [
        ("plain", "Because."),
        ("chat", "[[ ## answer ## ]]\nBecause.\n\n[[ ## completed ## ]]"),
        ("json", '{"answer": "Because."}'),
        ("xml", "<answer>Because.</answer>"),
        ("chat", "answer {n}"),  # does not parse: asked once more, with the same turns
    ],
)
def test_a_call_is_that_of_the_predictor(
    make_engine: MakeEngine, adapter: AdapterName, text: str
) -> None:
    wire = Counting(text=text)
    role = Role(RoleLM(client_of(wire, temperature=0.5), make_engine()), "m", adapter)
    predictor = dspy.Predict("question -> answer")
    predictor.demos = [dspy.Example(question="Who?", answer="You.")]

    answer = _answer_of(lambda: asyncio.run(ask(predictor, role, draw=1, question="Why?")))
    sent = len(wire.requests)
    with role.context(predictor.signature):
        same = _answer_of(lambda: predictor(question="Why?", config={"rollout_id": 1}))

    assert answer == same
    # DSPy's own call was found in the ledger: it has the same turns and settings.
    assert len(wire.requests) == sent


def _answer_of(call: Callable[[], dspy.Prediction]) -> str:
    try:
        return str(call().answer)
    except AdapterParseError:
        return "does not parse"


def test_at_temperature_zero_no_seed_is_sent(make_engine: MakeEngine) -> None:
    wire = Counting()
    role = Role(RoleLM(client_of(wire, temperature=0.0), make_engine()), "m")
    asyncio.run(ask(dspy.Predict("question -> answer"), role, draw=5, question="Why?"))
    assert wire.requests[0].seed is None


def test_an_error_of_the_wire_reaches_the_caller_as_it_is(make_engine: MakeEngine) -> None:
    class Broken(Counting):
        async def send(self, request: Request) -> Response:
            raise LMServerError("500 for ever")

    role = Role(RoleLM(client_of(Broken(), attempts=1), make_engine()), "m")
    with pytest.raises(LMServerError, match="for ever"):
        asyncio.run(ask(dspy.Predict("question -> answer"), role, draw=1, question="Why?"))
