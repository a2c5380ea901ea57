"""One attempt at one row: who evolves it, with which draw, and how far its way goes."""

from dataclasses import dataclass, replace

from autoevol.metrics import Reason
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.records import Row


@dataclass(frozen=True, slots=True)
class LengthGoal:
    """The length at which a row's way ends, in words split at white space.

    Attributes:
        least: A shorter row goes on.
        most: A longer one has failed.
    """

    least: int
    most: int

    def is_met(self, row: Row) -> bool:
        """Tell whether the row is long enough."""
        return len(row.instruction.split()) >= self.least

    def reasons(self, text: str) -> tuple[Reason, ...]:
        """Return why the text has failed; empty when it has not."""
        count = len(text.split())
        return (Reason("over_length", f"{count} words"),) if count > self.most else ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is done with one row, once.

    Attributes:
        source: The row that is evolved.
        draw: Of the row's calls.
        round: The round that the evolved row belongs to, from 1.
        child: Number of the rewrite among those of the same row in the same round, from 0.
        temperature: Of the evolver's model; None: as configured.
        is_last: The rewrite is answered; otherwise only if `until` is met.
        until: Where the row's way ends; None: when the rounds do.
    """

    source: Row
    evolver: Evolver
    draw: int
    round: int = 1
    child: int = 0
    temperature: float | None = None
    is_last: bool = True
    until: LengthGoal | None = None

    @property
    def id(self) -> str:
        """Of the evolved row: its parent's, then the round, then the child if not the first."""
        twin = f"-{self.child + 1}" if self.child else ""
        return f"{self.source.id}.{self.round}{twin}"

    def blank(self, model: str) -> Row:
        """Return the evolved row before anything is known of it.

        A breadth method begins a new lineage: the row is a seed of its own, whose parent is the row
        that inspired it.
        """
        method, source = self.evolver.method_name, self.source
        is_new = self.evolver.given.kind == "breadth"
        return replace(
            source,
            id=self.id,
            seed_id=self.id if is_new else source.seed_id,
            parent_id=source.id,
            round=self.round,
            method=method,
            trace=(*source.trace, method),
            instruction="",
            turns=(),
            answers=(),
            response="",
            origin="" if is_new else source.origin or source.instruction,
            model_evolve=model,
            draw=self.draw,
        )
