"""Wall time, CPU time and peak memory of this process."""

import json
import resource
import sys
import time
from typing import Any

KIB_PER_MB = 1024


class Stopwatch:
    """Runs from its making until it is stopped; CPU time is that of all threads."""

    def __init__(self) -> None:
        self._cpu = _cpu_seconds()
        self._started = time.perf_counter()
        self.seconds = self.cpu_seconds = 0.0

    def stop(self) -> None:
        """Take the time."""
        self.seconds = time.perf_counter() - self._started
        self.cpu_seconds = _cpu_seconds() - self._cpu

    def report(self, **more: Any) -> None:
        """Write the figures, and `more`, as one JSON line to stdout."""
        figures = {
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MB,
        }
        sys.stdout.write(json.dumps({**figures, **more}) + "\n")
        sys.stdout.flush()


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
