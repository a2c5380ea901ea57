"""What one endpoint lets through at a moment, by its rate and its health. Nothing waits here."""

import asyncio
from collections.abc import Hashable

from dspy.utils.exceptions import LMError, LMRateLimitError, LMServerError

from autoevol.experiments.models.limits.circuit_breaker import CircuitBreaker
from autoevol.experiments.models.limits.rate_limiter import RateLimiter, Start
from autoevol.experiments.models.transports.errors import UnreachableError


class Gate:
    """The limits of one endpoint.

    Attributes:
        name: Of the endpoint, for messages.
        size: Requests on the wire at once.
        circuit_breaker: Whether the endpoint is up.

    Args:
        name: See above.
        size: See above.
        rate_limiter: When the next request may start.
        circuit_breaker: See above.
    """

    def __init__(
        self, name: str, size: int, rate_limiter: RateLimiter, circuit_breaker: CircuitBreaker
    ) -> None:
        self.name, self.size = name, size
        self.circuit_breaker = circuit_breaker
        self._rate_limiter = rate_limiter

    @property
    def is_rate_limited(self) -> bool:
        """Tell whether the endpoint's 429s hold requests back at present."""
        return self._rate_limiter.is_throttling

    @property
    def is_blocked(self) -> bool:
        """Tell whether the endpoint is down or its 429s hold requests back at present."""
        return self.circuit_breaker.is_open or self._rate_limiter.is_throttling

    def wait_s(self, now: float) -> float:
        """Return how long rate and health make the next request wait; 0: it may start."""
        return max(self._rate_limiter.wait_s(now), self.circuit_breaker.wait_s(now))

    def record_start(self, now: float, tokens: float) -> Start:
        """Note a request that starts and will probably use so many tokens."""
        self.circuit_breaker.record_start(now)
        return self._rate_limiter.record_start(now, tokens)

    def record_success(self, start: Start, tokens: int) -> None:
        """Note a reply; tokens are those it used, 0 where the endpoint does not count them."""
        self.circuit_breaker.record_success()
        self._rate_limiter.record_success()
        if tokens:
            self._rate_limiter.record_usage(start, tokens)

    def record_rejection(self) -> None:
        """Note a request that the endpoint rejects for its content: the endpoint is up."""
        self.circuit_breaker.record_success()

    def record_failure(self, start: Start, call: Hashable, error: LMError) -> None:
        """Note what a failed request says about the endpoint."""
        now = asyncio.get_running_loop().time()
        self._rate_limiter.record_usage(start, 0)
        if isinstance(error, LMRateLimitError):
            self._rate_limiter.record_rate_limit(now, start, error.retry_after)
            self.circuit_breaker.record_rate_limit(now)
        else:
            self.circuit_breaker.record_failure(
                now,
                call,
                is_answer=isinstance(error, LMServerError),
                is_unreachable=isinstance(error, UnreachableError),
            )
