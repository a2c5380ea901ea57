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
        first = asyncio.ensure_future(send())
        try:
            if await self._is_late(first):
                return await _race(first, asyncio.ensure_future(again()), on_loser)
            return await first
        except asyncio.CancelledError:
            first.cancel()
            raise

    async def _is_late(self, call: "asyncio.Future[Reply]") -> bool:
        """Wait until the call is done or late."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        while not call.done():
            late = self.late_s
            left = FLOOR_S if late is None else started + late - loop.time()
            if left <= 0:
                return True
            await asyncio.wait((call,), timeout=left)
        return False


async def _race(
    first: "asyncio.Future[Reply]", second: "asyncio.Future[Reply]", on_loser: OnLoser
) -> Reply:
    """Return the first reply; an error counts only when the other try fails as well."""
    tries = {first, second}
    try:
        while True:
            done, waiting = await asyncio.wait(tries, return_when=asyncio.FIRST_COMPLETED)
            winners = [call for call in done if call.exception() is None]
            if winners:
                break
            if not waiting:
                return done.pop().result()
            tries = waiting
    except asyncio.CancelledError:
        for call in (first, second):
            call.cancel()
        raise
    for loser in {first, second} - {winners[0]}:
        on_loser(loser.result() if loser in winners else None)
        loser.cancel()
    return winners[0].result()
