"""How fast an endpoint is asked: the user's own limits, and what its 429s teach.

A server answers 429 for two reasons. It is over its capacity: then the share of refusals rises
with the rate of requests, and only a lower rate helps. Or it refuses at random, whatever the rate:
then slowing down costs throughput and gains nothing. So the rate is cut to what the server has just
taken when many of the last requests were refused, and a cut that does not lower their share is
taken back.

Times are seconds of a monotonic clock, handed in by the caller.
"""

from collections import deque
from dataclasses import dataclass
from itertools import islice

WINDOW_S = 1.0
"""Capacity is counted over this; limits of hosted services are per second or longer."""

RECENT = 32
"""Starts over which the share of refusals is taken: a refused one and those before it. Of those
after it nothing may be known yet."""

STORM_SHARE = 0.4
"""Share of refusals that says "over capacity"; 10 % at random reach it once in a million starts."""

RIPPLE_SHARE = 0.08
"""Share within a window, above the usual one, that calls for another cut of a held-down rate."""

HEADROOM = 0.98
"""Share of the capacity seen that is asked for after a cut."""

PROBE_S, LONGEST_PROBE_S = 0.1, 5.0
"""Pause after a refusal while the server takes nothing at all; it grows by half each time."""

CLOSED = 3
"""Refusals of the latest starts, without one that was taken, that say so."""

SLOW_RISE, FAST_RISE, BLIND_RISE = 1.01, 1.4, 4.0
"""Growth per second of a rate that is held down: on the plateau after a cut, past it, and while
nothing is known of the capacity."""

PLATEAU_S, LONGEST_PLATEAU_S = 2.0, 60.0

CATCH_UP_S = 0.02
"""A start that comes later than planned, by no more than this, does not put off those after it."""

BURST_S = 0.1
"""What was taken within so short a time tells little about a rate: no plateau after it."""


@dataclass(slots=True)
class Start:
    """A request on the wire.

    Attributes:
        tokens: What it was expected to use.
        number: Of the endpoint's requests, from 0.
    """

    at: float
    tokens: float
    number: int
    is_refused: bool = False


class RateLimiter:
    """The starts of requests to one endpoint.

    Args:
        requests_per_minute: Hard limit; None: none.
        tokens_per_minute: Hard limit on tokens in and out; None: none.
    """

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
    ) -> None:
        self._spacing = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_s = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._next_start = 0.0
        self._started = 0
        self._learned = AdaptiveRate()

    def wait_s(self, now: float) -> float:
        """Return how long the next request has to wait; 0: it may start."""
        return max(0.0, self._next_start - now, self._learned.wait_s(now))

    def started(self, now: float, tokens: float) -> Start:
        """Note a request that starts now and will probably use so many tokens."""
        due = self._spacing + tokens * self._token_s
        self._next_start = max(now - CATCH_UP_S, self._next_start) + due
        start = Start(now, tokens, self._started)
        self._started += 1
        self._learned.started(start)
        return start

    def settled(self, start: Start, used: float) -> None:
        """Correct the expected tokens of a request by those it has used."""
        self._next_start += (used - start.tokens) * self._token_s

    @property
    def is_held_down(self) -> bool:
        """Tell whether the endpoint is asked less often than calls come, because of its 429s."""
        return self._learned.is_held_down

    def taken(self) -> None:
        """Note a request that the server took."""
        self._learned.taken()

    def refused(self, now: float, start: Start, retry_after: float | None) -> None:
        """Note a 429, with the server's own advice in seconds if it gave any."""
        start.is_refused = True
        self._learned.refused(now, start, retry_after or 0.0)


class AdaptiveRate:
    """A rate that is unlimited until the server refuses too much."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._starts: deque[Start] = deque()
        self._next_start = 0.0
        self._usual_share = 0.0
        self._share_at_cut = 0.0
        self._is_cut_judged = True
        self._plateau_s = PLATEAU_S
        self._probe_s = PROBE_S
        self._resumed_at = self._risen_at = 0.0

    @property
    def is_held_down(self) -> bool:
        """Tell whether there is a limit at present."""
        return self._rate is not None

    def taken(self) -> None:
        """Note a request that the server took."""
        self._probe_s = PROBE_S

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next request may start; negative: none to wait."""
        if self._rate is None:
            return 0.0
        self._rise(now)
        return self._next_start - now

    def started(self, start: Start) -> None:
        """Note a request that has started."""
        self._starts.append(start)
        while len(self._starts) > RECENT and self._starts[0].at < start.at - WINDOW_S:
            self._starts.popleft()
        if self._rate is not None:
            self._next_start = max(start.at - CATCH_UP_S, self._next_start) + 1 / self._rate

    def refused(self, now: float, latest: Start, retry_after: float) -> None:
        """Note a 429 to a request; the seconds are the server's advice, 0 for none."""
        recent = self._until(latest)
        refused = sum(start.is_refused for start in recent)
        if self._rate is None:
            if refused > (STORM_SHARE + self._usual_share) * RECENT:
                self._hold_down(now, refused / len(recent), retry_after)
        elif now < self._resumed_at:
            self._rate = self._capacity(now)
        elif recent and all(start.is_refused for start in recent[-CLOSED:]):
            self._next_start = max(self._next_start, now + max(self._probe_s, retry_after))
            self._probe_s = min(1.5 * self._probe_s, LONGEST_PROBE_S)
        elif now > self._resumed_at + WINDOW_S:
            self._reconsider(now)

    def _hold_down(self, now: float, share: float, retry_after: float) -> None:
        """Stop until what the server has taken lies a window back, then go on at that rate."""
        taken = [start.at for start in self._within(now) if not start.is_refused]
        opens = taken[0] + WINDOW_S if taken else now + PROBE_S
        self._next_start = self._resumed_at = self._risen_at = max(opens, now + retry_after)
        self._rate = self._capacity(now)
        self._share_at_cut, self._is_cut_judged = share, False
        is_burst = not taken or taken[-1] - taken[0] < BURST_S
        self._plateau_s = 0.0 if is_burst else PLATEAU_S

    def _reconsider(self, now: float) -> None:
        """Cut again, or see that cutting does not help: the server refuses at random."""
        within = self._within(now)
        if not within:
            return
        taken = sum(not start.is_refused for start in within)
        share = 1 - taken / len(within)
        if share <= RIPPLE_SHARE + self._usual_share:
            self._is_cut_judged = True
        elif not self._is_cut_judged and share > 0.75 * self._share_at_cut:
            self._usual_share, self._rate = share, None
        else:
            self._rate = self._capacity(now)
            self._resumed_at = self._risen_at = now
            self._plateau_s = min(max(PLATEAU_S, 2 * self._plateau_s), LONGEST_PLATEAU_S)
            self._share_at_cut, self._is_cut_judged = share, False

    def _rise(self, now: float) -> None:
        if self._rate is None or now <= self._risen_at:
            return
        if self._probe_s == PROBE_S:
            self._rate *= self._growth(now) ** (now - self._risen_at)
        self._risen_at = now
        if self._next_start < now - WINDOW_S:
            self._rate = None

    def _growth(self, now: float) -> float:
        if not self._plateau_s:
            return BLIND_RISE
        return SLOW_RISE if now < self._resumed_at + self._plateau_s else FAST_RISE

    def _capacity(self, now: float) -> float:
        taken = sum(not start.is_refused for start in self._within(now))
        return max(1.0, HEADROOM * taken / WINDOW_S)

    def _until(self, latest: Start) -> list[Start]:
        last = latest.number - self._starts[0].number + 1
        return list(islice(self._starts, max(0, last - RECENT), max(0, last)))

    def _within(self, now: float) -> list[Start]:
        return [start for start in self._starts if start.at > now - WINDOW_S]
