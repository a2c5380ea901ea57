"""The retry rules: what counts as a failed attempt, when to back off, when a fallback answers.

A call is one question with its draw; an attempt is one try to get its reply.
"""

import math
import random
from dataclasses import dataclass, replace

from dspy.utils.exceptions import LMError, LMRateLimitError

from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.errors import UnreachableError
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.adapter import is_blank

NEEDS_WHOLE = ("optimizer", "judge")
"""Roles whose cut-off replies are of no use. Elsewhere F, the failure metric, judges a cut text."""


_DOUBT = 4
"""How many times an estimated number of tokens a reply may have had."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Decides what becomes of a call after each attempt; holds no state and does no I/O.

    Args:
        settings: Of the role: `attempts`, `backoff`, `backoff_max`, `outage`.
        has_fallback: Another model answers when the attempts are spent.
    """

    settings: ModelSettings
    has_fallback: bool = False

    def is_spent(self, attempts: int) -> bool:
        """Tell whether so many attempts are all that the settings allow."""
        return attempts >= self.settings.attempts

    def retry_reason(
        self, reply: Response, request: Request, earlier: int, cap: int | None = None
    ) -> str | None:
        """Return why a reply does not end its call, "empty" or "cut off"; None: it does.

        Args:
            reply: To the request.
            request: As it was sent.
            earlier: Attempts that the call had spent before this one.
            cap: Tokens after which the provider ends any reply; None: unknown.
        """
        # The last attempt's reply is data, usable or not: the failure metric judges it. With a
        # fallback left it is not the last one.
        is_last = self.is_spent(earlier + 1) and not self.has_fallback
        return None if is_last else self._problem(reply, request, earlier, cap)

    def _problem(
        self, reply: Response, request: Request, earlier: int, cap: int | None
    ) -> str | None:
        # A local model at temperature 0 says the same again, and a content filter acts again.
        is_fixed = self.settings.kind == "local" and not request.temperature
        if is_fixed or reply.finish_reason == "filter":
            return None
        if reply.finish_reason != "length":
            # A model that thought or called a tool, and wrote no text, will mostly do so again.
            is_lost = is_blank(reply.text) and not (reply.problem and earlier)
            return "empty" if is_lost else None
        # Where thinking took all tokens, the same limit would cut it off again, paid anew.
        return self._cut_off(reply, request, earlier, cap) if reply.text.strip() else None

    def _cut_off(
        self, reply: Response, request: Request, earlier: int, cap: int | None
    ) -> str | None:
        # A reply cut off before its own limit is the server's fault, as far as the server counts
        # tokens. One that reached the limit may end earlier when it is sampled again, so it gets a
        # single retry.
        limit = min(request.max_tokens or 0, cap or math.inf)
        # An estimate may be wrong by a factor, but a word is no thousand tokens.
        most = reply.tokens_out * (_DOUBT if reply.is_estimated else 1)
        had_room = 0 < most < limit
        is_needed_whole = self.settings.role in NEEDS_WHOLE and request.temperature and not earlier
        return "cut off" if had_room or is_needed_whole else None

    def counts(self, error: LMError, *, is_rate_limited: bool) -> bool:
        """Tell whether a failed attempt is one of those that the settings allow.

        Args:
            error: Of the attempt.
            is_rate_limited: The endpoint's 429s hold requests back at present.
        """
        # How long a server may be down or over its capacity is the circuit breaker's decision. If
        # such attempts counted, all calls in flight would spend theirs within seconds.
        if isinstance(error, UnreachableError):
            return False
        return not (isinstance(error, LMRateLimitError) and is_rate_limited)

    def falls_back(self, error: LMError, *, is_blocked: bool, has_other: bool = False) -> bool:
        """Tell whether a fallback answers now, although attempts are left.

        Args:
            error: Of the last attempt.
            is_blocked: Every endpoint is down, or its 429s hold requests back.
            has_other: An endpoint that has not failed the call takes requests.
        """
        is_long = (error.retry_after or 0.0) > self.settings.backoff_max
        return self.has_fallback and not has_other and (is_long or is_blocked)

    def back_off_s(
        self, failures: int, retry_after: float | None, *, has_other: bool = False
    ) -> float:
        """Return the seconds before the next attempt, no less than the server asks for.

        Its wish is followed for no longer than an outage is waited for.

        Args:
            failures: Of this call so far, those that count.
            retry_after: Seconds that the server asks for; None: it does not say.
            has_other: An endpoint that has not failed the call takes requests.
        """
        # Admission control makes the first one wait; another endpoint need not be spared.
        if failures == 0 or has_other:
            return 0.0
        # Full jitter under an exponential ceiling: calls that failed together do not return
        # together.
        ceiling = min(self.settings.backoff_max, self.settings.backoff * 2 ** (failures - 1))
        return max(random.uniform(0, ceiling), min(retry_after or 0.0, self.settings.outage))


def reseeded(request: Request, unusable: int) -> Request:
    """Return the request with another seed after replies that were not usable.

    After a lost request the seed stays: its reply was never seen, so the same one is asked for.
    """
    if not unusable or request.seed is None:
        return request
    return replace(request, seed=request.seed + unusable)


def failure_kind(error: LMError) -> str:
    """Return the name under which a failed attempt is counted."""
    return str(error.default_code).replace("_", " ")
