"""A stop signal shared by all calls: no request starts any more, requests on the wire finish."""

import asyncio

from autoevol.program.errors import AutoEvolError

RECHECK_S = 0.1
"""Longest time until a sleeping call sees the signal."""


class StopSignal:
    """Set once, from any thread; every call that waits checks it."""

    def __init__(self) -> None:
        self._reason: AutoEvolError | None = None

    def set(self, reason: AutoEvolError) -> None:
        """Let no request start from now on; the first reason is kept."""
        self._reason = self._reason or reason

    def raise_if_set(self) -> None:
        """Return, or raise.

        Raises:
            AutoEvolError: The reason of the stop.
        """
        if self._reason is not None:
            raise self._reason

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the signal is set.

        Raises:
            AutoEvolError: The reason of the stop.
        """
        # Short sleeps instead of one wait for an event: the signal may come from another thread,
        # or from a signal handler, where no event of the loop may be touched.
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        self.raise_if_set()
        while (left := deadline - loop.time()) > 0:
            await asyncio.sleep(min(left, RECHECK_S))
            self.raise_if_set()
