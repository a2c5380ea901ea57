"""The rate limiter of one endpoint: the user's own limits, and a rate learned from its 429s.

A server answers 429 for two reasons. It is over its capacity: then the share of 429s rises with the
rate of requests, and only a lower rate helps. Or it answers 429 at random, whatever the rate: then
slowing down costs throughput and gains nothing. So the rate is cut to what the server has just
accepted when many of the last requests got a 429, and a cut that does not lower their share is
taken back.

Times are seconds of a monotonic clock, passed in by the caller: tests simulate them.
"""

from collections import deque
from dataclasses import dataclass
from itertools import islice

WINDOW_S = 1.0
"""Capacity is counted over this; limits of hosted services are per second or longer."""

RECENT = 32
"""Starts over which the share of 429s is taken: those up to the request that got the last one.

Later starts do not count: their answers may not be there yet.
"""

STORM_SHARE = 0.4
"""Share of 429s that says "over capacity"; 10 % at random reach it once in a million starts."""

RIPPLE_SHARE = 0.08
"""Share within a window, above the usual one, that calls for another cut of a reduced rate."""

HEADROOM = 0.98
"""Share of the observed capacity at which requests start after a cut."""

PROBE_S, LONGEST_PROBE_S = 0.1, 5.0
"""Pause after a 429 while the server accepts nothing at all; it grows by half each time."""

BLOCKED = 3
"""Starts in a row, all answered by 429, after which the server counts as accepting nothing."""

SLOW_RISE, FAST_RISE, BLIND_RISE = 1.01, 1.4, 4.0
"""Growth per second of a reduced rate: on the plateau after a cut, past it, and while nothing is
known of the capacity."""

PLATEAU_S, LONGEST_PLATEAU_S = 2.0, 60.0
"""Time of slow growth after a cut; it doubles with each cut that follows another."""

CATCH_UP_S = 0.02
"""A start that is late by no more than this does not delay the starts after it.

Timers of the event loop fire late; without it, each delay would lower the rate for good.
"""

BURST_S = 0.1
"""Requests accepted within so short a time tell little about a rate: no plateau after them."""


@dataclass(slots=True)
class Start:
    """The start of a request.

    Attributes:
        at: When it started.
        tokens: What it was expected to use.
        number: Of the endpoint's requests, from 0.
        is_rate_limited: It got a 429; False as long as its answer is unknown.
    """

    at: float
    tokens: float
    number: int
    is_rate_limited: bool = False


class Pace:
    """The hard limits of a role, which the endpoints of its model keep together.

    Args:
        requests_per_minute: None: no limit.
        tokens_per_minute: Of tokens in and out; None: no limit.
    """

    def __init__(
        self, requests_per_minute: float | None = None, tokens_per_minute: float | None = None
    ) -> None:
        self._request_s = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_s = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._next_start = 0.0

    def wait_s(self, now: float) -> float:
        """Return how long the next request has to wait; 0: it may start."""
        return self._next_start - now

    def record_start(self, now: float, tokens: float) -> None:
        """Note a request that starts now and will probably use so many tokens."""
        # Starts are spaced evenly. A quota of a minute, used up in its first second, would break
        # the limits that services count per second.
        due = self._request_s + tokens * self._token_s
        self._next_start = max(now - CATCH_UP_S, self._next_start) + due

    def record_usage(self, expected: float, tokens: float) -> None:
        """Correct the expected tokens of a request by those it has used."""
        self._next_start += (tokens - expected) * self._token_s


class RateLimiter:
    """Spaces the starts of requests to one endpoint.

    Args:
        pace: The hard limits, perhaps of several endpoints together; None: there are none.
    """

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._count = 0
        self._adaptive = AdaptiveRate()

    @property
    def is_throttling(self) -> bool:
        """Tell whether requests start less often than calls come, because of 429s."""
        return self._adaptive.is_limited

    def wait_s(self, now: float) -> float:
        """Return how long the next request has to wait; 0: it may start."""
        return max(0.0, self._pace.wait_s(now), self._adaptive.wait_s(now))

    def record_start(self, now: float, tokens: float) -> Start:
        """Note a request that starts now and will probably use so many tokens."""
        self._pace.record_start(now, tokens)
        start = Start(now, tokens, self._count)
        self._count += 1
        self._adaptive.record_start(start)
        return start

    def record_usage(self, start: Start, tokens: float) -> None:
        """Correct the expected tokens of a request by those it has used."""
        self._pace.record_usage(start.tokens, tokens)

    def record_success(self) -> None:
        """Note a request that the server accepted."""
        self._adaptive.record_success()

    def record_rate_limit(self, now: float, start: Start, retry_after: float | None) -> None:
        """Note a 429, with the server's own advice in seconds if it gave any."""
        start.is_rate_limited = True
        self._adaptive.record_rate_limit(now, start, retry_after or 0.0)


class AdaptiveRate:
    """A rate that is unlimited until the server answers too many requests by 429."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._starts = _StartHistory()
        self._next_start = 0.0
        self._usual_share = 0.0
        self._share_at_cut = 0.0
        self._is_cut_confirmed = True
        self._plateau_s = PLATEAU_S
        self._probe_s = PROBE_S
        self._resumed_at = self._risen_at = 0.0

    @property
    def is_limited(self) -> bool:
        """Tell whether there is a limit at present."""
        return self._rate is not None

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next request may start; negative: none to wait."""
        if self._rate is None:
            return 0.0
        self._rise(now)
        return self._next_start - now

    def record_start(self, start: Start) -> None:
        """Note a request that has started."""
        self._starts.add(start)
        if self._rate is not None:
            self._next_start = max(start.at - CATCH_UP_S, self._next_start) + 1 / self._rate

    def record_success(self) -> None:
        """Note a request that the server accepted."""
        self._probe_s = PROBE_S

    def record_rate_limit(self, now: float, latest: Start, retry_after: float) -> None:
        """Note a 429 to a request; the seconds are the server's advice, 0 for none."""
        recent = self._starts.up_to(latest)
        limited = sum(start.is_rate_limited for start in recent)
        if self._rate is None:
            # The share is taken of RECENT even while fewer requests have started: a few 429s at
            # the very start of a run are no storm.
            if limited > (STORM_SHARE + self._usual_share) * RECENT:
                self._cut_first(now, limited / len(recent), retry_after)
        elif now < self._resumed_at:
            # Late answers to requests from before the cut: they tell how many were accepted, and
            # say nothing about the new rate.
            self._rate = self._starts.capacity(now)
        elif recent and all(start.is_rate_limited for start in recent[-BLOCKED:]):
            self._next_start = max(self._next_start, now + max(self._probe_s, retry_after))
            self._probe_s = min(1.5 * self._probe_s, LONGEST_PROBE_S)
        elif now > self._resumed_at + WINDOW_S:  # a full window at the new rate can be judged
            self._reconsider(now)

    def _cut_first(self, now: float, share: float, retry_after: float) -> None:
        """Pause until the accepted requests lie a window back, then resume at their rate."""
        # A server that counts per second takes nothing more until its window has moved on.
        accepted = [start.at for start in self._starts.within(now) if not start.is_rate_limited]
        opens_at = accepted[0] + WINDOW_S if accepted else now + PROBE_S
        self._next_start = self._resumed_at = self._risen_at = max(opens_at, now + retry_after)
        self._rate = self._starts.capacity(now)
        self._share_at_cut, self._is_cut_confirmed = share, False
        is_burst = not accepted or accepted[-1] - accepted[0] < BURST_S
        self._plateau_s = 0.0 if is_burst else PLATEAU_S

    def _reconsider(self, now: float) -> None:
        """Cut again, or give the cut up where it does not help: the 429s come at random."""
        window = self._starts.within(now)
        if not window:
            return
        share = 1 - sum(not start.is_rate_limited for start in window) / len(window)
        if share <= RIPPLE_SHARE + self._usual_share:
            self._is_cut_confirmed = True
        elif not self._is_cut_confirmed and share > 0.75 * self._share_at_cut:
            # The lower rate left the share of 429s nearly as it was, so they do not depend on the
            # rate. From now on that share is the usual one, and only more is a storm.
            self._usual_share, self._rate = share, None
        else:
            self._rate = self._starts.capacity(now)
            self._resumed_at = self._risen_at = now
            self._plateau_s = min(max(PLATEAU_S, 2 * self._plateau_s), LONGEST_PLATEAU_S)
            self._share_at_cut, self._is_cut_confirmed = share, False

    def _rise(self, now: float) -> None:
        if self._rate is None or now <= self._risen_at:
            return
        # No growth while the server accepts nothing: there is no evidence for a higher rate.
        if self._probe_s == PROBE_S:
            self._rate *= self._growth(now) ** (now - self._risen_at)
        self._risen_at = now
        # Requests come more slowly than they may: the limit does nothing, so it is dropped.
        if self._next_start < now - WINDOW_S:
            self._rate = None

    def _growth(self, now: float) -> float:
        if not self._plateau_s:
            return BLIND_RISE
        return SLOW_RISE if now < self._resumed_at + self._plateau_s else FAST_RISE


class _StartHistory:
    """The latest starts: at least a window of them, and at least `RECENT`."""

    def __init__(self) -> None:
        self._starts: deque[Start] = deque()

    def add(self, start: Start) -> None:
        """Append a start and forget those that no longer count."""
        self._starts.append(start)
        while len(self._starts) > RECENT and self._starts[0].at < start.at - WINDOW_S:
            self._starts.popleft()

    def up_to(self, latest: Start) -> list[Start]:
        """Return the last `RECENT` starts up to `latest`, oldest first; it may be forgotten."""
        end = latest.number - self._starts[0].number + 1
        return list(islice(self._starts, max(0, end - RECENT), max(0, end)))

    def within(self, now: float) -> list[Start]:
        """Return the starts of the last window, oldest first."""
        return [start for start in self._starts if start.at > now - WINDOW_S]

    def capacity(self, now: float) -> float:
        """Return the rate, in requests per second, that the server accepts; at least 1."""
        accepted = sum(not start.is_rate_limited for start in self.within(now))
        return max(1.0, HEADROOM * accepted / WINDOW_S)
