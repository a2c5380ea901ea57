"""One attempt at a block of rows: evolve, F, respond, F.

Rows of a block evolve together before they respond together. With blocks of one row many blocks run
side by side and nothing waits (hosted models); with larger blocks the prompts of one stage stand
together, so a local server's prefix cache keeps the method.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from dspy.utils.exceptions import (
    LMInvalidRequestError,
)

from autoevol.metrics import Reason, Stage
from autoevol.program.calls import CallRecord, collected_calls, usage_of
from autoevol.program.evolution.answering import AnswerSettings, answered
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.failure import FailureMetric
from autoevol.program.evolution.rewriting import ContextName, rewritten
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Roles

InputHandling = Literal["keep", "append", "evolve"]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What every attempt needs besides its rows.

    Attributes:
        failure: F.
        responds: Whether sound rewrites are answered (and F looks at the answers).
        block_rows: Rows whose calls of one stage stand together, at least 1.
        blocks_in_flight: Blocks that run side by side, at least 1.
        answer: How they are answered.
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
        """Rows that may be under way at once."""
        return self.block_rows * self.blocks_in_flight


async def attempt_block(attempts: Sequence[Attempt], pipeline: Pipeline) -> list[Outcome]:
    """Return what became of each attempt, in their order."""
    outcomes = await asyncio.gather(*(_evolved(attempt, pipeline) for attempt in attempts))
    return await answer_block(outcomes, attempts, pipeline)


async def answer_block(
    outcomes: Sequence[Outcome], attempts: Sequence[Attempt], pipeline: Pipeline
) -> list[Outcome]:
    """Answer what is sound and at the end of its way; the rest stays as it is."""
    pairs = zip(outcomes, attempts, strict=True)
    return list(await asyncio.gather(*(_responded(o, a, pipeline) for o, a in pairs)))


async def _evolved(attempt: Attempt, pipeline: Pipeline) -> Outcome:
    blank = attempt.blank(pipeline.roles.evolver.model)

    async def work(calls: list[CallRecord]) -> Outcome:
        found = await rewritten(
            attempt,
            blank,
            pipeline.roles.evolver,
            pipeline.failure,
            context=pipeline.context,
            evolves_input=pipeline.evolves_input,
        )
        row = replace(found.row, usage=usage_of(calls))
        return _outcome(attempt.source, row, "evolve", found.reasons, found.raw)

    return await _guarded(work, Outcome(attempt.source, blank, "kept"), "evolve")


async def _responded(outcome: Outcome, attempt: Attempt, pipeline: Pipeline) -> Outcome:
    if not pipeline.responds or outcome.status != "kept" or not _is_at_its_end(outcome, attempt):
        return outcome

    async def work(calls: list[CallRecord]) -> Outcome:
        found = await answered(outcome, attempt, pipeline.roles, pipeline.failure, pipeline.answer)
        row = replace(found.row, usage=add_usage(outcome.row.usage, usage_of(calls)))
        return _outcome(outcome.source, row, "respond", found.reasons, outcome.raw)

    return await _guarded(work, outcome, "respond")


def _is_at_its_end(outcome: Outcome, attempt: Attempt) -> bool:
    is_met = attempt.until is not None and attempt.until.is_met(outcome.row)
    return attempt.is_last or is_met


async def _guarded(
    work: Callable[[list[CallRecord]], Awaitable[Outcome]], before: Outcome, stage: Stage
) -> Outcome:
    """Return what `work` makes of a row; a call that died leaves it unscored, a refused one failed.

    Args:
        work: Takes the calls made so far, a list that grows.
        before: What is known of the row without `work`.
        stage: That `work` is.
    """
    with collected_calls() as calls:
        try:
            return await work(calls)
        except UNSCORED_ERRORS as error:
            reason, status = Reason("transport", str(error)[:300]), "unscored"
        except LMInvalidRequestError as error:
            reason, status = Reason("refused_request", str(error)[:300]), "failed"
        row = replace(before.row, usage=add_usage(before.row.usage, usage_of(calls)))
    if status == "unscored":
        return Outcome(before.source, row, "unscored", reasons=(reason,))
    return _outcome(before.source, row, stage, (reason,), before.raw)


def add_usage(*parts: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of usage records, key by key."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def _outcome(source: Row, row: Row, stage: Stage, reasons: tuple[Reason, ...], raw: str) -> Outcome:
    if not reasons:
        return Outcome(source, row, "kept", raw=raw)
    return Outcome(source, row, "failed", stage, reasons, raw)
