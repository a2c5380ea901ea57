"""Rate limits as providers count them."""

from collections import deque
from typing import Protocol


class Cap(Protocol):
    """Decides which requests are within a rate."""

    def admits(self, now: float) -> bool:
        """Tell whether a request that arrives at `now` is served, and count it if so."""


class SlidingWindow:
    """At most `rate` requests in any second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._served: deque[float] = deque()

    def admits(self, now: float) -> bool:
        """Tell whether fewer than the rate were served in the last second."""
        while self._served and self._served[0] <= now - 1:
            self._served.popleft()
        if len(self._served) >= self._rate:
            return False
        self._served.append(now)
        return True


class FixedWindow:
    """At most `rate` requests in each whole second since `start`."""

    def __init__(self, rate: float, start: float) -> None:
        self._rate = rate
        self._start = start
        self._second = -1
        self._served = 0

    def admits(self, now: float) -> bool:
        """Tell whether fewer than the rate were served in this second."""
        second = int(now - self._start)
        if second != self._second:
            self._second, self._served = second, 0
        if self._served >= self._rate:
            return False
        self._served += 1
        return True


class TokenBucket:
    """`rate` tokens flow in every second; at most a tenth of that, but at least one, is held."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._capacity = max(1.0, rate / 10)
        self._tokens = self._capacity
        self._filled_at = now

    def admits(self, now: float) -> bool:
        """Take a token; tell whether there was one."""
        inflow = (now - self._filled_at) * self._rate
        self._tokens = min(self._capacity, self._tokens + inflow)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def cap_of(kind: str, rate: float | None, *, start: float, now: float) -> Cap | None:
    """Return the cap called `kind`; None without a rate.

    Args:
        kind: One of `benchmarks.settings.CAP_KINDS`.
        rate: Requests per second.
        start: From where whole seconds are counted.
        now: When the cap comes into force.
    """
    if rate is None:
        return None
    if kind == "fixed":
        return FixedWindow(rate, start)
    return TokenBucket(rate, now) if kind == "bucket" else SlidingWindow(rate)
