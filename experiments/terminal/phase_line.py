"""The line of one phase: how far it is, what came out, how fast, what the run has cost."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from autoevol.experiments.models.budget import Totals
from autoevol.program.records import Outcome

_LEAST_ROWS, _LEAST_S, _LEAST_SHARE = 32, 60.0, 0.5
"""What the speed that gives the time left is measured over: the latest rows, seconds and share of
the phase, at least. Rows come in bursts, as many at once as there are calls in flight."""

_SHORTEST = 1.0
"""Seconds; below it a rate says nothing."""

_OUTCOMES = ("kept", "failed", "suspected", "unscored")


def duration(seconds: float | None) -> str:
    """Return a time as a person reads it; "–": unknown."""
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class _Mark(NamedTuple):
    """How many rows were finished at a moment, and how many calls."""

    at: float
    done: int
    calls: int


class Speed:
    """How fast rows are finished lately.

    Args:
        start: When the phase began, in seconds.
        calls: That were finished by then.
    """

    def __init__(self, start: float, calls: int) -> None:
        self._start = self._since = start
        self._marks = deque([_Mark(start, 0, calls)])

    def count(self, now: float, done: int, calls: int) -> None:
        """Note that so many rows and calls are finished."""
        mark, last = _Mark(now, done, calls), self._marks[-1]
        if len(self._marks) == 1 and calls and calls == last.calls:
            # A row whose calls an earlier phase or try has made tells nothing of the speed.
            self._marks[-1] = mark
        elif len(self._marks) > 1 and now - self._since < _SHORTEST:
            self._marks[-1] = mark
        else:
            self._marks.append(mark)
            self._since = now

    def seconds_left(self, now: float, total: int) -> float | None:
        """Return the time until `total` rows are finished; None: nothing tells it."""
        last, first = self._marks[-1], self._first(now)
        rows = last.done - first.done
        if last.calls:
            # A row makes a call at least; what is more comes from an earlier try.
            rows = min(rows, last.calls - first.calls)
        if rows <= 0 or total <= last.done:
            return None
        return (total - last.done) * (now - first.at) / rows

    def _first(self, now: float) -> _Mark:
        """Return from when on the speed is measured; what lies before it is forgotten."""
        span, done = max(_LEAST_S, _LEAST_SHARE * (now - self._start)), self._marks[-1].done
        while len(self._marks) > 1:
            second = self._marks[1]
            if now - second.at < span or done - second.done < _LEAST_ROWS:
                break
            self._marks.popleft()
        return self._marks[0]


@dataclass
class PhaseLine:
    """The figures of a phase that is at work.

    Attributes:
        name: What the phase does.
        total: Rows that it will finish; 0: it counts none.
        totals: Of the engine; they grow with each call of the run.
        clock: Gives the time in seconds.
        done: Rows that are finished.
        outcomes: How many rows were kept, failed, suspected or unscored.
    """

    name: str
    total: int
    totals: Totals
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._start = self.clock()
        self._tokens_before = self._tokens()
        self.speed = Speed(self._start, self.totals.calls.total())

    @property
    def elapsed(self) -> float:
        """Seconds since the phase began."""
        return self.clock() - self._start

    def count(self, outcome: Outcome) -> None:
        """Count a finished row by its outcome; a suspected one counts as suspected, too."""
        self.outcomes[outcome.status] += 1
        self.outcomes["suspected"] += outcome.is_suspected or bool(outcome.row.suspected_by)
        self.advance()

    def advance(self, *, failed: bool = False) -> None:
        """Count a finished piece of work that is no row."""
        self.done += 1
        self.outcomes["failed"] += failed
        self.speed.count(self.clock(), self.done, self.totals.calls.total())

    def parts(self) -> list[str]:
        """Return what the live line shows, in the order of its importance."""
        return [f"{self.name} {self._progress()}".rstrip(), self._time(), *self._figures()]

    def result(self) -> list[str]:
        """Return what the line of the finished phase shows."""
        return [
            f"{self.name} {self._progress()}".rstrip(),
            *self._figures(),
            duration(self.elapsed),
        ]

    def _progress(self) -> str:
        if self.total:
            return f"{self.done:,}/{self.total:,}"
        return f"{self.done:,}" if self.done else ""

    def _time(self) -> str:
        """Return the time left; the time so far, where nothing tells how much is left."""
        left = self.speed.seconds_left(self.clock(), self.total)
        if left is not None:
            return f"{duration(left)} left"
        return f"{duration(self.elapsed)}{' so far' if self.total > self.done else ''}"

    def _figures(self) -> Iterator[str]:
        counts = [(self.outcomes[name], name) for name in _OUTCOMES if self.outcomes[name]]
        if counts:
            yield ", ".join(f"{count:,} {name}" for count, name in counts)
        tokens = self._tokens() - self._tokens_before
        if tokens and self.elapsed >= _SHORTEST:
            yield f"{tokens / self.elapsed:,.0f} tok/s"
        if self.totals.cost_usd or self.totals.unpriced:
            yield f"{'at least ' if self.totals.unpriced else ''}{self.totals.cost_usd:.2f} USD"

    def _tokens(self) -> int:
        return self.totals.tokens_in + self.totals.tokens_out
