"""Calls far beyond the usual latency are made a second time; the first sound reply wins."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.models.limits.rate_limiter import Start
from autoevol.experiments.models.transports.protocol import Response


@dataclass(frozen=True, slots=True)
class HedgedAttempt:
    """How a call is made: enter, then send; or leave again."""

    enter: Callable[[], Coroutine[Any, Any, Start]]
    send: Callable[[Start], Coroutine[Any, Any, Response]]
    leave: Callable[[], None]


OnLoser = Callable[[Response | None], None]
"""Hears of the try that was not needed: its reply, or None where it was cancelled."""

FLOOR_S = 10.0
TIMES_P95 = 4.0
LEAST = 20
"""Latencies that must be known before a call counts as late."""

LATENCIES = 256


class Hedger:
    """Knows the latencies of one line, and hedges what is far beyond them.

    Args:
        after: Seconds from which a call is late; None: 4 times the 95th percentile, at least 10 s;
            0: never.
    """

    def __init__(self, after: float | None) -> None:
        self._after = after
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._p95 = 0.0
        self._heard = 0

    @property
    def late_s(self) -> float | None:
        """Seconds from which a call is late; None: not known yet."""
        if self._after is not None:
            return self._after
        return max(TIMES_P95 * self._p95, FLOOR_S) if self._heard >= LEAST else None

    def heard(self, seconds: float) -> None:
        """Take in the latency of a reply."""
        self._latencies.append(seconds)
        self._heard += 1
        if self._heard % LEAST == 0:
            self._p95 = sorted(self._latencies)[int(0.95 * len(self._latencies))]

    async def hedged(self, start: Start, way: HedgedAttempt, on_loser: OnLoser) -> Response:
        """Return the reply of a call, or of a second try if the first is late and slower.

        Args:
            start: The call has entered already.
            way: See `HedgedAttempt`.
            on_loser: See `OnLoser`; not called when both tries failed.

        Raises:
            LMError: Of the last try that failed.
        """
        if self._after == 0:
            return await way.send(start)
        loop = asyncio.get_running_loop()
        race = _Race(way, on_loser)
        race.enter(start)

        def look() -> None:
            late = self.late_s
            left = FLOOR_S if late is None else start.at + late - loop.time()
            if left > 0:
                race.timer = loop.call_later(left, look)
            else:
                race.enter_again()

        race.timer = loop.call_later(self.late_s or FLOOR_S, look)
        try:
            return await race.winner
        finally:
            race.end()


class _Race:
    """Tries of one call; the first reply wins, an error counts when no other try is left."""

    def __init__(self, way: HedgedAttempt, on_loser: OnLoser) -> None:
        self.winner: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.TimerHandle | None = None
        self._way = way
        self._on_loser = on_loser
        self._tries: set[asyncio.Task[Response]] = set()
        self._entry: asyncio.Task[None] | None = None

    def enter(self, start: Start) -> None:
        """Start one more try."""
        call = asyncio.ensure_future(self._way.send(start))
        self._tries.add(call)
        call.add_done_callback(self._arrive)

    def enter_again(self) -> None:
        """Start a second try as soon as there is a place for it, if that is still needed."""
        self._entry = asyncio.ensure_future(self._entered())

    def end(self) -> None:
        """Give up what is still under way."""
        if self.timer is not None:
            self.timer.cancel()
        if self._entry is not None:
            self._entry.cancel()
        for call in self._tries:
            call.cancel()

    async def _entered(self) -> None:
        start = await self._way.enter()
        try:
            await asyncio.sleep(0)  # the place may be the one that the first try has just left
        except asyncio.CancelledError:
            self._way.leave()
            raise
        if self._tries:
            self.enter(start)
        else:
            self._way.leave()

    def _arrive(self, call: "asyncio.Task[Response]") -> None:
        self._tries.discard(call)
        if call.cancelled():
            return
        error = call.exception()
        if self.winner.done():
            if error is None:
                self._on_loser(call.result())
        elif error is None:
            self.winner.set_result(call.result())
            for other in self._tries:
                if not other.done():
                    self._on_loser(None)
            self.end()
        elif not self._tries:
            self.winner.set_exception(error)
