"""Whether an endpoint has gone for a while, and how long the run waits for it."""

from collections.abc import Hashable

CALLS, FAILURES = 3, 8
"""Failures in a row, of so many different calls, that say that the endpoint is down, not a row."""

FIRST_PROBE_S, LONGEST_PROBE_S = 0.25, 5.0
FIRST_CONTACT_S = 15.0
"""An endpoint that has never answered is waited for no longer: its address is probably wrong."""


class Outage:
    """The health of one endpoint. Times are seconds of a monotonic clock.

    While it is down, calls wait without spending their attempts, and one at a time looks whether it
    is back.

    Args:
        patience: Seconds without an answer after which the run stops.
    """

    def __init__(self, patience: float) -> None:
        self.is_down = False
        self._patience = patience
        self._has_served = False
        self._failures = 0
        self._calls: set[Hashable] = set()
        self._since = 0.0
        self._next_probe = 0.0
        self._probe_s = FIRST_PROBE_S

    @property
    def has_served(self) -> bool:
        """Tell whether the endpoint has ever answered."""
        return self._has_served

    def wait_s(self, now: float) -> float:
        """Return how long the next call has to wait; 0: it may look."""
        return max(0.0, self._next_probe - now) if self.is_down else 0.0

    def is_given_up(self, now: float) -> bool:
        """Tell whether the endpoint has been silent for too long."""
        patience = self._patience if self._has_served else min(self._patience, FIRST_CONTACT_S)
        return bool(self._failures) and now - self._since > patience

    def looks(self, now: float) -> None:
        """Note that a call starts; while the endpoint is down, no other does for a while."""
        if self.is_down:
            self._probe_s = min(2 * self._probe_s, LONGEST_PROBE_S)
            self._next_probe = now + self._probe_s

    def served(self) -> None:
        """Note an answer, be it a refusal of the request."""
        self.is_down, self._has_served = False, True
        self._failures = 0
        self._calls.clear()
        self._probe_s = FIRST_PROBE_S

    def refused(self, now: float) -> None:
        """Note a call turned away: the endpoint lives, but gives no answer."""
        self._since = self._since if self._failures else now
        self._failures += 1

    def failed(self, now: float, call: Hashable, *, is_unreachable: bool) -> None:
        """Note a call without an answer; where nothing listens, one is enough."""
        self.refused(now)
        self._calls.add(call)
        many = self._failures >= FAILURES and len(self._calls) >= CALLS
        if self.is_down or is_unreachable or many:
            self.is_down = True
            self._next_probe = now + self._probe_s
