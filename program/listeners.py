"""Who hears of a run's progress: plain callables that take finished records."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from program.records import Outcome, StepRecord


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a run.

    Attributes:
        name: What is being done, for people.
        total: Rows that the phase will finish; 0 when that is not counted in rows.
    """

    name: str
    total: int


def _ignore(_: Any) -> None:
    """Do nothing: the default listener."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """What to call when a phase starts, when a row is finished, when a step is finished."""

    on_phase: Callable[[Phase], None] = _ignore
    on_row: Callable[[Outcome], None] = _ignore
    on_step: Callable[[StepRecord], None] = _ignore
