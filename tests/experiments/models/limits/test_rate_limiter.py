"""The rate limiter: the user's limits, and rates learned from 429s, in simulated time."""

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from autoevol.experiments.models.limits.rate_limiter import Pace, RateLimiter, Start

LATENCY_S, REFUSAL_S = 0.2, 0.002
Admits = Callable[[float], bool]


@dataclass
class Simulation:
    """Requests to a simulated server, as fast as limiter and concurrency allow."""

    admits: Admits
    concurrency: int
    limiter: RateLimiter = field(default_factory=RateLimiter)
    rate_limited: int = 0
    done_at: float = 0.0
    busy: float = 0.0
    _waiting: int = 0
    _in_flight: int = 0
    _events: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, rows: int) -> None:
        """Run until all rows have their reply."""
        self._waiting, before = rows, 0.0
        self._at(0.0, self._send)
        while self._events:
            now, _, then = heapq.heappop(self._events)
            self.busy += self._in_flight * (now - before)
            before = now
            then(now)

    def _at(self, time: float, then: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), then))

    def _send(self, now: float) -> None:
        while self._waiting and self._in_flight < self.concurrency:
            if (wait := self.limiter.wait_s(now)) > 1e-9:
                self._at(now + wait, self._send)
                return
            start = self.limiter.record_start(now, 0)
            self._waiting, self._in_flight = self._waiting - 1, self._in_flight + 1
            if self.admits(now):
                self._at(now + LATENCY_S, self._reply)
            else:
                self._at(now + REFUSAL_S, partial(self._refuse, start))

    def _reply(self, now: float) -> None:
        self._in_flight -= 1
        self.limiter.record_success()
        self.done_at = now
        self._send(now)

    def _refuse(self, start: Start, now: float) -> None:
        self.rate_limited += 1
        self._waiting, self._in_flight = self._waiting + 1, self._in_flight - 1
        self.limiter.record_rate_limit(now, start, None)
        self._send(now)


def sliding_window(cap: int) -> Admits:
    taken: deque[float] = deque()

    def admits(now: float) -> bool:
        while taken and taken[0] <= now - 1:
            taken.popleft()
        if len(taken) < cap:
            taken.append(now)
            return True
        return False

    return admits


def whole_seconds(cap: int) -> Admits:
    taken: dict[int, int] = {}

    def admits(now: float) -> bool:
        taken[int(now)] = taken.get(int(now), 0) + 1
        return taken[int(now)] <= cap

    return admits


def token_bucket(cap: int, size: int) -> Admits:
    level, last = float(size), 0.0

    def admits(now: float) -> bool:
        nonlocal level, last
        level, last = min(size, level + (now - last) * cap), now
        if level >= 1:
            level -= 1
            return True
        return False

    return admits


@pytest.mark.parametrize("concurrency", [32, 64])
@pytest.mark.parametrize(
    "server",
    [
        pytest.param(sliding_window, id="sliding window"),
        pytest.param(whole_seconds, id="whole seconds"),
        pytest.param(lambda cap: token_bucket(cap, cap), id="bucket of a second"),
    ],
)
def test_a_hard_cap_is_found_with_few_refusals(
    server: Callable[[int], Admits], concurrency: int
) -> None:
    simulation = Simulation(server(100), concurrency)
    simulation.run(500)
    assert simulation.done_at <= 5.5
    assert simulation.rate_limited <= 72


@pytest.mark.parametrize("cap", [20, 100])
def test_a_cap_that_allows_no_bursts_is_found_too(cap: int) -> None:
    simulation = Simulation(token_bucket(cap, max(1, cap // 10)), 64)
    simulation.run(20 * cap)
    assert simulation.done_at <= 20 * 1.4
    assert simulation.rate_limited <= 0.1 * 20 * cap + 64


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_random_refusals_do_not_slow_the_run_down(share: float, seed: int) -> None:
    rng = random.Random(seed)
    simulation = Simulation(lambda _: rng.random() >= share, 64)
    simulation.run(5000)
    assert simulation.busy / simulation.done_at >= 0.8 * 64


def test_after_a_storm_the_full_rate_comes_back() -> None:
    capped = sliding_window(50)
    simulation = Simulation(lambda now: now > 10 or capped(now), 64)
    simulation.run(10_000)
    assert simulation.done_at <= 10 + (10_000 - 500) / (64 / LATENCY_S) + 12


def test_a_server_that_takes_nothing_is_asked_ever_less() -> None:
    simulation = Simulation(lambda now: now > 30, 64)
    simulation.run(100)
    assert simulation.rate_limited <= 64 + 30
    assert simulation.done_at <= 30 + 15


def test_the_servers_advice_is_followed_in_a_storm() -> None:
    limiter = RateLimiter()
    for start in [limiter.record_start(0.0, 0) for _ in range(40)]:
        limiter.record_rate_limit(0.01, start, retry_after=7.0)
    assert limiter.is_throttling
    assert limiter.wait_s(0.02) == pytest.approx(7.0, abs=0.1)


def test_requests_per_minute_are_spread_evenly() -> None:
    limiter, now = RateLimiter(Pace(requests_per_minute=120)), 0.0
    for _ in range(10):
        now += limiter.wait_s(now)
        limiter.record_start(now, 1000)
    assert now == pytest.approx(9 * 0.5)


def test_tokens_per_minute_are_corrected_by_what_was_used() -> None:
    limiter = RateLimiter(Pace(tokens_per_minute=600))
    start = limiter.record_start(0.0, tokens=50)
    assert limiter.wait_s(0.0) == pytest.approx(5.0)
    limiter.record_usage(start, tokens=20)
    assert limiter.wait_s(0.0) == pytest.approx(2.0)
