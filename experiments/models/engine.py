"""The one engine under every model call: ledger first, then the budget, then the line.

The engine owns one I/O thread with an event loop. Callers, with or without a loop of their own,
hand a call over and wait for its reply; a reply is in the ledger before anybody sees it.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from experiments.models.endpoints import ModelSettings
from experiments.models.ledger import Ledger, ledger_key
from experiments.models.line import Line
from experiments.models.meter import Budget, Meter
from experiments.models.wire import Reply, Transport, WireCall
from program.calls import CallRecord

CLOSING_S = 120.0
"""Longest wait for calls in flight when the engine is closed."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """A reply and what it cost."""

    reply: Reply
    record: CallRecord


class Engine:
    """Answers calls for every role of a run.

    Args:
        ledger: Where finished calls are kept.
        budget: Past it no call is started.
    """

    def __init__(self, ledger: Ledger, budget: Budget | None = None) -> None:
        self._ledger = ledger
        self._meter = Meter(budget or Budget())
        self.totals = self._meter.totals
        self._under_way: dict[str, asyncio.Task[Reply]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()

    def __deepcopy__(self, memo: object) -> "Engine":
        """Return the engine itself: a copied program asks the same engine."""
        return self

    def submit(self, line: Line, call: WireCall, draw: int) -> "Future[CallResult]":
        """Hand a call to the I/O thread."""
        return self._run(self._answer(line, call, draw))

    def close(self, transports: list[Transport]) -> None:
        """Wait for calls in flight, which are paid, then close transports, thread and ledger."""
        self._run(self._settled()).result()
        for transport in transports:
            self._run(transport.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._ledger.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _settled(self) -> None:
        if self._under_way:
            await asyncio.wait(list(self._under_way.values()), timeout=CLOSING_S)

    async def _answer(self, line: Line, call: WireCall, draw: int) -> CallResult:
        key = ledger_key(line.identity, call, dict(line.settings.params), draw)
        kept = self._ledger.get(key)
        reply = kept or await self._shared(key, line, call)
        record = record_of(line.settings, call, reply, is_replayed=kept is not None)
        self._meter.count(key, record)
        return CallResult(reply, record)

    async def _shared(self, key: str, line: Line, call: WireCall) -> Reply:
        """Make the call, or wait for the same call that is under way already."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, line, call))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(task)

    async def _made(self, key: str, line: Line, call: WireCall) -> Reply:
        async with line.gate:
            with self._meter.admitted():
                reply = await line.ask(call)
            self._ledger.put(key, reply)
            self._meter.count(key, record_of(line.settings, call, reply, is_replayed=False))
            return reply


def record_of(
    settings: ModelSettings, call: WireCall, reply: Reply, *, is_replayed: bool
) -> CallRecord:
    """Return the record of a finished call."""
    shared = sum(len(message["content"]) for message in call.messages[:-1])
    whole = shared + len(call.messages[-1]["content"])
    price = settings.price
    cost = price.cost(reply.tokens_in, reply.tokens_out, reply.tokens_cached) if price else None
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
        cost_usd=cost,
    )
