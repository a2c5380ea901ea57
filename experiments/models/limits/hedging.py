"""Hedging: a request far beyond the usual latency is sent a second time; the first reply wins."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.models.limits.pool import Ticket
from autoevol.experiments.models.transports.protocol import Response


@dataclass(frozen=True, slots=True)
class HedgedAttempt:
    """The steps of a request: admit it, then send it; or release its slot unused."""

    admit: Callable[[], Coroutine[Any, Any, Ticket]]
    send: Callable[[Ticket], Coroutine[Any, Any, Response]]
    release: Callable[[Ticket], None]


OnLoser = Callable[[Response | None], None]
"""Takes the reply of the request that was not needed; None: it was cancelled."""

FLOOR_S = 10.0
"""Least time after which a request is late, whatever the latencies."""

TIMES_P95 = 4.0
LEAST = 20
"""Latencies that must be known before a request counts as late."""

LATENCIES = 256
"""Latencies over which the percentile is taken."""


class Hedger:
    """Learns the latencies of one client, and hedges requests that are far beyond them.

    Args:
        after: Seconds from which a request is late; None: 4 times the 95th percentile, at least
            10 s; 0: never.
    """

    def __init__(self, after: float | None) -> None:
        self._after = after
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._p95 = 0.0
        self._count = 0

    @property
    def late_s(self) -> float | None:
        """Seconds from which a request is late; None: not known yet."""
        if self._after is not None:
            return self._after
        return max(TIMES_P95 * self._p95, FLOOR_S) if self._count >= LEAST else None

    def record_latency(self, seconds: float) -> None:
        """Learn the latency of a reply."""
        self._latencies.append(seconds)
        self._count += 1
        if self._count % LEAST == 0:  # to sort for each reply would cost too much
            self._p95 = sorted(self._latencies)[int(0.95 * len(self._latencies))]

    async def run(self, ticket: Ticket, attempt: HedgedAttempt, on_loser: OnLoser) -> Response:
        """Return the reply of a request, or of its hedge if the first is late and slower.

        Args:
            ticket: Of the request, which is admitted already.
            attempt: See `HedgedAttempt`.
            on_loser: See `OnLoser`; not called when both requests failed.

        Raises:
            LMError: Of the last request that failed.
        """
        if self._after == 0:
            return await attempt.send(ticket)
        race = _Race(self, ticket, attempt, on_loser)
        try:
            return await race.winner
        finally:
            race.end()


class _Race:
    """A request and its hedge. The first reply wins; an error counts when it is the last result."""

    def __init__(
        self, hedger: Hedger, ticket: Ticket, attempt: HedgedAttempt, on_loser: OnLoser
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.winner: asyncio.Future[Response] = self._loop.create_future()
        self._hedger = hedger
        self._first = ticket
        self._attempt = attempt
        self._on_loser = on_loser
        self._requests: set[asyncio.Task[Response]] = set()
        self._hedge: asyncio.Task[None] | None = None
        self._send(ticket)
        # A timer, not a task that waits: nearly every request is over before it fires.
        self._timer = self._loop.call_later(hedger.late_s or FLOOR_S, self._send_again_if_late)

    def end(self) -> None:
        """Cancel what is still under way."""
        self._timer.cancel()
        if self._hedge is not None:
            self._hedge.cancel()
        for request in self._requests:
            request.cancel()

    def _send(self, ticket: Ticket) -> None:
        request = asyncio.ensure_future(self._attempt.send(ticket))
        self._requests.add(request)
        request.add_done_callback(self._finish)

    def _send_again_if_late(self) -> None:
        # The limit may have moved since the timer was set: replies of other calls have come.
        late = self._hedger.late_s
        left = FLOOR_S if late is None else self._first.start.at + late - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._send_again_if_late)
        else:
            self._hedge = asyncio.ensure_future(self._admit_and_send())

    async def _admit_and_send(self) -> None:
        """Send the hedge once there is a slot for it, if it is still needed."""
        ticket = await self._attempt.admit()
        try:
            # The slot may be the one that the first request has just released; one turn of the loop
            # later its reply has ended the race, and this task is cancelled.
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._attempt.release(ticket)
            raise
        if self._requests:
            self._send(ticket)
        else:
            self._attempt.release(ticket)

    def _finish(self, request: "asyncio.Task[Response]") -> None:
        self._requests.discard(request)
        if request.cancelled():
            return
        error = request.exception()
        if self.winner.done():
            # Both ended in the same turn of the loop: the loser's reply came too late to cancel it.
            if error is None:
                self._on_loser(request.result())
        elif error is None:
            self.winner.set_result(request.result())
            for other in self._requests:
                # One that is done reports itself, in the branch above: no loser counts twice.
                if not other.done():
                    self._on_loser(None)
            self.end()
        elif not self._requests:
            self.winner.set_exception(error)
