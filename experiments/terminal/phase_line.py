"""The line of one phase: how far it is, what came out, how fast, what the run has cost."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from autoevol.experiments.models.budget import Totals
from autoevol.program.records import Outcome

_LATEST = 32
"""Finished rows whose speed gives the time left."""

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
        self._calls = self.totals.calls.total()
        self._finish_times: deque[float] = deque([self._start], maxlen=_LATEST)

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
        before, self._calls = self._calls, self.totals.calls.total()
        if before == self._calls and before and len(self._finish_times) == 1:
            # A row whose calls an earlier phase or try has made tells nothing of the speed.
            self._finish_times[0] = self.clock()
        else:
            self._finish_times.append(self.clock())

    def parts(self) -> list[str]:
        """Return what the live line shows, in the order of its importance."""
        return [f"{self.name} {self._progress()}".rstrip(), self._time(), *self._figures()]

    def result(self) -> str:
        """Return the line of the finished phase."""
        progress = f"{self.name} {self._progress()}".rstrip()
        return " · ".join([progress, *self._figures(), duration(self.elapsed)])

    def _progress(self) -> str:
        if self.total:
            return f"{self.done:,}/{self.total:,}"
        return f"{self.done:,}" if self.done else ""

    def _time(self) -> str:
        """Return the time left; the time so far, where nothing tells how much is left."""
        left, first = self.total - self.done, self._finish_times[0]
        finished = len(self._finish_times) - 1
        if not finished or left <= 0:
            return duration(self.elapsed)
        return f"{duration(left * (self.clock() - first) / finished)} left"

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
