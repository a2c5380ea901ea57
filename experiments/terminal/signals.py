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
    """Hears signals for an engine; before there is one, a signal ends the program.

    Args:
        say: Takes one line for people.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.engine: Engine | None = None
        self._say = say
        self._heard = 0

    def hear(self, *_: Any) -> None:
        """Stop: cleanly the first time, at once the second time.

        Raises:
            KeyboardInterrupt: At once.
        """
        self._heard += 1
        if self.engine is None or self._heard > 1:
            if self.engine is not None:
                self.engine.abandon()
            raise KeyboardInterrupt
        count = self.engine.in_flight
        self._say(f"stopping: {count} calls in flight are finished; again: stop at once")
        self.engine.stop(StoppedError("stopped"))


@contextlib.contextmanager
def stopping_on_signal(say: Callable[[str], None]) -> Iterator[Stopper]:
    """Hear signals until the block is left; only a program's main thread can."""
    stopper = Stopper(say)
    if threading.current_thread() is not threading.main_thread():
        yield stopper
        return
    before = {number: signal.signal(number, stopper.hear) for number in _SIGNALS}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
