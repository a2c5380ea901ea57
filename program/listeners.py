"""Listeners of a run's progress: plain callables that take finished records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.program.records import FinalChoice, Headroom, MethodTally, Outcome, StepRecord


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a run.

    Attributes:
        name: What the phase does, for people.
        total: Rows that the phase will finish; 0 when it does not count rows.
    """

    name: str
    total: int


def _ignore(*_: Any) -> None:
    """Do nothing: the default listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """The callables that a run calls; the default of each does nothing.

    Attributes:
        on_phase: Called when a phase starts.
        on_row: Called when a row is finished.
        on_step: Called when a step of the search is finished.
        on_headroom: Called when the initial method is measured.
        on_choice: Called when the confirmation on fresh rows has chosen the best method.
        on_trials: Called after each step with all finished Optuna trials.
        on_learned: Called when a bandit begins a round, with the round's number and the tallies
            by method's name.
    """

    on_phase: Callable[[Phase], None] = _ignore
    on_row: Callable[[Outcome], None] = _ignore
    on_step: Callable[[StepRecord], None] = _ignore
    on_headroom: Callable[[Headroom], None] = _ignore
    on_choice: Callable[[FinalChoice], None] = _ignore
    on_trials: Callable[[Sequence[Any]], None] = _ignore
    on_learned: Callable[[int, Mapping[str, MethodTally]], None] = _ignore
