"""A tracker's work on a thread of its own, so that its time and its faults are not the run's."""

import queue
import threading
from collections.abc import Callable

from autoevol.experiments.tracking.database import without_password

Action = Callable[[], object]


class BackgroundLog:
    """Does actions in order on a thread; the first that fails is the last.

    Args:
        on_failure: Called once with the reason, in a line.
    """

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        self._actions: queue.SimpleQueue[Action | None] = queue.SimpleQueue()
        self._on_failure = on_failure
        self._failed = threading.Event()
        # A daemon: a store that never answers must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="tracker", daemon=True)
        self._thread.start()

    def submit(self, action: Action) -> None:
        """Do this after all that was submitted before."""
        self._actions.put(action)

    def close(self, seconds: float) -> bool:
        """Wait for the actions, at most so long; return whether all were done and none failed."""
        self._actions.put(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._fail(f"MLflow is not done after {seconds:.0f} s more")
        return not self._failed.is_set()

    def _work(self) -> None:
        for action in iter(self._actions.get, None):
            # The caller no longer waits: what it has reported as missing must not come half.
            if self._failed.is_set():
                return
            try:
                action()
            # Whatever MLflow, its database driver or a server does, the run goes on.
            except Exception as error:  # noqa: BLE001
                self._fail(reason_of(error))
                return

    def _fail(self, reason: str) -> None:
        if not self._failed.is_set():
            self._failed.set()
            self._on_failure(reason)


def reason_of(error: Exception) -> str:
    """Return the first line of an error, for a message of one line."""
    line = str(error).strip().partition("\n")[0].partition(" (Caused by")[0]
    return without_password(line)[:300] or type(error).__name__
