"""The wish to stop: nothing new is asked, what is on the wire is finished."""

import asyncio

from autoevol.program.errors import AutoEvolError

RECHECK_S = 0.1
"""Longest time until a sleeping call hears of the wish."""


class StopSignal:
    """Set once, from any thread; whoever waits to ask something hears of it."""

    def __init__(self) -> None:
        self._why: AutoEvolError | None = None

    def request(self, why: AutoEvolError) -> None:
        """Let no call start from now on; the first reason stands."""
        self._why = self._why or why

    def check(self) -> None:
        """Go on, or raise.

        Raises:
            AutoEvolError: Why the run is to stop.
        """
        if self._why is not None:
            raise self._why

    async def pause(self, seconds: float) -> None:
        """Sleep, unless the run is to stop.

        Raises:
            AutoEvolError: Why the run is to stop.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        self.check()
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, RECHECK_S))
            self.check()
