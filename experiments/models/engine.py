"""The one engine under every model call: ledger first, then the budget, then the line.

The engine owns one I/O thread with an event loop. A program that runs on that loop (`run`) asks
without changing threads; other callers hand a call over and wait. A reply is in the ledger before
anybody sees it.
"""

import asyncio
import gc
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from autoevol.experiments.models.budget import Budget, BudgetGuard, earlier_totals
from autoevol.experiments.models.client import HEDGED, RoleClient
from autoevol.experiments.models.ledger import Discarded, Ledger, ledger_key
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.settings import ModelSettings, fitted
from autoevol.experiments.models.transports.protocol import Request, Response, Transport
from autoevol.program.calls import CallRecord
from autoevol.program.errors import StoppedError, StorageError
from autoevol.program.lm_errors import TRANSPORT_ERRORS

YOUNG_OBJECTS = 20_000
"""New objects after which the garbage collector looks for cycles among them."""

Found = TypeVar("Found")


class Engine:
    """Answers calls for every role of a run.

    Args:
        ledger: Where finished calls are kept.
        budget: Past it no call is started.
        halt: Shared with the lines; set by `stop`.
    """

    def __init__(
        self, ledger: Ledger, budget: Budget | None = None, halt: StopSignal | None = None
    ) -> None:
        self._ledger = ledger
        earlier = earlier_totals(ledger.sums(), ledger.discarded_sums())
        self._meter = BudgetGuard(budget or Budget(), earlier)
        self.totals = self._meter.totals
        self._halt = halt or StopSignal()
        self._under_way: dict[bytes, asyncio.Task[CallRecord]] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()

    def __deepcopy__(self, memo: object) -> "Engine":
        """Return the engine itself: a copied program asks the same engine."""
        return self

    @property
    def in_flight(self) -> int:
        """Calls that are being made now."""
        return len(self._under_way)

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        """Run a program on the engine's own loop, and wait for its result.

        What is loaded by now stays to the end, so the garbage collector need not look at it again;
        and a run makes so many short-lived objects that it need not look after every few hundred.
        """
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        return self._schedule(work).result()

    def submit(self, line: RoleClient, call: Request, draw: int) -> "Future[CallRecord]":
        """Hand a call to the I/O thread.

        Raises:
            RuntimeError: Called on that very thread, where waiting for the reply would never end.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a program on the engine's loop has to use `acall`")
        return self._schedule(self._answer(line, call, draw))

    async def answer(self, line: RoleClient, call: Request, draw: int) -> CallRecord:
        """Return the finished call, from any event loop.

        Raises:
            BudgetExhaustedError: The call is not in the ledger and may not be made.
            StoppedError: The run is to stop.
            StorageError: The reply could not be kept.
            LMError: The call failed for good.
        """
        if asyncio.get_running_loop() is self._loop:
            return await self._answer(line, call, draw)
        return await asyncio.wrap_future(self.submit(line, call, draw))

    def stop(self, why: StoppedError) -> None:
        """Start no call from now on; what is on the wire is finished. Safe from any thread."""
        self._halt.request(why)

    def abandon(self) -> None:
        """Give up what is on the wire. Safe from any thread."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._cancel_all)

    def close(self, transports: Sequence[Transport]) -> None:
        """Wait for calls in flight, which are paid, then close transports, thread and ledger.

        Each call in flight ends by its transport's timeout at the latest; those that still wait to
        be sent are given up.
        """
        if self._loop.is_closed():
            return
        self.stop(StoppedError("the run has ended"))
        try:
            self._schedule(self._settled(transports)).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._ledger.close()

    def _schedule(self, work: Coroutine[Any, Any, Found]) -> "Future[Found]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _cancel_all(self) -> None:
        for task in self._under_way.values():
            task.cancel()

    async def _settled(self, transports: Sequence[Transport]) -> None:
        while open_tasks := [*self._under_way.values(), *self._notes]:
            await asyncio.wait(open_tasks)
        await asyncio.gather(*(transport.close() for transport in transports))

    async def _answer(self, line: RoleClient, call: Request, draw: int) -> CallRecord:
        fitting = fitted(call, line.settings)
        key = ledger_key(line.identity, fitting, dict(line.settings.params), draw)
        return self._ledger.get(key) or await self._shared(key, line, call)

    async def _shared(self, key: bytes, line: RoleClient, call: Request) -> CallRecord:
        """Make the call, or wait for the same call that is under way already."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, line, call))
            self._under_way[key] = task
            task.add_done_callback(partial(self._finished, key))
        return await asyncio.shield(task)

    def _finished(self, key: bytes, task: "asyncio.Task[CallRecord]") -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # told to whoever waits; after the end of a run nobody does

    async def _made(self, key: bytes, line: RoleClient, call: Request) -> CallRecord:
        self._halt.check()
        async with self._meter.admitted(line.forecast.spend(call)):
            record = await self._asked(key, line, call)
            self.totals.add(record)
        return record

    async def _asked(self, key: bytes, line: RoleClient, call: Request) -> CallRecord:
        """Ask the model, and when it gives no answer, its fallbacks in turn."""
        *first, last = (line, *line.fallbacks)
        for candidate in first:
            try:
                return await self._answered(key, candidate, call)
            except TRANSPORT_ERRORS:
                self.totals.faults[f"{candidate.settings.model} gave way"] += 1
        return await self._answered(key, last, call)

    async def _answered(self, key: bytes, line: RoleClient, call: Request) -> CallRecord:
        """Return the record of a line's reply; it is in the ledger by then."""
        fitting = fitted(call, line.settings)

        async def keep(reply: Response) -> None:
            try:
                await self._ledger.put(key, record_of(line.settings, fitting, reply))
            except StorageError as error:
                self._halt.request(error)
                raise

        return record_of(line.settings, fitting, await line.ask(fitting, keep, self._on_fault))

    def _on_fault(self, why: str, line: RoleClient, call: Request, reply: Response | None) -> None:
        """Count a try that gave nothing usable; keep what it cost.

        Raises:
            BudgetExhaustedError: There is nothing left for another try.
        """
        self.totals.faults[why] += 1
        if reply is None:
            return
        record = record_of(line.settings, call, reply)
        lost = Discarded(
            why=why,
            role=record.role,
            model=record.model,
            is_estimated=reply.finish_reason == "cancelled",
            tokens_in=record.tokens_in,
            tokens_cached=record.tokens_cached,
            tokens_out=record.tokens_out,
            cost_usd=record.cost_usd,
        )
        self.totals.add_discarded(lost)
        note = asyncio.create_task(self._ledger.discard(lost))
        self._notes.add(note)
        note.add_done_callback(self._noted)
        if why != HEDGED:
            self._meter.check()

    def _noted(self, note: "asyncio.Task[None]") -> None:
        self._notes.discard(note)
        error = None if note.cancelled() else note.exception()
        if isinstance(error, StorageError):
            self._halt.request(error)


def record_of(settings: ModelSettings, call: Request, reply: Response) -> CallRecord:
    """Return the record of a finished call."""
    whole = call.characters
    shared = whole - len(call.messages[-1]["content"])
    price = settings.price
    cost = price.cost(reply.tokens_in, reply.tokens_out, reply.tokens_cached) if price else None
    return CallRecord(
        role=settings.role,
        model=settings.model,
        text=reply.text,
        is_truncated=reply.finish_reason == "length",
        is_replayed=False,
        tokens_in=reply.tokens_in,
        tokens_cached=reply.tokens_cached,
        shared_tokens=round(reply.tokens_in * shared / whole) if whole else 0,
        tokens_out=reply.tokens_out,
        seconds=reply.seconds,
        cost_usd=cost,
        confidence=reply.confidence,
    )
