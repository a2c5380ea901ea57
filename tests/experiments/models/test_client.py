"""A client: what is retried, how often, with which seed, and what ends the run."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)

from autoevol.experiments.models.client import RoleClient
from autoevol.experiments.models.limits import circuit_breaker
from autoevol.experiments.models.limits.admission import PrioritySemaphore
from autoevol.experiments.models.limits.rate_limiter import Pace, RateLimiter
from autoevol.experiments.models.limits.reply_cap import LEAST_CUTS
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.transports.errors import SettingError, UnreachableError, error_for
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.experiments.models.transports.secrets import Secret
from autoevol.program.errors import AccessError, StoppedError
from tests.support.wires import GOOD, REQUEST, Scripted, client_of, discard, first

EMPTY = Response("  \n", "stop", tokens_in=10, tokens_out=1)
CUT_EARLY = Response("Because it", "length", tokens_in=10, tokens_out=3)
CUT_AT_LIMIT = Response("Because it is so and", "length", tokens_in=10, tokens_out=9)


def ask(
    client: RoleClient, request: Request = REQUEST
) -> tuple[Response, list[tuple[str, Response | None]]]:
    faults: list[tuple[str, Response | None]] = []

    def on_failure(kind: str, _: RoleClient, __: Request, reply: Response | None) -> None:
        faults.append((kind, reply))

    return asyncio.run(client.ask(request, discard, on_failure)), faults


@pytest.mark.parametrize(
    "error",
    [
        LMTransportError("connection lost"),
        LMTimeoutError("too late"),
        LMServerError("500"),
        LMRateLimitError("429"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_call_is_made_again_with_the_same_seed(error: Exception) -> None:
    wire = Scripted(first(3, error))
    reply, faults = ask(client_of(wire))
    assert reply == GOOD
    assert [request.seed for request in wire.requests] == [7, 7, 7, 7]
    assert len(faults) == 3
    assert all(paid is None for _, paid in faults)


@pytest.mark.parametrize("spoiled", [EMPTY, CUT_EARLY], ids=["empty", "cut off before the limit"])
def test_a_spoiled_reply_is_asked_for_again_with_another_seed(spoiled: Response) -> None:
    wire = Scripted(first(2, spoiled))
    reply, faults = ask(client_of(wire))
    assert reply == GOOD
    assert [request.seed for request in wire.requests] == [7, 8, 9]
    assert [paid for _, paid in faults] == [spoiled, spoiled]


def test_a_reply_that_stays_empty_is_data_in_the_end() -> None:
    wire = Scripted(lambda _: EMPTY)
    reply, faults = ask(client_of(wire, attempts=3))
    assert reply == EMPTY
    assert len(wire.requests) == 3
    assert len(faults) == 2


def test_a_filtered_reply_is_not_asked_for_again() -> None:
    wire = Scripted(lambda _: replace(EMPTY, finish_reason="filter"))
    ask(client_of(wire))
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("role", "temperature", "calls"),
    [("evolver", 0.5, 1), ("optimizer", 0.5, 2), ("judge", 0.0, 1)],
)
def test_a_reply_at_its_limit_is_asked_for_again_where_it_must_be_whole(
    role: str, temperature: float, calls: int
) -> None:
    wire = Scripted(lambda _: CUT_AT_LIMIT)
    reply, _ = ask(client_of(wire, role=role), replace(REQUEST, temperature=temperature))
    assert reply == CUT_AT_LIMIT
    assert len(wire.requests) == calls


def test_a_local_model_at_temperature_zero_would_say_the_same_again() -> None:
    wire = Scripted(lambda _: EMPTY)
    ask(client_of(wire, model="local/m.gguf"), replace(REQUEST, temperature=0.0))
    assert len(wire.requests) == 1


def test_tries_are_bounded() -> None:
    wire = Scripted(lambda _: LMServerError("500 for ever"))
    with pytest.raises(LMServerError, match="for ever"):
        ask(client_of(wire, attempts=4))
    assert len(wire.requests) == 4


@pytest.mark.parametrize(
    "error",
    [
        LMInvalidRequestError("400"),
        ContextWindowExceededError(message="too long"),
        AccessError("m", "401"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_another_try_cannot_mend_is_not_tried_again(error: Exception) -> None:
    wire = Scripted(lambda _: error)
    with pytest.raises(type(error)):
        ask(client_of(wire))
    assert len(wire.requests) == 1


def test_the_server_says_how_long_to_wait() -> None:
    wire = Scripted(first(1, LMRateLimitError("429", retry_after=0.3)))
    started = time.monotonic()
    ask(client_of(wire))
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2.5", 2.5),
        ("-1", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("Wed, 99 Oct 2026 99:99:99 GMT", None),
        (None, None),
    ],
)
def test_the_header_is_read_in_seconds(header: str | None, seconds: float | None) -> None:
    error = error_for(429, "slow down", "m", retry_after=header)
    assert isinstance(error, LMRateLimitError)
    assert error.retry_after == seconds


def test_the_header_may_be_a_date() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    error = error_for(429, "slow down", "m", retry_after=header)
    assert isinstance(error, LMRateLimitError)
    assert error.retry_after == pytest.approx(30, abs=2)


def test_a_429_for_want_of_credit_is_the_users_to_mend() -> None:
    text = '{"error": {"code": "insufficient_quota", "message": "You exceeded your quota"}}'
    error = error_for(429, text, "m")
    assert isinstance(error, SettingError)
    assert error.setting == "credit"


def test_an_error_does_not_repeat_the_key() -> None:
    error = error_for(
        401, "Incorrect API key provided: sk-canary.", "m", secret=Secret("sk-canary")
    )
    assert "sk-canary" not in str(error)
    assert "[key]" in str(error)


def test_refusals_of_a_capped_server_are_not_counted_as_tries() -> None:
    wire = Scripted(first(44, LMRateLimitError("429")))
    client = client_of(wire, attempts=3, size=40)

    async def ask_many() -> list[Any]:
        calls = (client.ask(REQUEST, discard, lambda *_: None) for _ in range(40))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert asyncio.run(ask_many()) == [GOOD] * 40


@pytest.fixture
def _often_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "FIRST_PROBE_S", 0.1)
    monkeypatch.setattr(circuit_breaker, "LONGEST_PROBE_S", 0.4)


@pytest.mark.usefixtures("_often_probed")
def test_a_gone_endpoint_is_waited_for_without_spending_tries() -> None:
    wire = Scripted(first(5, UnreachableError("refused")))
    started = time.monotonic()
    reply, faults = ask(client_of(wire, attempts=1))
    assert reply == GOOD
    assert len(faults) == 5
    assert time.monotonic() - started >= 0.1 + 0.2 + 0.4 + 0.4


@pytest.mark.usefixtures("_often_probed")
def test_one_call_at_a_time_looks_whether_the_endpoint_is_back() -> None:
    gone_until = time.monotonic() + 1.0
    wire = Scripted(
        lambda _: UnreachableError("refused") if time.monotonic() < gone_until else GOOD
    )
    client = client_of(wire)

    async def ask_many() -> list[Response]:
        return await asyncio.gather(
            *(client.ask(REQUEST, discard, lambda *_: None) for _ in range(8))
        )

    assert asyncio.run(ask_many()) == [GOOD] * 8
    assert len(wire.requests) <= 8 + 6 + 8


def test_an_endpoint_that_never_answered_is_the_users_to_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(circuit_breaker, "FIRST_CONTACT_S", 0.3)
    wire = Scripted(lambda _: UnreachableError("refused"))
    with pytest.raises(AccessError, match=r"http://here: nothing answers there; check api_base"):
        ask(client_of(wire))


def test_an_endpoint_that_stays_away_stops_the_run() -> None:
    wire = Scripted(lambda number: UnreachableError("refused") if number else GOOD)
    client = client_of(wire, outage=0.3)
    ask(client)
    with pytest.raises(StoppedError, match="has not answered"):
        ask(client)


def test_failures_of_many_calls_are_an_outage_and_of_one_call_are_not() -> None:
    many, one = circuit_breaker.CircuitBreaker(60), circuit_breaker.CircuitBreaker(60)
    for number in range(8):
        many.record_failure(1.0, number % 3, is_answer=True, is_unreachable=False)
        one.record_failure(1.0, 0, is_answer=True, is_unreachable=False)
    assert many.is_open
    assert not one.is_open


def test_patience_counts_from_the_first_failure_after_the_last_answer() -> None:
    breaker = circuit_breaker.CircuitBreaker(60)
    breaker.record_failure(0.0, 1, is_answer=True, is_unreachable=False)
    breaker.record_rate_limit(50.0)
    breaker.record_failure(55.0, 2, is_answer=False, is_unreachable=True)
    assert not breaker.is_patience_over(70.0)
    assert breaker.is_patience_over(116.0)


def test_a_stop_ends_the_waits_and_not_the_calls_on_the_wire() -> None:
    stop_signal = StopSignal()
    wire = Scripted(lambda _: GOOD, delay=lambda _: 0.3)
    client = client_of(wire, stop_signal=stop_signal, size=1)

    async def stop_soon() -> list[Any]:
        calls = [
            asyncio.create_task(client.ask(REQUEST, discard, lambda *_: None)) for _ in range(3)
        ]
        await asyncio.sleep(0.1)
        stop_signal.set(StoppedError("stopped"))
        return await asyncio.gather(*calls, return_exceptions=True)

    finished, *others = asyncio.run(stop_soon())
    assert finished == GOOD
    assert [type(other) for other in others] == [StoppedError, StoppedError]
    assert len(wire.requests) == 1


def test_a_stop_ends_a_long_back_off() -> None:
    stop_signal = StopSignal()
    client = client_of(
        Scripted(lambda _: LMRateLimitError("429", retry_after=60)), stop_signal=stop_signal
    )

    async def stop_soon() -> None:
        asyncio.get_running_loop().call_later(0.1, stop_signal.set, StoppedError("stopped"))
        await client.ask(REQUEST, discard, lambda *_: None)

    started = time.monotonic()
    with pytest.raises(StoppedError):
        asyncio.run(stop_soon())
    assert time.monotonic() - started < 5


def test_a_jump_of_the_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is measured by a clock that cannot be set."""
    wire = Scripted(first(2, LMRateLimitError("429", retry_after=0.1)))
    jumps = iter([0.0, 1e9, -1e9] * 1000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    assert ask(client_of(wire, rate_limiter=RateLimiter(Pace(requests_per_minute=6000))))[0] == GOOD


def test_urgent_waiters_go_first_and_a_cancelled_one_loses_no_slot() -> None:
    async def order() -> list[str]:
        slots, seen = PrioritySemaphore(1), list[str]()
        await slots.acquire()

        async def wait(name: str, *, is_urgent: bool) -> None:
            await slots.acquire(is_urgent=is_urgent)
            seen.append(name)
            slots.release()

        tasks = [
            asyncio.create_task(wait(name, is_urgent=name.startswith("again")))
            for name in ("new 1", "new 2", "again 1", "again 2")
        ]
        await asyncio.sleep(0)
        tasks[0].cancel()
        slots.release()
        tasks[2].cancel()  # its turn has come already
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(slots.acquire(), 1)
        return seen

    assert asyncio.run(order()) == ["again 2", "new 2"]


def test_a_server_that_is_only_full_is_not_taken_for_a_wrong_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(circuit_breaker, "FIRST_CONTACT_S", 0.2)
    wire = Scripted(first(12, LMRateLimitError("429", retry_after=0.05)))
    assert ask(client_of(wire, attempts=20))[0] == GOOD


def test_waiting_for_the_pace_is_no_outage() -> None:
    wire = Scripted(first(1, LMTransportError("connection lost")))
    client = client_of(wire, outage=0.2, rate_limiter=RateLimiter(Pace(requests_per_minute=100)))
    assert ask(client)[0] == GOOD


def test_refusals_of_rows_do_not_end_a_run_that_was_served_before() -> None:
    client = client_of(Scripted(lambda _: LMInvalidRequestError("400")), is_served=True)
    for _ in range(7):
        with pytest.raises(LMInvalidRequestError):
            ask(client)


@pytest.mark.parametrize("header", ["inf", "nan"])
def test_a_wait_without_end_is_not_believed(header: str) -> None:
    error = error_for(429, "slow down", "m", retry_after=header)
    assert isinstance(error, LMRateLimitError)
    assert error.retry_after is None


def test_a_429_that_names_a_wait_is_no_want_of_credit() -> None:
    text = "Rate limit reached. Please try again in 20s. Visit the account's billing page."
    assert isinstance(error_for(429, text, "m"), LMRateLimitError)


def test_a_wait_of_an_hour_is_left_to_a_fallback() -> None:
    busy = Scripted(lambda _: LMRateLimitError("429", retry_after=3600))
    fallback = client_of(Scripted(lambda _: GOOD))
    with pytest.raises(LMRateLimitError):
        ask(client_of(busy, fallbacks=(fallback,)))
    assert len(busy.requests) == 1


def test_replies_that_stay_empty_give_way_to_a_fallback() -> None:
    empty = Scripted(lambda _: EMPTY)
    with pytest.raises(LMServerError, match="3 replies were no good"):
        ask(client_of(empty, attempts=3, fallbacks=(client_of(Scripted(lambda _: GOOD)),)))


def attempts_of(calls: int, *, longer_at: int | None = None) -> list[int]:
    """Make so many calls of a provider that cuts all off; return the attempts of each."""
    whole = replace(CUT_EARLY, finish_reason="stop", tokens_out=4)
    wire = Scripted(lambda number: whole if number == longer_at else CUT_EARLY)
    client = client_of(wire, attempts=3)
    counts = []
    for _ in range(calls):
        before = len(wire.requests)
        ask(client)
        counts.append(len(wire.requests) - before)
    return counts


def test_a_providers_own_cap_is_paid_for_until_it_is_known() -> None:
    counts = attempts_of(LEAST_CUTS)
    calls, rest = divmod(LEAST_CUTS, 3)
    assert counts == [*([3] * calls), rest + 1, *([1] * (LEAST_CUTS - calls - 1))]


def test_a_longer_reply_shows_that_there_is_no_cap() -> None:
    assert attempts_of(LEAST_CUTS, longer_at=10) == [3, 3, 3, 2, *([3] * (LEAST_CUTS - 4))]


def test_short_replies_that_end_by_themselves_show_that_there_is_no_cap() -> None:
    word = Response("easy", "stop", tokens_in=10, tokens_out=1)
    part = replace(word, text="ea", finish_reason="length")
    client = client_of(Scripted(lambda number: part if number % 3 == 0 else word), attempts=3)
    replies = [ask(client)[0] for _ in range(3 * LEAST_CUTS)]
    assert set(replies) == {word}


def test_what_is_returned_at_a_cap_was_stored() -> None:
    stored: list[Response] = []

    async def keep(reply: Response) -> None:
        stored.append(reply)

    async def ask_all() -> list[Response]:
        client = client_of(Scripted(lambda _: CUT_EARLY), attempts=4)
        calls = (client.ask(REQUEST, keep, lambda *_: None) for _ in range(3 * LEAST_CUTS))
        return list(await asyncio.gather(*calls))

    assert asyncio.run(ask_all()) == stored
    assert len(stored) == 3 * LEAST_CUTS
