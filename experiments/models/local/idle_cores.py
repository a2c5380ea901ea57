"""How many cores this process may use, and how many of them other processes leave idle."""

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_SAMPLE_S = 0.4
"""Long enough for some forty ticks of the kernel's clock, too short to be noticed at a start."""


def cores() -> int:
    """Return the cores that this process may use; more threads would wait for one another."""
    # Not os.cpu_count() where it can be avoided: a container or a job may be bound to fewer cores.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def idle_cores() -> int:
    """Return how many cores are idle at present, at least 1; all of them where nothing tells.

    llama.cpp's threads wait for one another thousands of times a token. A thread without a core of
    its own holds up all others: on two busy cores two threads were several times slower than one.
    """
    before = _idle_and_total()
    if before is None:
        return cores()
    time.sleep(_SAMPLE_S)
    after = _idle_and_total() or before
    total = after[1] - before[1]
    share = (after[0] - before[0]) / total if total else 1.0
    return max(1, round(share * cores()))


def _idle_and_total() -> tuple[int, int] | None:
    """Return the idle ticks and all ticks of this process's cores; None: not on this system."""
    if not _STAT.is_file() or not hasattr(os, "sched_getaffinity"):
        return None
    names = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    idle = total = 0
    for line in _STAT.read_text().splitlines():
        name, *ticks = line.split()
        if name in names:
            counts = [int(count) for count in ticks[:8]]
            idle, total = idle + counts[3] + counts[4], total + sum(counts)  # idle and iowait
    return (idle, total) if total else None
