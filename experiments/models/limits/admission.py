"""Admission control for one endpoint: concurrency, rate, health.

Calls wait in a queue; none is rejected for want of capacity.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from dspy.utils.exceptions import LMTransportError

from autoevol.experiments.models.limits.gate import Gate
from autoevol.experiments.models.limits.rate_limiter import Start
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.program.errors import AccessError, StoppedError

RECHECK_S = 0.25
"""Longest sleep of the head of the queue: the wait may shrink meanwhile, or a stop be signalled."""


class AdmissionController:
    """Admits requests to one endpoint; shared by the clients of all roles that use it.

    Attributes:
        gate: What the endpoint lets through.

    Args:
        gate: See above.
        stop_signal: Ends every wait.
    """

    def __init__(self, gate: Gate, stop_signal: StopSignal) -> None:
        self.gate = gate
        self._slots = PrioritySemaphore(gate.size)
        self._head_of_queue = asyncio.Lock()
        self._stop_signal = stop_signal
        self._watchers: list[Callable[[], None]] = []

    @property
    def load(self) -> int:
        """Requests that are on the wire."""
        return self.gate.size - self._slots.free

    async def admit(
        self, tokens: float, *, is_urgent: bool = False, is_patient: bool = True
    ) -> Start:
        """Wait for a slot and for the rate limiter; `release` gives the slot back.

        Args:
            tokens: What the request will probably use.
            is_urgent: The call has waited once already; it goes before others.
            is_patient: The call waits while the endpoint is down; it has no fallback.

        Raises:
            StoppedError: The run is to stop, or the endpoint has been down for too long.
            AccessError: The endpoint has never answered.
            LMTransportError: The endpoint is down and the call is not patient.
        """
        await self._slots.acquire(is_urgent=is_urgent)
        try:
            # Only the head of the queue waits for the rate limiter and the circuit breaker: one
            # timer instead of one for each call, and calls start in the order in which they came.
            async with self._head_of_queue:
                return await self._start(tokens, is_patient=is_patient)
        except BaseException:  # a cancelled call gives its slot back too
            self.release()
            raise

    def try_admit(self, tokens: float) -> Start | None:
        """Admit a request that may start at once; None: it would have to wait."""
        now = asyncio.get_running_loop().time()
        if self.gate.wait_s(now) > 0 or not self._slots.try_acquire():
            return None
        return self.gate.record_start(now, tokens)

    def watch(self, on_release: Callable[[], None]) -> None:
        """Call a function whenever a slot is given back."""
        self._watchers.append(on_release)

    def release(self) -> None:
        """Give the slot back."""
        self._slots.release()
        for on_release in self._watchers:
            on_release()

    async def _start(self, tokens: float, *, is_patient: bool) -> Start:
        clock, gate = asyncio.get_running_loop().time, self.gate
        if not is_patient and gate.circuit_breaker.wait_s(clock()) > 0:
            raise LMTransportError(f"{gate.name} is down")
        while (wait := gate.wait_s(clock())) > 0:
            self._check_patience(clock())
            await self._stop_signal.sleep(min(wait, RECHECK_S))
        self._stop_signal.raise_if_set()
        return gate.record_start(clock(), tokens)

    def _check_patience(self, now: float) -> None:
        breaker, name = self.gate.circuit_breaker, self.gate.name
        if not breaker.is_patience_over(now):
            return
        if not breaker.has_answered:
            raise AccessError(name, "nothing answers there; check api_base and the server")
        problem = StoppedError(f"{name} has not answered for too long")
        self._stop_signal.set(problem)
        raise problem


class PrioritySemaphore:
    """A semaphore with two queues: waiters of the urgent one go first.

    Attributes:
        free: Slots that nobody holds.

    Args:
        size: Holders at once.
    """

    def __init__(self, size: int) -> None:
        self.free = size
        self._queues: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())  # urgent first

    async def acquire(self, *, is_urgent: bool = False) -> None:
        """Wait for a slot; urgent waiters go before all others."""
        if self.try_acquire():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[0 if is_urgent else 1].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # The slot was handed over in the turn of the loop in which the waiter was cancelled:
            # pass it on, or it is lost.
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def try_acquire(self) -> bool:
        """Take a slot if one is free."""
        if not self.free:
            return False
        self.free -= 1
        return True

    def release(self) -> None:
        """Give a slot back, to the next in the queue."""
        for queue in self._queues:
            while queue:
                turn = queue.popleft()
                if not turn.done():  # a cancelled waiter stays in the queue until its turn
                    turn.set_result(None)
                    return
        self.free += 1
