"""Calls far beyond the usual latency are made a second time; the first sound reply wins."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from experiments.models.wire import Reply

Send = Callable[[], Coroutine[Any, Any, Reply]]
OnLoser = Callable[[Reply | None], None]
"""Hears of the try that was not needed: its reply, or None where it was cancelled."""

FLOOR_S = 10.0
TIMES_P95 = 4.0
LEAST = 20
"""Latencies that must be known before a call counts as late."""

LATENCIES = 256


class Stragglers:
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

    async def hedged(self, send: Send, again: Send, on_loser: OnLoser) -> Reply:
        """Return the reply of `send`, or of `again` if that is late and the other is faster.

        Args:
            send: Makes the call; its time counts from here on.
            again: Makes it once more; not called unless the first try is late.
            on_loser: See `OnLoser`; not called when both tries failed.

        Raises:
            LMError: Of the last try that failed.
        """
        if self._after == 0:
            return await send()
        loop = asyncio.get_running_loop()
        started = loop.time()
        race = _Race(on_loser)
        race.enter(send())

        def look() -> None:
            late = self.late_s
            left = FLOOR_S if late is None else started + late - loop.time()
            if left > 0:
                race.timer = loop.call_later(left, look)
            else:
                race.enter(again())

        race.timer = loop.call_later(self.late_s or FLOOR_S, look)
        try:
            return await race.winner
        finally:
            race.end()


class _Race:
    """Tries of one call; the first reply wins, an error counts when no other try is left."""

    def __init__(self, on_loser: OnLoser) -> None:
        self.winner: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.TimerHandle | None = None
        self._tries: set[asyncio.Task[Reply]] = set()
        self._on_loser = on_loser

    def enter(self, send: Coroutine[Any, Any, Reply]) -> None:
        """Start one more try."""
        call = asyncio.ensure_future(send)
        self._tries.add(call)
        call.add_done_callback(self._arrive)

    def end(self) -> None:
        """Give up what is still under way."""
        if self.timer is not None:
            self.timer.cancel()
        for call in self._tries:
            call.cancel()

    def _arrive(self, call: "asyncio.Task[Reply]") -> None:
        self._tries.discard(call)
        if call.cancelled():
            return
        error = call.exception()
        if self.winner.done():
            if error is None:
                self._on_loser(call.result())
        elif error is None:
            self.winner.set_result(call.result())
            for _ in self._tries:
                self._on_loser(None)
            self.end()
        elif not self._tries:
            self.winner.set_exception(error)
