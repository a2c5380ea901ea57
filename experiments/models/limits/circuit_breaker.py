"""The circuit breaker of one endpoint: closed while it answers, open while it is down."""

from collections.abc import Hashable

CALLS, FAILURES = 3, 8
"""Failures in a row, of so many different calls, that open the circuit.

Failures of fewer calls may be the fault of a row.
"""

FIRST_PROBE_S, LONGEST_PROBE_S = 0.25, 5.0
"""Pause before a probe of an endpoint that is down; it doubles with each probe."""

FIRST_CONTACT_S = 15.0
"""Longest wait for an endpoint that has never answered: its address is probably wrong."""


class CircuitBreaker:
    """The health of one endpoint. Times are seconds of a monotonic clock.

    While the circuit is open, calls wait without spending their attempts, and one at a time probes
    the endpoint. The first answer closes the circuit.

    Args:
        patience: Seconds without an answer after which the run stops.

    Attributes:
        is_open: The endpoint is down.
        has_answered: The endpoint has answered at least once, if only with an error.
    """

    def __init__(self, patience: float) -> None:
        self.is_open = False
        self.has_answered = False
        self._patience = patience
        self._failures = 0
        self._failed_calls: set[Hashable] = set()
        self._failing_since = 0.0
        self._rate_limits = 0
        self._rate_limited_since = 0.0
        self._next_probe = 0.0
        self._probe_s = FIRST_PROBE_S

    def wait_s(self, now: float) -> float:
        """Return how long the next call has to wait; 0: it may start."""
        return max(0.0, self._next_probe - now) if self.is_open else 0.0

    def is_patience_over(self, now: float) -> bool:
        """Tell whether the endpoint has been down, or has answered 429 alone, for too long."""
        patience = self._patience if self.has_answered else min(self._patience, FIRST_CONTACT_S)
        is_gone = self.is_open and now - self._failing_since > patience
        is_saturated = self._rate_limits >= FAILURES and now - self._rate_limited_since > patience
        return is_gone or is_saturated

    def record_start(self, now: float) -> None:
        """Note that a call starts. While the circuit is open it is a probe, and others wait."""
        if self.is_open:
            self._probe_s = min(2 * self._probe_s, LONGEST_PROBE_S)
            self._next_probe = now + self._probe_s

    def record_success(self) -> None:
        """Note an answer, be it that the request is wrong: the endpoint is up."""
        self.is_open, self.has_answered = False, True
        self._failures = self._rate_limits = 0
        self._failed_calls.clear()
        self._probe_s = FIRST_PROBE_S

    def record_rate_limit(self, now: float) -> None:
        """Note a 429: the endpoint is up, but takes no call."""
        # The circuit stays closed: the rate limiter slows the calls down, and no probe is needed.
        # But an endpoint that answers 429 alone must not be waited for without end either.
        self.is_open, self.has_answered = False, True
        # An answer: failures before it are over, or a later one would seem to last since then.
        self._failures = 0
        self._failed_calls.clear()
        self._rate_limited_since = self._rate_limited_since if self._rate_limits else now
        self._rate_limits += 1

    def record_failure(
        self, now: float, call: Hashable, *, is_answer: bool, is_unreachable: bool
    ) -> None:
        """Note a call that got no usable answer.

        Args:
            now: When it failed.
            call: Tells calls apart.
            is_answer: The endpoint answered, if only with an error.
            is_unreachable: Nothing listens at the address; one such failure opens the circuit.
        """
        self.has_answered = self.has_answered or is_answer
        self._failing_since = self._failing_since if self._failures else now
        self._failures += 1
        self._failed_calls.add(call)
        is_systematic = self._failures >= FAILURES and len(self._failed_calls) >= CALLS
        # A failed probe comes here with an open circuit: its failure sets the time of the next.
        if self.is_open or is_unreachable or is_systematic:
            self.is_open = True
            self._next_probe = now + self._probe_s
