"""One attempt at a block of rows: evolve, F, respond, F.

All rows of a block evolve before any of them is answered. Hosted models get blocks of one row, many
at a time, so that no row waits for another. A local model gets larger blocks: the prompts of one
stage follow each other, so the server's prefix cache keeps the method.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.metrics import Reason, Stage
from autoevol.program.blocks import Item, run_blocks
from autoevol.program.calls import CallRecord, collected_calls, usage_of
from autoevol.program.evolution.answering import AnswerSettings, answer_row
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.failure import FailureMetric
from autoevol.program.evolution.rewriting import ContextName, StageResult, rewrite_row
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Roles

InputHandling = Literal["keep", "append", "evolve"]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How an attempt goes through its stages.

    Attributes:
        roles: The models.
        failure: F.
        responds: Whether sound rewrites are answered (and F judges the answers).
        block_rows: Rows of a block, at least 1.
        blocks_in_flight: Blocks at work at the same time, at least 1.
        answer: How sound rewrites are answered.
        evolves_input: Whether a row's input is evolved after its instruction.
        context: Whether a turn of a conversation is evolved with the turns before it.
    """

    roles: Roles
    failure: FailureMetric
    responds: bool = True
    block_rows: int = 1
    blocks_in_flight: int = 1
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    evolves_input: bool = False
    context: ContextName = "none"

    @property
    def rows_in_flight(self) -> int:
        """Most rows at work at the same time."""
        return self.block_rows * self.blocks_in_flight

    async def run_blocks(
        self, items: Iterable[Item], work: Callable[[list[Item]], Awaitable[object]]
    ) -> None:
        """Do `work` on every block of `items`; see `program.blocks`."""
        await run_blocks(items, work, size=self.block_rows, in_flight=self.blocks_in_flight)


async def attempt_block(attempts: Sequence[Attempt], pipeline: Pipeline) -> list[Outcome]:
    """Evolve and answer the rows of a block; return an outcome for each attempt, in their order."""
    outcomes = await asyncio.gather(*(_evolve(attempt, pipeline) for attempt in attempts))
    return await answer_block(outcomes, attempts, pipeline)


async def answer_block(
    outcomes: Sequence[Outcome], attempts: Sequence[Attempt], pipeline: Pipeline
) -> list[Outcome]:
    """Answer the sound rows that evolve no further; return the others as they are."""
    pairs = zip(outcomes, attempts, strict=True)
    return list(await asyncio.gather(*(_respond(o, a, pipeline) for o, a in pairs)))


async def _evolve(attempt: Attempt, pipeline: Pipeline) -> Outcome:
    blank = attempt.blank(pipeline.roles.evolver.model)

    async def work(calls: list[CallRecord]) -> Outcome:
        result = await rewrite_row(
            attempt,
            blank,
            pipeline.roles.evolver,
            pipeline.failure,
            context=pipeline.context,
            evolves_input=pipeline.evolves_input,
        )
        return _outcome(attempt.source, "evolve", result, usage_of(calls))

    return await _guarded(work, Outcome(attempt.source, blank, "kept"), "evolve")


async def _respond(outcome: Outcome, attempt: Attempt, pipeline: Pipeline) -> Outcome:
    is_sound = outcome.status == "kept"
    if not (pipeline.responds and is_sound and attempt.is_answered(outcome.row)):
        return outcome

    async def work(calls: list[CallRecord]) -> Outcome:
        result = await answer_row(
            outcome, attempt, pipeline.roles, pipeline.failure, pipeline.answer
        )
        usage = add_usage(outcome.row.usage, usage_of(calls))
        return _outcome(outcome.source, "respond", result, usage)

    return await _guarded(work, outcome, "respond")


async def _guarded(
    work: Callable[[list[CallRecord]], Awaitable[Outcome]], before: Outcome, stage: Stage
) -> Outcome:
    """Return the outcome of `work`; a call that died leaves its row unscored, a refused one failed.

    Args:
        work: Takes the calls of the stage so far, a list that grows.
        before: The row's outcome before the stage.
        stage: The stage that `work` is.
    """
    with collected_calls() as calls:
        try:
            return await work(calls)
        except UNSCORED_ERRORS as error:
            reason, is_unscored = Reason("transport", str(error)[:300]), True
        except LMInvalidRequestError as error:
            # The provider refuses this row for good (too long, filtered): no retry would help.
            reason, is_unscored = Reason("refused_request", str(error)[:300]), False
        # The calls before the error have cost tokens, so the row carries them.
        usage = add_usage(before.row.usage, usage_of(calls))
    if is_unscored:
        row = replace(before.row, usage=usage)
        return Outcome(before.source, row, "unscored", reasons=(reason,))
    return _outcome(before.source, stage, StageResult(before.row, (reason,), before.raw), usage)


def add_usage(*parts: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of usage records, key by key."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def _outcome(source: Row, stage: Stage, result: StageResult, usage: Mapping[str, int]) -> Outcome:
    row = replace(result.row, usage=usage)
    if not result.reasons:
        return Outcome(source, row, "kept", raw=result.raw)
    return Outcome(source, row, "failed", stage, result.reasons, result.raw)
