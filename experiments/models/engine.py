"""The one engine under every model call: ledger first, then pacing, retries and the wire.

The engine owns one I/O thread with an event loop. Callers, with or without a loop of their own,
hand a call over and wait for its reply; a reply is in the ledger before anybody sees it.
"""

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from dspy.utils.exceptions import ContextWindowExceededError, LMInvalidRequestError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from experiments.models.endpoints import ModelSettings
from experiments.models.ledger import Ledger, ledger_key
from experiments.models.wire import Reply, Transport, WireCall
from program.calls import CallRecord
from program.errors import AccessError, BudgetExhaustedError
from program.pipeline import TRANSPORT_ERRORS

REFUSALS = 5
"""After so many refused requests and none served, settings are wrong rather than rows."""

CLOSING_S = 120.0
"""Longest wait for calls in flight when the engine is closed."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps of a run; None: no cap. Calls of earlier tries of the same run count."""

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Endpoint:
    """One role's way to its model.

    Attributes:
        identity: For the ledger.
        gate: Bounds the calls in flight; roles of one local server share it.
        pace: Seconds between the starts of two calls; 0: none.
    """

    settings: ModelSettings
    identity: str
    transport: Transport
    gate: asyncio.Semaphore
    pace: float = 0.0


@dataclass
class Totals:
    """What a run has used, each finished call counted once, replayed ones included.

    Attributes:
        method_tokens: Of the evolver's prompts: what stands before the row.
        method_tokens_cached: Those of them that came from a prefix cache.
        unpriced: Calls of models without a known price.
    """

    calls: Counter[str] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    method_tokens: int = 0
    method_tokens_cached: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    replayed: int = 0

    def add(self, record: CallRecord) -> None:
        """Count one call."""
        self.calls[record.role] += 1
        self.tokens_in += record.tokens_in
        self.tokens_out += record.tokens_out
        self.tokens_cached += record.tokens_cached
        if record.role == "evolver":
            self.method_tokens += record.shared_tokens
            self.method_tokens_cached += min(record.tokens_cached, record.shared_tokens)
        self.cost_usd += record.cost_usd or 0.0
        self.unpriced += record.cost_usd is None
        self.replayed += record.is_replayed


class Engine:
    """Answers calls for every role of a run.

    Args:
        ledger: Where finished calls are kept.
        budget: Past it no call is started.
    """

    def __init__(self, ledger: Ledger, budget: Budget | None = None) -> None:
        self.totals = Totals()
        self._ledger = ledger
        self._budget = budget or Budget()
        self._counted: set[str] = set()
        self._in_flight = 0
        self._refused: Counter[str] = Counter()
        self._served: Counter[str] = Counter()
        self._under_way: dict[str, asyncio.Task[Reply]] = {}
        self._next_start: dict[str, float] = defaultdict(float)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()

    def __deepcopy__(self, memo: object) -> "Engine":
        """Return the engine itself: a copied program asks the same engine."""
        return self

    def submit(self, endpoint: Endpoint, call: WireCall, draw: int) -> "Future[CallResult]":
        """Hand a call to the I/O thread."""
        return self._run(self._answer(endpoint, call, draw))

    def close(self, transports: list[Transport]) -> None:
        """Wait for calls in flight, which are paid, then close transports, thread and ledger."""
        self._run(self._settled()).result()
        for transport in transports:
            self._run(transport.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._ledger.close()

    async def _settled(self) -> None:
        if self._under_way:
            await asyncio.wait(list(self._under_way.values()), timeout=CLOSING_S)

    def _run(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _answer(self, endpoint: Endpoint, call: WireCall, draw: int) -> "CallResult":
        key = ledger_key(endpoint.identity, call, dict(endpoint.settings.params), draw)
        kept = self._ledger.get(key)
        reply = kept or await self._shared(key, endpoint, call)
        record = record_of(endpoint.settings, call, reply, is_replayed=kept is not None)
        self._count(key, record)
        return CallResult(reply, record)

    def _count(self, key: str, record: CallRecord) -> None:
        if key not in self._counted:
            self._counted.add(key)
            self.totals.add(record)

    async def _shared(self, key: str, endpoint: Endpoint, call: WireCall) -> Reply:
        """Make the call, or wait for the same call that is under way already."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, endpoint, call))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(task)

    async def _made(self, key: str, endpoint: Endpoint, call: WireCall) -> Reply:
        async with endpoint.gate:
            self._check_budget()
            self._in_flight += 1
            try:
                reply = await self._tried(endpoint, call)
            finally:
                self._in_flight -= 1
            self._ledger.put(key, reply)
            self._count(key, record_of(endpoint.settings, call, reply, is_replayed=False))
            return reply

    async def _tried(self, endpoint: Endpoint, call: WireCall) -> Reply:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TRANSPORT_ERRORS),
            stop=stop_after_attempt(endpoint.settings.attempts),
            wait=wait_random_exponential(multiplier=0.5, max=60),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                await self._paced(endpoint)
                return await self._sent(endpoint, call)
        raise AssertionError("tenacity either returns or raises")

    async def _sent(self, endpoint: Endpoint, call: WireCall) -> Reply:
        """Send once. An endpoint that has refused every request so far ends the run."""
        try:
            reply = await endpoint.transport.send(call)
        except ContextWindowExceededError:
            raise
        except LMInvalidRequestError as error:
            self._refused[endpoint.identity] += 1
            if self._refused[endpoint.identity] >= REFUSALS and not self._served[endpoint.identity]:
                problem = f"refused its first {REFUSALS} requests: {error}"
                raise AccessError(endpoint.settings.model, problem) from error
            raise
        self._served[endpoint.identity] += 1
        return reply

    async def _paced(self, endpoint: Endpoint) -> None:
        now = self._loop.time()
        start = max(now, self._next_start[endpoint.identity])
        self._next_start[endpoint.identity] = start + endpoint.pace
        if start > now:
            await asyncio.sleep(start - now)

    def _check_budget(self) -> None:
        used, cap = self.totals, self._budget
        tokens = used.tokens_in + used.tokens_out
        for name, spent, limit in (
            ("calls", used.calls.total() + self._in_flight, cap.calls),
            ("tokens", tokens, cap.tokens),
            ("usd", used.cost_usd, cap.usd),
        ):
            if limit is not None and spent >= limit:
                raise BudgetExhaustedError(f"budget.{name}: {spent:g} of {limit:g} are used")


@dataclass(frozen=True, slots=True)
class CallResult:
    """A reply and what it cost."""

    reply: Reply
    record: CallRecord


def record_of(
    settings: ModelSettings, call: WireCall, reply: Reply, *, is_replayed: bool
) -> CallRecord:
    """Return the record of a finished call."""
    shared = sum(len(message["content"]) for message in call.messages[:-1])
    whole = shared + len(call.messages[-1]["content"])
    price = settings.price
    return CallRecord(
        role=settings.role,
        model=settings.model,
        text=reply.text,
        is_truncated=reply.finish_reason == "length",
        is_replayed=is_replayed,
        tokens_in=reply.tokens_in,
        tokens_cached=reply.tokens_cached,
        shared_tokens=round(reply.tokens_in * shared / whole) if whole else 0,
        tokens_out=reply.tokens_out,
        seconds=reply.seconds,
        cost_usd=price.cost(reply.tokens_in, reply.tokens_out, reply.tokens_cached)
        if price
        else None,
    )
