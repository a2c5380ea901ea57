"""The way to one endpoint: so many calls at once, at such a pace, while it is there.

Calls queue; none is turned away. Whoever stands first in the queue waits for all.
"""

import asyncio
from collections import deque
from collections.abc import Hashable

from dspy.utils.exceptions import LMError, LMRateLimitError, LMServerError, LMTransportError

from autoevol.experiments.models.limits.circuit_breaker import CircuitBreaker
from autoevol.experiments.models.limits.rate_limiter import RateLimiter, Start
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.transports.errors import UnreachableError
from autoevol.program.errors import AccessError, StoppedError

RECHECK_S = 0.25
"""Longest sleep of the first in the queue before it looks again."""


class AdmissionController:
    """Shared by the lines of one endpoint.

    Args:
        name: Of the endpoint, for messages.
        size: Calls on the wire at once.
        pace: When the next call may start.
        outage: Whether the endpoint is there.
        halt: The wish to stop.
    """

    def __init__(
        self, name: str, size: int, pace: RateLimiter, outage: CircuitBreaker, halt: StopSignal
    ) -> None:
        self.pace = pace
        self.outage = outage
        self._name = name
        self._places = PrioritySemaphore(size)
        self._queue = asyncio.Lock()
        self._halt = halt

    async def enter(
        self, tokens: float, *, is_urgent: bool = False, is_patient: bool = True
    ) -> Start:
        """Wait for a place and for the pace; leave with `leave`.

        Args:
            tokens: What the call will probably use.
            is_urgent: The call has waited once already; it goes before others.
            is_patient: The call waits while the endpoint is down; it has nowhere else to go.

        Raises:
            StoppedError: The run is to stop, or the endpoint has been silent for too long.
            AccessError: The endpoint has never answered.
            LMTransportError: The endpoint is down and the call is not patient.
        """
        await self._places.acquire(is_urgent=is_urgent)
        try:
            async with self._queue:
                return await self._started(tokens, is_patient=is_patient)
        except BaseException:
            self._places.release()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()

    def answered(self) -> None:
        """Note that the endpoint is there and takes calls."""
        self.outage.served()
        self.pace.taken()

    def failed(self, start: Start, call: Hashable, error: LMError) -> None:
        """Note what a lost call says about the endpoint."""
        now = asyncio.get_running_loop().time()
        if isinstance(error, LMRateLimitError):
            self.pace.settled(start, 0)
            self.pace.refused(now, start, error.retry_after)
            self.outage.refused(now)
        else:
            self.pace.settled(start, 0)
            self.outage.failed(
                now,
                call,
                is_answer=isinstance(error, LMServerError),
                is_unreachable=isinstance(error, UnreachableError),
            )

    async def _started(self, tokens: float, *, is_patient: bool) -> Start:
        clock = asyncio.get_running_loop().time
        if not is_patient and self.outage.wait_s(clock()) > 0:
            raise LMTransportError(f"{self._name} is down")
        while (wait := max(self.pace.wait_s(clock()), self.outage.wait_s(clock()))) > 0:
            self._check_patience(clock())
            await self._halt.pause(min(wait, RECHECK_S))
        self._halt.check()
        self.outage.looks(clock())
        return self.pace.started(clock(), tokens)

    def _check_patience(self, now: float) -> None:
        if not self.outage.is_given_up(now):
            return
        if not self.outage.has_answered:
            raise AccessError(self._name, "nothing answers there; check api_base and the server")
        problem = StoppedError(f"{self._name} has not answered for too long")
        self._halt.request(problem)
        raise problem


class PrioritySemaphore:
    """A semaphore with a second queue for those in a hurry.

    Args:
        size: Holders at once.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())

    async def acquire(self, *, is_urgent: bool = False) -> None:
        """Wait for a place; urgent ones go before all others."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[0 if is_urgent else 1].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a place back, to the next in the queue."""
        for queue in self._waiting:
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
