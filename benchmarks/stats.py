"""What the benchmark's endpoint has seen."""

import hashlib
from collections import Counter
from typing import Any

DROPPED_NAME = "dropped"
GONE_NAME = "gone"


class Stats:
    """Counts chat requests, from their arrival to the last byte of their reply."""

    def __init__(self) -> None:
        self._by_status: Counter[str] = Counter()
        self._served: set[bytes] = set()
        self._requests = self._good = self._repeated_good = 0
        self._in_flight = self._in_flight_max = 0
        self._first = self._last = self._changed = 0.0
        self._area = self._area_at_last = 0.0

    def arrived(self, now: float) -> None:
        """Count a request that came in."""
        if not self._requests:
            self._first = self._changed = now
        self._requests += 1
        self._move(now, 1)
        self._in_flight_max = max(self._in_flight_max, self._in_flight)
        self._last, self._area_at_last = now, self._area

    def replied(self, now: float, status: int, good_for: bytes | None) -> None:
        """Count a reply that was written as a whole, or a connection that was dropped.

        Args:
            now: When the last byte left.
            status: 0: the connection was dropped.
            good_for: The request's body if the reply is sound, else None.
        """
        self._move(now, -1)
        self._by_status[str(status) if status else DROPPED_NAME] += 1
        if good_for is not None:
            digest = hashlib.sha1(good_for, usedforsecurity=False).digest()
            self._good += 1
            self._repeated_good += digest in self._served
            self._served.add(digest)

    def lost(self, now: float) -> None:
        """Count a request whose client left before its reply was written."""
        self._move(now, -1)
        self._by_status[GONE_NAME] += 1

    def forget(self, now: float) -> "Stats":
        """Return zeroed stats that still know of the requests under way."""
        following = Stats()
        following._in_flight = following._in_flight_max = self._in_flight
        following._first = following._last = following._changed = now
        return following

    def as_dict(self) -> dict[str, Any]:
        """Return the figures.

        `in_flight_mean` is weighted by time and, like `seconds`, spans the first to the last
        arrival, so the wait for the last replies is no part of it. `gone` among the statuses are
        clients that left.
        """
        seconds = self._last - self._first
        return {
            "requests": self._requests,
            "by_status": dict(self._by_status),
            "good": self._good,
            "repeated_good": self._repeated_good,
            "in_flight_max": self._in_flight_max,
            "in_flight_mean": self._area_at_last / seconds if seconds else 0.0,
            "seconds": seconds,
        }

    def _move(self, now: float, step: int) -> None:
        self._area += self._in_flight * (now - self._changed)
        self._changed = now
        self._in_flight += step
