"""One attempt at one row: its evolver, its draw, and whether the rewrite is answered."""

from dataclasses import dataclass, replace

from autoevol.metrics import Case, Reason
from autoevol.program.calls import CallRecord
from autoevol.program.checks.constraining import without_checks
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.records import Row
from autoevol.program.row_ids import RowIds


@dataclass(frozen=True, slots=True)
class LengthGoal:
    """A length at which a row stops evolving, in words split at white space.

    Attributes:
        least: From this many words on, the row leaves the pool.
        most: A longer rewrite fails.
    """

    least: int
    most: int

    def is_met(self, row: Row) -> bool:
        """Tell whether the row is long enough."""
        return len(row.instruction.split()) >= self.least

    def reasons(self, text: str) -> tuple[Reason, ...]:
        """Return the reason why the text fails; empty where it is not too long."""
        count = len(text.split())
        return (Reason("over_length", f"{count} words"),) if count > self.most else ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at one rewrite of a row.

    Attributes:
        source: The row to evolve.
        evolver: Holds the method.
        draw: Draw number of the row's calls; those of one stage are derived from it.
        round: The round that the evolved row belongs to, from 1; 0 for a row that is only answered.
        child: Zero-based number of the rewrite among those of the row in the round.
        temperature: Sampling temperature of the evolver; None: as configured.
        is_final: Whether no further attempt at the rewrite follows, whatever becomes of this one.
        is_last: Whether the row evolves no further after this round, and so is answered.
        length_goal: Reaching it ends the row's evolution earlier; None: only the rounds do.
        refusal: Why the last attempt at the row failed, for the evolver; "": it is not told.
        checks: Constraints that are added to the rewrite, with the checks of its answer.
    """

    source: Row
    evolver: Evolver
    draw: int
    round: int = 1
    child: int = 0
    temperature: float | None = None
    is_final: bool = True
    is_last: bool = True
    length_goal: LengthGoal | None = None
    refusal: str = ""
    checks: int = 0

    def blank(self, model: str, ids: RowIds) -> Row:
        """Return the evolved row before its instruction is known.

        A breadth method begins a new lineage: the row is a seed of its own, whose parent is the row
        that inspired it.

        Args:
            model: The evolver's configured model, for the record.
            ids: Name the row.
        """
        method, source = self.evolver.method_name, self.source
        identity = ids.name(source.id, self.round, self.child)
        is_new = self.evolver.given.kind == "breadth"
        return replace(
            source,
            id=identity,
            seed_id=identity if is_new else source.seed_id,
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
            suspected_by=(),
            unknown="",
            meta=without_checks(source.meta),
        )

    def is_answered(self, row: Row) -> bool:
        """Tell whether the evolved row is answered: it evolves no further."""
        return self.is_last or (self.length_goal is not None and self.length_goal.is_met(row))

    def lesson_case(self, row: Row) -> Case:
        """Return what F sees of an evolved row when it asks what the row teaches."""
        is_single = not row.turns
        return Case(
            source=self.source.prompt if is_single else self.source.text,
            evolved=row.prompt if is_single else row.text,
            response=row.response or None,
            method_kind=self.evolver.method.kind,
            # The answer to a row of an earlier round is a model's own.
            expected=self.source.response if is_single and not self.source.round else "",
            # Nobody can try a conversation as one task.
            input="" if is_single else None,
        )

    def case(
        self,
        source: str,
        evolved: str | None,
        reply: CallRecord | None,
        raw: str = "",
        *,
        stands_alone: bool = False,
    ) -> Case:
        """Return what F sees of a rewrite, or of one turn of it.

        Args:
            source: The text that was evolved.
            evolved: The rewritten text; None when the reply could not be parsed.
            reply: The stage's last call; None when unknown.
            raw: The evolver's reply before parsing.
            stands_alone: Whether the text, with the row's input, is all that somebody needs to do
                the task.
        """
        method = self.evolver.method
        return Case(
            source=source,
            evolved=evolved,
            raw=raw,
            method=method.instructions,
            demonstrations=method.demonstrated,
            method_kind=method.kind,
            # A conversation's response answers its first turn alone, so it is no reference.
            expected="" if self.source.turns else self.source.response,
            input=self.source.input if stands_alone else None,
            problem=reply.problem if reply else "",
            truncated=bool(reply and reply.is_truncated),
            tokens_out=reply.tokens_out if reply else 0,
            tokens_total=reply.tokens_in + reply.tokens_out if reply else 0,
        )
