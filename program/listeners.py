"""Who hears of a run's progress: plain callables that take finished records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.program.records import FinalChoice, Headroom, MethodTally, Outcome, StepRecord


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a run.

    Attributes:
        name: What is being done, for people.
        total: Rows that the phase will finish; 0 when that is not counted in rows.
    """

    name: str
    total: int


def _ignore(*_: Any) -> None:
    """Do nothing: the default listener."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """What to call as a run goes on.

    Attributes:
        on_phase: A phase starts.
        on_row: A row is finished.
        on_headroom: The initial method has been measured.
        on_step: A step of the search is finished.
        on_choice: The second look has chosen.
        on_trials: Optuna's trials so far, all of them finished, after each step.
        on_learned: A bandit begins a round: its number, and the totals by method's name.
    """

    on_phase: Callable[[Phase], None] = _ignore
    on_row: Callable[[Outcome], None] = _ignore
    on_step: Callable[[StepRecord], None] = _ignore
    on_headroom: Callable[[Headroom], None] = _ignore
    on_choice: Callable[[FinalChoice], None] = _ignore
    on_trials: Callable[[Sequence[Any]], None] = _ignore
    on_learned: Callable[[int, Mapping[str, MethodTally]], None] = _ignore
