"""Ctrl-C and SIGTERM: the first lets calls in flight finish, the second stops at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from autoevol.experiments.models.engine import Engine
from autoevol.program.errors import StoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopper:
    """Handles signals; until an engine is attached, a signal ends the program at once.

    Args:
        say: Prints one line for the user.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._engine: Engine | None = None
        self._say = say
        self._is_stopping = False

    def attach(self, engine: Engine) -> None:
        """Stop this engine on the next signal.

        Signals are handled before there is an engine, while weights are fetched and servers start.
        """
        self._engine = engine

    def handle(self, *_: Any) -> None:
        """Stop: cleanly the first time, at once the second time.

        Raises:
            KeyboardInterrupt: At once.
        """
        if self._engine is None:
            raise KeyboardInterrupt
        if self._is_stopping:
            self._engine.abandon()
            raise KeyboardInterrupt
        self._is_stopping = True
        count = self._engine.in_flight
        self._say(f"stopping after {count} calls in flight; press Ctrl-C again to stop at once")
        self._engine.stop(StoppedError("stopped"))


@contextlib.contextmanager
def stopping_on_signal(say: Callable[[str], None]) -> Iterator[Stopper]:
    """Handle signals until the block is left."""
    stopper = Stopper(say)
    # Python lets only the main thread set handlers; a run in another thread goes without.
    if threading.current_thread() is not threading.main_thread():
        yield stopper
        return
    before = {number: signal.signal(number, stopper.handle) for number in _SIGNALS}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
