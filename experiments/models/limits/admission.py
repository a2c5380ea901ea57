"""Admission control for one endpoint: concurrency, rate, health.

Calls wait in a queue; none is rejected for want of capacity.
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
"""Longest sleep of the head of the queue: the wait may shrink meanwhile, or a stop be signalled."""


class AdmissionController:
    """Admits requests to one endpoint; shared by the clients of all roles that use it.

    Args:
        name: Of the endpoint, for messages.
        size: Requests on the wire at once.
        rate_limiter: When the next request may start.
        circuit_breaker: Whether the endpoint is up.
        stop_signal: Ends every wait.
    """

    def __init__(
        self,
        name: str,
        size: int,
        rate_limiter: RateLimiter,
        circuit_breaker: CircuitBreaker,
        stop_signal: StopSignal,
    ) -> None:
        self._name = name
        self._slots = PrioritySemaphore(size)
        self._head_of_queue = asyncio.Lock()
        self._rate_limiter = rate_limiter
        self._circuit_breaker = circuit_breaker
        self._stop_signal = stop_signal

    @property
    def is_rate_limited(self) -> bool:
        """Tell whether the endpoint's 429s hold requests back at present."""
        return self._rate_limiter.is_throttling

    @property
    def is_blocked(self) -> bool:
        """Tell whether the endpoint is down or its 429s hold requests back at present."""
        return self._circuit_breaker.is_open or self._rate_limiter.is_throttling

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
            self._slots.release()
            raise

    def release(self) -> None:
        """Give the slot back."""
        self._slots.release()

    def record_success(self, start: Start, tokens: int) -> None:
        """Note a reply; tokens are those it used, 0 where the endpoint does not count them."""
        self._circuit_breaker.record_success()
        self._rate_limiter.record_success()
        if tokens:
            self._rate_limiter.record_usage(start, tokens)

    def record_rejection(self) -> None:
        """Note a request that the endpoint rejects for its content: the endpoint is up."""
        self._circuit_breaker.record_success()

    def record_failure(self, start: Start, call: Hashable, error: LMError) -> None:
        """Note what a failed request says about the endpoint."""
        now = asyncio.get_running_loop().time()
        self._rate_limiter.record_usage(start, 0)
        if isinstance(error, LMRateLimitError):
            self._rate_limiter.record_rate_limit(now, start, error.retry_after)
            self._circuit_breaker.record_rate_limit(now)
        else:
            self._circuit_breaker.record_failure(
                now,
                call,
                is_answer=isinstance(error, LMServerError),
                is_unreachable=isinstance(error, UnreachableError),
            )

    async def _start(self, tokens: float, *, is_patient: bool) -> Start:
        clock = asyncio.get_running_loop().time
        limiter, breaker = self._rate_limiter, self._circuit_breaker
        if not is_patient and breaker.wait_s(clock()) > 0:
            raise LMTransportError(f"{self._name} is down")
        while (wait := max(limiter.wait_s(clock()), breaker.wait_s(clock()))) > 0:
            self._check_patience(clock())
            await self._stop_signal.sleep(min(wait, RECHECK_S))
        self._stop_signal.raise_if_set()
        breaker.record_start(clock())
        return limiter.record_start(clock(), tokens)

    def _check_patience(self, now: float) -> None:
        if not self._circuit_breaker.is_patience_over(now):
            return
        if not self._circuit_breaker.has_answered:
            raise AccessError(self._name, "nothing answers there; check api_base and the server")
        problem = StoppedError(f"{self._name} has not answered for too long")
        self._stop_signal.set(problem)
        raise problem


class PrioritySemaphore:
    """A semaphore with two queues: waiters of the urgent one go first.

    Args:
        size: Holders at once.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._queues: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())  # urgent first

    async def acquire(self, *, is_urgent: bool = False) -> None:
        """Wait for a slot; urgent waiters go before all others."""
        if self._free:
            self._free -= 1
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

    def release(self) -> None:
        """Give a slot back, to the next in the queue."""
        for queue in self._queues:
            while queue:
                turn = queue.popleft()
                if not turn.done():  # a cancelled waiter stays in the queue until its turn
                    turn.set_result(None)
                    return
        self._free += 1
