"""The cases that the bulk phase is measured in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LATENCY = 0.2


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table.

    Attributes:
        concurrency: Calls in flight.
        server: Settings of its endpoint.
        has_limit: Whether the plain script runs for comparison.
    """

    name: str
    rows: int
    concurrency: int = 64
    server: Mapping[str, Any] = field(default_factory=dict)
    has_limit: bool = True


def cases(rows_large: int) -> list[Case]:
    """Return all cases; `rows_large` is the size of the large one."""
    slow = {"latency": LATENCY}
    faults = {**slow, "rate_limited": 0.1, "server_error": 0.05, "torn": 0.02}
    capped = [
        Case(f"cap-100-{kind}", 500, server={**slow, "cap": 100, "cap_kind": kind})
        for kind in ("window", "fixed", "bucket")
    ]
    return [
        Case("clean-500", 500, server=slow),
        Case("clean-5000", 5000, 256, slow),
        Case("faults-500", 500, server=faults),
        Case("empty-500", 500, server={**slow, "empty": 0.06}),
        *capped,
        Case("random-429", 2000, server={**slow, "rate_limited": 0.1}),
        Case("hangs", 500, server={**slow, "hangs": [50, 200, 350], "hang_s": 30}),
        Case("memory-5000", 5000, 256, has_limit=False),
        Case("memory-large", rows_large, 256, has_limit=False),
    ]
