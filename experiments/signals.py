"""Ctrl-C and SIGTERM: the first lets calls in flight finish, the second stops at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from experiments.models.engine import Engine
from program.errors import StoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stopping_on_signal(engine: Engine, say: Callable[[str], None]) -> Iterator[None]:
    """Turn the first signal into a clean stop; only a program's main thread hears signals.

    Raises:
        StoppedError: Later, out of the program, when the calls in flight are finished.
        KeyboardInterrupt: On a second signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []

    def hear(number: int, _: Any) -> None:
        heard.append(number)
        if len(heard) > 1:
            engine.abandon()
            raise KeyboardInterrupt
        say(f"stopping: {engine.in_flight} calls in flight are finished; again: stop at once")
        engine.stop(StoppedError("stopped"))

    before = {number: signal.signal(number, hear) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
