"""One attempt at a block of rows: evolve, F, respond, F, and what the row teaches.

All rows of a block evolve before any of them is answered. Hosted models get blocks of one row, many
at a time, so that no row waits for another. A local model gets larger blocks: the prompts of one
stage follow each other, so the server's prefix cache keeps the method.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.metrics import Reason, Stage, fails
from autoevol.program.blocks import Item, run_blocks, together
from autoevol.program.calls import CallRecord, collected_calls, usage_of
from autoevol.program.checks.check import Check
from autoevol.program.checks.checking import Checker
from autoevol.program.checks.constraining import constrained
from autoevol.program.evolution.answering import AnswerSettings, answer_row
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.failure import FailureMetric
from autoevol.program.evolution.rewriting import RewriteOptions, StageResult, rewrite_row
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Roles
from autoevol.program.row_ids import RowIds

InputHandling = Literal["keep", "append", "evolve"]
Suspects = Literal["keep", "retry", "drop"]
"""`retry`: dropped while attempts are left, then kept."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes attempts through their stages.

    Attributes:
        roles: The models.
        failure: F.
        responds: Whether sound rewrites are answered (and F judges the answers).
        block_rows: Rows of a block, at least 1.
        blocks_in_flight: Blocks at work at the same time, at least 1.
        answer: How sound rewrites are answered.
        rewriting: What the evolver sees and rewrites.
        checker: Runs checks and tests of answers; None: nobody does.
        constraints: Those that rows may get, the checks of each; none: of the shipped kinds.
        suspects: What becomes of a row that is suspected, and against which there is no evidence.
        ids: Name the evolved rows.
        is_old: Whether a search's prompts name rules as they are called, and its proposals may
            quote rows, as in runs until format 5.
    """

    roles: Roles
    failure: FailureMetric
    responds: bool = True
    block_rows: int = 1
    blocks_in_flight: int = 1
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    rewriting: RewriteOptions = field(default_factory=RewriteOptions)
    checker: Checker | None = None
    constraints: Sequence[Sequence[Check]] = ()
    suspects: Suspects = "keep"
    ids: RowIds = field(default_factory=RowIds)
    is_old: bool = False

    @property
    def rows_in_flight(self) -> int:
        """Most rows at work at the same time."""
        return self.block_rows * self.blocks_in_flight

    async def run_blocks(
        self, items: Iterable[Item], work: Callable[[list[Item]], Awaitable[object]]
    ) -> None:
        """Do `work` on every block of `items`; see `program.blocks`."""
        await run_blocks(items, work, size=self.block_rows, in_flight=self.blocks_in_flight)

    async def attempt_block(self, attempts: Sequence[Attempt]) -> list[Outcome]:
        """Evolve and answer the rows of a block.

        Returns:
            An outcome for each attempt, in their order.

        Raises:
            LMError: A call failed in a way that affects every row, for example a refused key.
        """
        outcomes = await together([self._evolve(attempt) for attempt in attempts])
        outcomes = await self.answer_block(outcomes, attempts)
        if self.failure.teacher is None:
            return outcomes
        pairs = zip(outcomes, attempts, strict=True)
        return await together([self._teach(o, a) for o, a in pairs])

    async def answer_block(
        self, outcomes: Sequence[Outcome], attempts: Sequence[Attempt]
    ) -> list[Outcome]:
        """Answer the sound rows that evolve no further; return the others as they are."""
        pairs = zip(outcomes, attempts, strict=True)
        return await together([self._respond(o, a) for o, a in pairs])

    async def _evolve(self, attempt: Attempt) -> Outcome:
        blank = attempt.blank(self.roles.evolver.model, self.ids)

        async def work(calls: list[CallRecord]) -> Outcome:
            result = await rewrite_row(
                attempt,
                blank,
                self.roles.evolver,
                self.failure,
                self.rewriting,
            )
            return self._judged(attempt, "evolve", result, usage_of(calls))

        return await _run_stage(work, Outcome(attempt.source, blank, "kept"), "evolve")

    async def _respond(self, outcome: Outcome, attempt: Attempt) -> Outcome:
        if outcome.status != "kept" or not attempt.is_answered(outcome.row):
            return outcome
        if attempt.checks:
            row = constrained(outcome.row, attempt.checks, attempt.draw, self.constraints)
            outcome = replace(outcome, row=row)
        if not self.responds:
            return outcome
        answered = outcome

        async def work(calls: list[CallRecord]) -> Outcome:
            result = await answer_row(
                answered, attempt, self.roles, self.failure, self.answer, self.checker
            )
            usage = add_usage(answered.row.usage, usage_of(calls))
            return self._judged(attempt, "respond", result, usage)

        return await _run_stage(work, outcome, "respond")

    async def _teach(self, outcome: Outcome, attempt: Attempt) -> Outcome:
        """Ask what a row teaches; one that failed before costs no call."""
        if outcome.status != "kept" or not attempt.is_answered(outcome.row):
            return outcome

        async def work(calls: list[CallRecord]) -> Outcome:
            lesson = await self.failure.lesson(attempt.lesson_case(outcome.row))
            assert lesson
            usage = add_usage(outcome.row.usage, usage_of(calls))
            scores = {**outcome.row.scores, **lesson.scores}
            row = replace(outcome.row, usage=usage, scores=scores, unknown=lesson.unknown)
            if lesson.reasons:
                result = StageResult(row, lesson.reasons, outcome.raw)
                return _failed(attempt.source, "teach", result, usage)
            return replace(outcome, row=row)

        return await _run_stage(work, outcome, "teach")

    def _judged(
        self, attempt: Attempt, stage: Stage, result: StageResult, usage: Mapping[str, int]
    ) -> Outcome:
        """Return the outcome of a stage's result; suspicions alone may leave the row kept."""
        is_dropped = self.suspects == "drop" or (self.suspects == "retry" and not attempt.is_final)
        if fails(result.reasons) or (result.reasons and is_dropped):
            return _failed(attempt.source, stage, result, usage)
        suspicions = (*result.row.suspected_by, *result.reasons)
        row = replace(result.row, usage=usage, suspected_by=suspicions)
        return Outcome(attempt.source, row, "kept", raw=result.raw)


async def _run_stage(
    work: Callable[[list[CallRecord]], Awaitable[Outcome]], before: Outcome, stage: Stage
) -> Outcome:
    """Return the outcome of a stage; a died call leaves its row unscored, a refused one failed.

    Args:
        work: The stage. Takes the list of its calls, which grows as they finish.
        before: The row's outcome before the stage.
        stage: Name of the stage.
    """
    with collected_calls() as calls:
        try:
            return await work(calls)
        except UNSCORED_ERRORS as error:
            # The row is no evidence against its method; a resumed run tries its calls again.
            reason, is_unscored = Reason("transport", str(error)[:300]), True
        except LMInvalidRequestError as error:
            # The provider refuses this row whenever it is sent, a text beyond its context length
            # for example, so the row has failed.
            reason, is_unscored = Reason("refused_request", str(error)[:300]), False
        # The calls before the error have cost tokens, so the row carries them.
        usage = add_usage(before.row.usage, usage_of(calls))
    if is_unscored:
        row = replace(before.row, usage=usage)
        return Outcome(before.source, row, "unscored", reasons=(reason,))
    return _failed(before.source, stage, StageResult(before.row, (reason,), before.raw), usage)


def add_usage(*parts: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of usage records, key by key."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def _failed(source: Row, stage: Stage, result: StageResult, usage: Mapping[str, int]) -> Outcome:
    row = replace(result.row, usage=usage)
    return Outcome(source, row, "failed", stage, result.reasons, result.raw)
