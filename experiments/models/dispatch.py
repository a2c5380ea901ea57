"""The path of one call: ledger, budget, client with its fallbacks, ledger again.

Everything here runs on the engine's event loop, so no lock is needed.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple

from autoevol.experiments.models.budget import Budget, BudgetGuard, earlier_totals
from autoevol.experiments.models.client import HEDGED, RoleClient
from autoevol.experiments.models.ledger import DiscardedReply, Ledger, ledger_key
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.settings import ModelSettings, fitted
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.calls import CallRecord
from autoevol.program.errors import StorageError
from autoevol.program.lm_errors import TRANSPORT_ERRORS


class CallsInFlight:
    """The calls that are being made, by ledger key: equal calls share one request."""

    def __init__(self) -> None:
        self._tasks: dict[bytes, asyncio.Task[CallRecord]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def join(
        self, key: bytes, make: Callable[[], Coroutine[Any, Any, CallRecord]]
    ) -> CallRecord:
        """Make a call, or wait for the equal call that is in flight already."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(make())
            self._tasks[key] = task
            task.add_done_callback(partial(self._remove, key))
        # Shielded: a caller that is cancelled leaves a request behind that is paid already, and
        # that others may wait for.
        return await asyncio.shield(task)

    def cancel(self) -> None:
        """Give all calls up."""
        for task in self._tasks.values():
            task.cancel()

    def tasks(self) -> "list[asyncio.Task[CallRecord]]":
        """Return the tasks that make the calls."""
        return list(self._tasks.values())

    def _remove(self, key: bytes, task: "asyncio.Task[CallRecord]") -> None:
        del self._tasks[key]
        if not task.cancelled():
            # Mark the error as seen. Each waiting caller gets it; when the run has ended nobody
            # waits, and asyncio would log it.
            task.exception()


_OF_PARTS = ("evolver", "responder")
"""Roles whose draws are those of single rows."""


class _Keyed(NamedTuple):
    """A call's key in the ledger, and whether no other part of the run makes the same call."""

    key: bytes
    is_of_part: bool


class Dispatcher:
    """Answers calls on the engine's loop.

    Args:
        ledger: Finished calls, and what unused replies cost.
        budget: Once it is used up no call starts.
        stop_signal: Set when the ledger cannot be written.
        greedy_draws: Whether calls that differ in their draw alone are two at temperature 0.

    Attributes:
        totals: What the run has used so far.
        in_flight: Calls that are being made.
    """

    def __init__(
        self, ledger: Ledger, budget: Budget, stop_signal: StopSignal, *, greedy_draws: bool = True
    ) -> None:
        self._ledger = ledger
        self._greedy_draws = greedy_draws
        self._stop_signal = stop_signal
        earlier = earlier_totals(ledger.bill())
        earlier.borrowed = ledger.borrowed
        self._budget = BudgetGuard(budget, earlier)
        self.totals = self._budget.totals
        self.in_flight = CallsInFlight()
        self._discards: set[asyncio.Task[None]] = set()

    async def answer(self, client: RoleClient, request: Request, draw: int) -> CallRecord:
        """Return the finished call; see `Engine.answer`."""
        fitting = fitted(request, client.settings)
        # A greedy reply does not depend on the draw: to ask again would pay for the same words.
        matters = self._greedy_draws or fitting.temperature != 0
        params = dict(client.settings.params)
        key = ledger_key(client.identity, fitting, params, draw if matters else 0)
        # Draws of witnesses come from texts, which other parts of the run may hold, too.
        is_of_part = matters and client.settings.role in _OF_PARTS
        return self._ledger.get(key) or await self.in_flight.join(
            key, lambda: self._make(_Keyed(key, is_of_part), client, request)
        )

    async def finish(self) -> None:
        """Wait for the calls in flight and for every write to the ledger."""
        while tasks := [*self.in_flight.tasks(), *self._discards]:
            await asyncio.wait(tasks)

    async def _make(self, call: _Keyed, client: RoleClient, request: Request) -> CallRecord:
        self._stop_signal.raise_if_set()
        if borrowed := await self._ledger.borrow(call.key):
            self.totals.borrowed += 1
            return borrowed
        async with self._budget.admitted(client.forecast.spend(request)):
            record = await self._ask(call, client, request)
            # Before the budget's block ends: the call is counted as used or as under way, and at no
            # moment as neither.
            self.totals.add(record)
        return record

    async def _ask(self, call: _Keyed, client: RoleClient, request: Request) -> CallRecord:
        """Ask the model, and when it gives no answer, its fallbacks in turn.

        All store under the first model's key: on resume the row keeps the answer that it had.
        """
        *first, last = (client, *client.fallbacks)
        for candidate in first:
            try:
                return await self._ask_one(call, candidate, request)
            except TRANSPORT_ERRORS:
                self.totals.faults[f"{candidate.settings.model} gave way"] += 1
        return await self._ask_one(call, last, request)

    async def _ask_one(self, call: _Keyed, client: RoleClient, request: Request) -> CallRecord:
        """Return the record of a client's reply, which is in the ledger by then."""
        fitting = fitted(request, client.settings)

        async def keep(reply: Response) -> None:
            try:
                record = record_of(client.settings, fitting, reply)
                await self._ledger.put(call.key, record, is_of_part=call.is_of_part)
            except StorageError as error:
                self._stop_signal.set(error)
                raise

        reply = await client.ask(fitting, keep, self._count_failure)
        return record_of(client.settings, fitting, reply)

    def _count_failure(
        self, kind: str, client: RoleClient, request: Request, reply: Response | None
    ) -> None:
        """Count an attempt without a usable reply; store what it cost.

        Raises:
            BudgetExhaustedError: Nothing is left for another attempt.
        """
        self.totals.faults[kind] += 1
        if reply is None:
            return
        discarded = _discarded(kind, record_of(client.settings, request, reply), reply)
        self.totals.add_discarded(discarded)
        # A task of its own: the caller is a callback, and its call need not wait for the disk.
        task = asyncio.create_task(self._ledger.put_discarded(discarded))
        self._discards.add(task)
        task.add_done_callback(self._end_discard)
        # The loser of a hedge is paid and needs no further attempt; its call has a reply.
        if kind != HEDGED:
            self._budget.check()

    def _end_discard(self, task: "asyncio.Task[None]") -> None:
        self._discards.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StorageError):
            self._stop_signal.set(error)


def record_of(settings: ModelSettings, request: Request, reply: Response) -> CallRecord:
    """Return the record of a finished call."""
    # Tokens of the turns before the last, by their share of the characters: those turns are the
    # same for all rows of a method, so a provider can cache them.
    characters = request.characters
    shared = characters - len(request.messages[-1]["content"])
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
        shared_tokens=round(reply.tokens_in * shared / characters) if characters else 0,
        tokens_out=reply.tokens_out,
        seconds=reply.seconds,
        cost_usd=None if cost is None else cost * reply.price_share,
        confidence=reply.confidence,
        thinking=reply.thinking,
        problem=reply.problem,
        is_estimated=reply.is_estimated,
    )


def _discarded(kind: str, record: CallRecord, reply: Response) -> DiscardedReply:
    return DiscardedReply(
        why=kind,
        role=record.role,
        model=record.model,
        is_estimated=reply.is_estimated,
        tokens_in=record.tokens_in,
        tokens_cached=record.tokens_cached,
        tokens_out=record.tokens_out,
        cost_usd=record.cost_usd,
    )
