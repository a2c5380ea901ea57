"""Places on the wire, handed out in order; a call that is made again does not queue anew."""

import asyncio
from collections import deque


class Places:
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
