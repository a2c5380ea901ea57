"""Whether an endpoint has gone for a while, and how long the run waits for it."""

from collections.abc import Hashable

CALLS, FAILURES = 3, 8
"""Failures in a row, of so many different calls, that say that the endpoint is down, not a row."""

FIRST_PROBE_S, LONGEST_PROBE_S = 0.25, 5.0
FIRST_CONTACT_S = 15.0
"""An endpoint that has never answered is waited for no longer: its address is probably wrong."""


class CircuitBreaker:
    """The health of one endpoint. Times are seconds of a monotonic clock.

    While it is down, calls wait without spending their attempts, and one at a time looks whether it
    is back.

    Args:
        patience: Seconds without an answer after which the run stops.
    """

    def __init__(self, patience: float) -> None:
        self.is_down = False
        self.has_answered = False
        self._patience = patience
        self._failures = 0
        self._calls: set[Hashable] = set()
        self._failing_since = 0.0
        self._refusals = 0
        self._refusing_since = 0.0
        self._next_probe = 0.0
        self._probe_s = FIRST_PROBE_S

    def wait_s(self, now: float) -> float:
        """Return how long the next call has to wait; 0: it may look."""
        return max(0.0, self._next_probe - now) if self.is_down else 0.0

    def is_given_up(self, now: float) -> bool:
        """Tell whether the endpoint has been down, or has turned all away, for too long."""
        patience = self._patience if self.has_answered else min(self._patience, FIRST_CONTACT_S)
        is_gone = self.is_down and now - self._failing_since > patience
        is_closed = self._refusals >= FAILURES and now - self._refusing_since > patience
        return is_gone or is_closed

    def looks(self, now: float) -> None:
        """Note that a call starts; while the endpoint is down, no other does for a while."""
        if self.is_down:
            self._probe_s = min(2 * self._probe_s, LONGEST_PROBE_S)
            self._next_probe = now + self._probe_s

    def served(self) -> None:
        """Note an answer, be it that the request is wrong."""
        self.is_down, self.has_answered = False, True
        self._failures = self._refusals = 0
        self._calls.clear()
        self._probe_s = FIRST_PROBE_S

    def refused(self, now: float) -> None:
        """Note a call turned away: the endpoint is there, but answers nothing."""
        self.is_down, self.has_answered = False, True
        self._refusing_since = self._refusing_since if self._refusals else now
        self._refusals += 1

    def failed(self, now: float, call: Hashable, *, is_answer: bool, is_unreachable: bool) -> None:
        """Note a lost call; where nothing listens, one is enough.

        Args:
            now: When it was lost.
            call: Tells calls apart.
            is_answer: Somebody answered, if only with an error.
            is_unreachable: Nobody listens.
        """
        self.has_answered = self.has_answered or is_answer
        self._failing_since = self._failing_since if self._failures else now
        self._failures += 1
        self._calls.add(call)
        many = self._failures >= FAILURES and len(self._calls) >= CALLS
        if self.is_down or is_unreachable or many:
            self.is_down = True
            self._next_probe = now + self._probe_s
