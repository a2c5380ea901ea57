"""The one engine under every model call: a thread with an event loop, and the calls onto it.

A program that runs on that loop (`Engine.run`) makes its calls without changing threads; other
callers hand a call over and wait. What becomes of a call is in `dispatch`.
"""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.client import RoleClient
from autoevol.experiments.models.dispatch import Dispatcher
from autoevol.experiments.models.ledger import Ledger
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.transports.protocol import Closing, Request
from autoevol.program.calls import CallRecord
from autoevol.program.errors import StoppedError

YOUNG_OBJECTS = 20_000
"""New objects after which the garbage collector looks for cycles; Python's default is 700."""

Result = TypeVar("Result")


class LoopThread:
    """A thread that runs one event loop.

    Attributes:
        loop: The loop.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="engine", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Tell whether the caller runs on this thread."""
        return threading.current_thread() is self._thread

    def schedule(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Run a coroutine on the loop. Safe from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def call(self, function: Callable[[], None]) -> None:
        """Call a function on the loop, unless it is closed. Safe from any thread."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function)

    def close(self) -> None:
        """End the loop and its thread."""
        # litellm leaves tasks of its own behind, which would be destroyed while they wait.
        self.schedule(_cancel_others()).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _cancel_others() -> None:
    """Cancel every task of the running loop but this one, and wait for their ends."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Engine:
    """Answers calls for every role of a run.

    Args:
        ledger: Finished calls; the engine closes it.
        budget: Once it is used up no call starts.
        stop_signal: Shared with the clients; set by `stop`.
        greedy_draws: See `Dispatcher`.

    Attributes:
        totals: What the run has used so far.
    """

    def __init__(
        self,
        ledger: Ledger,
        budget: Budget | None = None,
        stop_signal: StopSignal | None = None,
        *,
        greedy_draws: bool = True,
    ) -> None:
        self._ledger = ledger
        self._stop_signal = stop_signal or StopSignal()
        self._dispatcher = Dispatcher(
            ledger, budget or Budget(), self._stop_signal, greedy_draws=greedy_draws
        )
        self.totals = self._dispatcher.totals
        self._thread = LoopThread()

    def __deepcopy__(self, memo: object) -> "Engine":
        """Return the engine itself: a copied program uses the same engine."""
        return self

    @property
    def in_flight(self) -> int:
        """Calls that are being made now."""
        return len(self._dispatcher.in_flight)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a program on the engine's own loop, and return its result."""
        # What is loaded by now stays to the end, so the garbage collector need not visit it again.
        # A run makes so many short-lived objects that a collection after every few hundred of them
        # costs more than it frees.
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        return self._thread.schedule(work).result()

    def submit(self, client: RoleClient, request: Request, draw: int) -> "Future[CallRecord]":
        """Hand a call to the engine's thread.

        Raises:
            RuntimeError: Called on that very thread, where waiting for the reply would never end.
        """
        if self._thread.is_current:
            raise RuntimeError("a program on the engine's loop has to use `acall`")
        return self._thread.schedule(self._dispatcher.answer(client, request, draw))

    async def answer(self, client: RoleClient, request: Request, draw: int) -> CallRecord:
        """Return the finished call, from any event loop; its reply is in the ledger by then.

        Raises:
            BudgetExhaustedError: The call is not in the ledger and may not be made.
            StoppedError: The run is to stop.
            StorageError: The reply could not be stored.
            LMError: The call failed for good.
        """
        if asyncio.get_running_loop() is self._thread.loop:
            return await self._dispatcher.answer(client, request, draw)
        return await asyncio.wrap_future(self.submit(client, request, draw))

    @asynccontextmanager
    async def part(self, ledger: Path) -> AsyncIterator[None]:
        """Keep the calls of a part of the run in a ledger of its own while the block runs.

        Calls that do not depend on their draw stay in the run's ledger, which all parts read.

        Args:
            ledger: The file; made if there is none.

        Raises:
            ConfigError: It cannot be used.
        """
        self._ledger.use_part(ledger)
        yield
        # After an error the engine closes it, once the requests on the wire have ended.
        await self._dispatcher.finish()
        self._ledger.use_part(None)

    def stop(self, reason: StoppedError) -> None:
        """Start no request from now on; those on the wire finish. Safe from any thread."""
        self._stop_signal.set(reason)

    def abandon(self) -> None:
        """Cancel the requests on the wire. Safe from any thread."""
        self._thread.call(self._dispatcher.in_flight.cancel)

    def close(self, transports: Sequence[Closing]) -> None:
        """Wait for requests on the wire, which are paid, then close everything.

        Each request ends by its transport's timeout at the latest. Calls that still wait to be sent
        are given up.
        """
        if self._thread.loop.is_closed():
            return
        self.stop(StoppedError("the run has ended"))
        try:
            self._thread.schedule(_finish(self._dispatcher, transports)).result()
        finally:
            self._thread.close()
            self._ledger.close()


async def _finish(dispatcher: Dispatcher, transports: Sequence[Closing]) -> None:
    await dispatcher.finish()
    # One after the other: litellm's clients are closed by whichever of them comes first.
    for transport in transports:
        await transport.close()
