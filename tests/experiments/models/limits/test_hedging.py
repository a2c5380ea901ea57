"""Late requests are sent twice, once; the faster reply counts and the slower one is paid."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dspy.utils.exceptions import LMInvalidRequestError, LMServerError

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.ledger import Ledger
from autoevol.experiments.models.limits.hedging import Hedger
from autoevol.experiments.models.prices import Price
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.protocol import Response
from autoevol.program.errors import AccessError, BudgetExhaustedError
from tests.support.wires import GOOD, REQUEST, Scripted, client_of, discard, first


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Ledger(tmp_path / "ledger.sqlite"))
    yield engine
    engine.close([])


def slow_first(number: int) -> float:
    return 5.0 if number == 0 else 0.01


def test_a_late_call_is_made_again_and_the_loser_is_paid(engine: Engine, tmp_path: Path) -> None:
    wire = Scripted(lambda _: GOOD, delay=slow_first)
    client = client_of(wire, hedge_after=0.1)

    record = engine.submit(client, REQUEST, 1).result(timeout=2)

    assert record.text == GOOD.text
    assert [request.seed for request in wire.requests] == [7, 7]
    assert engine.totals.discarded == {"evolver": 1}
    assert engine.totals.faults == {"hedged": 1}
    assert engine.totals.calls == {"evolver": 1}
    engine.close([])
    kept = sqlite3.connect(tmp_path / "ledger.sqlite").execute(
        "SELECT why, is_estimated, tokens_in FROM discarded"
    )
    assert kept.fetchall() == [("hedged", 1, 1)]
    assert wire.cancelled == 1


def test_the_first_try_may_still_win() -> None:
    wire = Scripted(lambda _: GOOD, delay=lambda number: 0.3 if number == 0 else 5.0)
    client = client_of(wire, hedge_after=0.1)
    lost: list[Any] = []
    reply = asyncio.run(client.ask(REQUEST, discard, lambda *failure: lost.append(failure)))
    assert reply == GOOD
    assert len(wire.requests) == 2
    assert [kind for kind, *_ in lost] == ["hedged"]


def test_an_error_of_one_try_leaves_the_other_its_chance() -> None:
    wire = Scripted(
        lambda number: LMServerError("500") if number == 1 else GOOD,
        delay=lambda number: 0.3 if number == 0 else 0.0,
    )
    assert (
        asyncio.run(client_of(wire, hedge_after=0.1).ask(REQUEST, discard, lambda *_: None)) == GOOD
    )
    assert len(wire.requests) == 2


@pytest.mark.parametrize("settings", [{"model": "local/m.gguf"}, {"hedge_after": 0.0}])
def test_some_calls_are_never_made_twice(settings: dict[str, Any]) -> None:
    wire = Scripted(lambda _: GOOD, delay=lambda _: 0.3)
    asyncio.run(client_of(wire, **settings).ask(REQUEST, discard, lambda *_: None))
    assert len(wire.requests) == 1


def test_late_is_four_times_the_95th_percentile_and_at_least_ten_seconds() -> None:
    hedger = Hedger(None)
    assert hedger.late_s is None
    for _ in range(20):
        hedger.record_latency(0.2)
    assert hedger.late_s == 10
    for _ in range(256):
        hedger.record_latency(8.0)
    assert hedger.late_s == 32


def test_a_fallback_answers_when_the_attempts_are_spent(engine: Engine, tmp_path: Path) -> None:
    dead, spare = Scripted(lambda _: LMServerError("500")), Scripted(lambda _: GOOD)
    fallback = client_of(spare, model="hosted_vllm/spare")
    client = client_of(dead, attempts=3, fallbacks=(fallback,))

    record = engine.submit(client, REQUEST, 1).result()
    again = engine.submit(client, REQUEST, 1).result()

    assert record.model == again.model == "hosted_vllm/spare"
    assert again.is_replayed
    assert (len(dead.requests), len(spare.requests)) == (3, 1)


def test_the_last_fallbacks_error_is_the_calls(engine: Engine) -> None:
    dead = Scripted(lambda _: LMServerError("first"))
    deader = client_of(Scripted(lambda _: LMServerError("second")), attempts=1)
    with pytest.raises(LMServerError, match="second"):
        engine.submit(client_of(dead, attempts=1, fallbacks=(deader,)), REQUEST, 1).result()


@pytest.mark.parametrize("error", [AccessError("m", "401"), LMInvalidRequestError("400")])
def test_what_the_user_must_mend_is_not_hidden_by_a_fallback(
    engine: Engine, error: Exception
) -> None:
    spare = Scripted(lambda _: GOOD)
    client = client_of(Scripted(lambda _: error), fallbacks=(client_of(spare),))
    with pytest.raises(type(error)):
        engine.submit(client, REQUEST, 1).result()
    assert not spare.requests


def test_a_reply_that_was_asked_for_again_is_on_the_bill(tmp_path: Path) -> None:
    spoiled = first(1, Response("", "stop", tokens_in=10, tokens_out=1))
    client = client_of(Scripted(spoiled), prices=Price(1.0, 1.0, 1.0))
    engine = Engine(Ledger(tmp_path / "ledger.sqlite"), Budget(usd=30.0))
    engine.submit(client, REQUEST, 1).result()
    engine.close([])

    later = Engine(Ledger(tmp_path / "ledger.sqlite"), Budget(calls=2))
    assert later.totals.cost_usd == 11 + 12
    assert later.totals.calls == {"evolver": 1}
    assert later.totals.discarded == {"evolver": 1}
    with pytest.raises(BudgetExhaustedError, match=r"budget\.calls: 2 of 2"):
        later.submit(client, REQUEST, 2).result()
    later.close([])


def test_tokens_under_way_count_towards_the_budget(tmp_path: Path) -> None:
    """Eight calls of twelve tokens are too many for sixty; no more are started than fit."""
    wire = Scripted(lambda _: GOOD, delay=lambda _: 0.05)
    engine = Engine(Ledger(tmp_path / "ledger.sqlite"), Budget(tokens=60))
    client = client_of(wire)
    futures = [engine.submit(client, REQUEST, draw) for draw in range(8)]
    refused = [isinstance(future.exception(), BudgetExhaustedError) for future in futures]
    engine.close([])
    assert 0 < sum(refused) < 8
    assert engine.totals.tokens_in + engine.totals.tokens_out <= 60 + 12


def test_prices_may_be_configured() -> None:
    settings = ModelSettings("hosted_vllm/m", role="evolver", prices=Price(2.0, 3.0, 1.0))
    assert settings.price == Price(2.0, 3.0, 1.0)
    assert ModelSettings("hosted_vllm/m", role="evolver").price is None


def test_a_second_try_that_finds_no_slot_is_not_made() -> None:
    wire = Scripted(lambda _: GOOD, delay=lambda _: 0.15)
    client = client_of(wire, hedge_after=0.05, size=1)
    lost: list[Any] = []

    async def ask_many() -> None:
        calls = (client.ask(REQUEST, discard, lambda *loser: lost.append(loser)) for _ in range(5))
        await asyncio.gather(*calls)

    asyncio.run(ask_many())
    assert len(wire.requests) == 5
    assert lost == []


def test_a_loser_is_counted_once() -> None:
    """Both tries end in the same turn of the loop."""
    wire = Scripted(lambda _: GOOD, delay=lambda number: 0.2 if number == 0 else 0.1)
    client = client_of(wire, hedge_after=0.1)
    for _ in range(5):
        wire.requests.clear()
        lost: list[Any] = []
        asyncio.run(client.ask(REQUEST, discard, lambda *loser, lost=lost: lost.append(loser)))
        assert len(lost) <= 1


def test_a_budget_larger_than_the_need_is_not_refused_for_what_is_under_way(
    tmp_path: Path,
) -> None:
    """Before any reply has come, calls are expected to use far more than they do."""
    wire = Scripted(lambda _: GOOD, delay=lambda _: 0.01)
    engine = Engine(Ledger(tmp_path / "ledger.sqlite"), Budget(tokens=40 * 12))
    client = client_of(wire, size=32)
    futures = [engine.submit(client, REQUEST, draw) for draw in range(32)]
    assert [future.result().text for future in futures] == [GOOD.text] * 32
    engine.close([])


def test_tries_of_a_spoiled_call_end_at_the_budget(tmp_path: Path) -> None:
    wire = Scripted(lambda _: Response("", "stop", tokens_in=10, tokens_out=1))
    engine = Engine(Ledger(tmp_path / "ledger.sqlite"), Budget(calls=3))
    with pytest.raises(BudgetExhaustedError):
        engine.submit(client_of(wire), REQUEST, 1).result()
    engine.close([])
    assert len(wire.requests) == 3


def test_closing_waits_for_calls_on_the_wire_and_starts_none(tmp_path: Path) -> None:
    wire = Scripted(lambda _: GOOD, delay=lambda _: 0.3)
    engine = Engine(Ledger(tmp_path / "ledger.sqlite"))
    client = client_of(wire, size=2)
    futures = [engine.submit(client, REQUEST, draw) for draw in range(6)]
    while len(wire.requests) < 2:
        time.sleep(0.01)
    engine.close([])
    kept_calls = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT count(*) FROM calls")
    assert kept_calls.fetchone()[0] == len(wire.requests)
    assert all(future.done() for future in futures)
