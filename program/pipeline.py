"""One attempt at a block of rows: evolve, F, respond, F.

Rows of a block evolve together before they respond together. With blocks of one row many blocks run
side by side and nothing waits (hosted models); with larger blocks the prompts of one stage stand
together, so a local server's prefix cache keeps the method.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dspy.utils.exceptions import (
    AdapterParseError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)

from metrics import Case, Reason, Stage, added_words
from program.calls import CallRecord, collected_calls, usage_of
from program.evolver import Evolver
from program.failure import FailureMetric
from program.records import Outcome, Row
from program.roles import Roles
from signatures import Method

DrawOf = Callable[[Row], int]
"""The draw number of a row's calls in this attempt."""

TRANSPORT_ERRORS = (LMTransportError, LMTimeoutError, LMServerError, LMRateLimitError)
"""Another time the same call could go through."""

UNSCORED_ERRORS = (*TRANSPORT_ERRORS, AdapterParseError)
"""After these F cannot be told. The evolver's and the responder's own unparsable replies are caught
before; what is left of `AdapterParseError` is a judge's."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What every attempt needs besides its rows.

    Attributes:
        failure: F.
        responds: Whether sound rewrites are answered (and F looks at the answers).
        block_rows: Rows whose calls of one stage stand together, at least 1.
        blocks_in_flight: Blocks that run side by side, at least 1.
    """

    roles: Roles
    failure: FailureMetric
    responds: bool = True
    block_rows: int = 1
    blocks_in_flight: int = 1

    @property
    def rows_in_flight(self) -> int:
        """Rows that may be under way at once."""
        return self.block_rows * self.blocks_in_flight


@dataclass(frozen=True, slots=True)
class Attempt:
    """The settings of one attempt at some rows.

    Attributes:
        evolver_of: Gives each row its evolver.
        draw_of: Gives each row its draw.
        round: The round that the evolved rows belong to, from 1.
        temperature: Of the evolver's model; None: as configured.
    """

    evolver_of: Callable[[Row], Evolver]
    draw_of: DrawOf
    round: int = 1
    temperature: float | None = None


async def attempt_block(rows: Sequence[Row], attempt: Attempt, pipeline: Pipeline) -> list[Outcome]:
    """Return what became of each row, in the order of `rows`."""
    outcomes = await asyncio.gather(*(_evolved(row, attempt, pipeline) for row in rows))
    if not pipeline.responds:
        return list(outcomes)
    return list(
        await asyncio.gather(*(_responded(outcome, attempt, pipeline) for outcome in outcomes))
    )


async def _evolved(source: Row, attempt: Attempt, pipeline: Pipeline) -> Outcome:
    blank = _blank_row(source, attempt, pipeline)
    with collected_calls() as calls:
        try:
            return await _scored_rewrite(source, blank, attempt, pipeline, calls)
        except UNSCORED_ERRORS as error:
            return _unscored(source, blank, error, calls)
        except LMInvalidRequestError as error:
            row = replace(blank, usage=usage_of(calls))
            return _outcome(source, row, "evolve", (_refused_request(error),), "")


async def _scored_rewrite(
    source: Row, blank: Row, attempt: Attempt, pipeline: Pipeline, calls: list[CallRecord]
) -> Outcome:
    evolver = attempt.evolver_of(source)
    rewrite = await _rewrite(evolver, source, blank.draw, attempt, pipeline)
    raw = calls[-1].text if calls else rewrite.raw
    model = calls[-1].model if calls else blank.model_evolve
    case = _case(source, rewrite.text, evolver.method, calls)
    reasons = await pipeline.failure.reasons("evolve", replace(case, raw=raw))
    evolved = rewrite.text or ""
    row = replace(
        blank,
        instruction=evolved,
        thinking=rewrite.thinking,
        model_evolve=model,
        usage=usage_of(calls),
        scores={"added_words": added_words(source.instruction, evolved)},
    )
    return _outcome(source, row, "evolve", reasons, raw)


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """What the evolver made of a row; `text` is None when its reply could not be parsed."""

    text: str | None
    thinking: str
    raw: str


async def _rewrite(
    evolver: Evolver, source: Row, draw: int, attempt: Attempt, pipeline: Pipeline
) -> _Rewrite:
    try:
        found = await evolver.evolve_with(
            pipeline.roles.evolver,
            source.instruction,
            draw=draw,
            temperature=attempt.temperature,
        )
    except AdapterParseError as error:
        return _Rewrite(None, "", str(error.lm_response or ""))
    text = found.evolved_instruction or ""
    return _Rewrite(text, getattr(found, "thinking", "") or "", text)


async def _responded(outcome: Outcome, attempt: Attempt, pipeline: Pipeline) -> Outcome:
    if outcome.status != "kept":
        return outcome
    source, row = outcome.source, outcome.row
    with collected_calls() as calls:
        try:
            return await _scored_response(outcome, attempt, pipeline, calls)
        except UNSCORED_ERRORS as error:
            return _unscored(source, row, error, calls)
        except LMInvalidRequestError as error:
            return _outcome(source, row, "respond", (_refused_request(error),), outcome.raw)


async def _scored_response(
    outcome: Outcome, attempt: Attempt, pipeline: Pipeline, calls: list[CallRecord]
) -> Outcome:
    source, row = outcome.source, outcome.row
    evolver = attempt.evolver_of(source)
    try:
        found = await evolver.respond_with(pipeline.roles, row.prompt, draw=row.draw)
        response = found.response or ""
    except AdapterParseError as error:
        response = str(error.lm_response or "")
    model = calls[-1].model if calls else pipeline.roles.responder.model
    case = replace(_case(source, row.instruction, evolver.method, calls), response=response)
    reasons = await pipeline.failure.reasons("respond", case)
    row = replace(
        row,
        response=response,
        model_respond=model,
        usage=add_usage(row.usage, usage_of(calls)),
        scores={**row.scores, "response_truncated": float(case.truncated)},
    )
    return _outcome(source, row, "respond", reasons, outcome.raw)


def add_usage(*parts: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of usage records, key by key."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def _blank_row(source: Row, attempt: Attempt, pipeline: Pipeline) -> Row:
    method = attempt.evolver_of(source).method_name
    return replace(
        source,
        id=f"{source.seed_id}.{attempt.round}",
        parent_id=source.id,
        round=attempt.round,
        method=method,
        trace=(*source.trace, method),
        instruction="",
        response="",
        origin=source.origin or source.instruction,
        model_evolve=pipeline.roles.evolver.model,
        draw=attempt.draw_of(source),
    )


def _case(source: Row, evolved: str | None, method: Method, calls: Sequence[CallRecord]) -> Case:
    last = calls[-1] if calls else None
    return Case(
        source=source.instruction,
        evolved=evolved,
        method=method.instructions,
        demonstrations=method.demonstrated,
        method_kind=method.kind,
        expected=source.response,
        truncated=bool(last and last.is_truncated),
        tokens_out=last.tokens_out if last else 0,
        tokens_total=last.tokens_in + last.tokens_out if last else 0,
    )


def _outcome(source: Row, row: Row, stage: Stage, reasons: tuple[Reason, ...], raw: str) -> Outcome:
    if not reasons:
        return Outcome(source, row, "kept", raw=raw)
    return Outcome(source, row, "failed", stage, reasons, raw)


def _unscored(source: Row, row: Row, error: Exception, calls: Sequence[CallRecord]) -> Outcome:
    row = replace(row, usage=add_usage(row.usage, usage_of(calls)))
    return Outcome(source, row, "unscored", reasons=(Reason("transport", str(error)[:300]),))


def _refused_request(error: LMError) -> Reason:
    return Reason("refused_request", str(error)[:300])
