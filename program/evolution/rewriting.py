"""The evolve stage of one row: its instruction or its user turns, then its input, each under F."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from dspy.utils.exceptions import AdapterParseError

from autoevol.metrics import Case, Reason, added_words
from autoevol.program.calls import CallRecord, collected_calls
from autoevol.program.draws import draw_number
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.failure import FailureMetric
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.signatures import Method

ContextName = Literal["none", "previous"]
CONFIDENCE = "confidence"
"""Figure of a row whose evolver sends log-probabilities: the mean probability of its likeliest
tokens, in (0, 1]. Source: arXiv 2412.11231, where smaller evolvers are less sure of each token."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row after a stage, with what F said of it.

    Attributes:
        reasons: The broken rules; empty when the row is sound.
        raw: The last reply before parsing.
    """

    row: Row
    reasons: tuple[Reason, ...]
    raw: str = ""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the evolver made of one user turn.

    Attributes:
        text: None when the reply could not be parsed.
        confidence: Of the evolver in its reply; None: not told.
    """

    text: str | None
    thinking: str
    raw: str
    model: str
    reasons: tuple[Reason, ...] = ()
    confidence: float | None = None


async def rewritten(
    attempt: Attempt,
    blank: Row,
    role: Role,
    failure: FailureMetric,
    *,
    context: ContextName,
    evolves_input: bool,
) -> Judged:
    """Return the evolved row.

    A conversation is evolved turn by turn until one of them fails; the reason names its number.

    Raises:
        AdapterParseError: A judge's reply does not parse, so F cannot be told.
        LMError: A call failed for good.
    """
    made = await _turns(attempt, role, failure, context)
    row = _filled(blank, attempt.source, made)
    reasons = made[-1].reasons
    if reasons or not (evolves_input and row.input):
        return Judged(row, reasons, made[-1].raw)
    return await _with_input(attempt, row, role, made[-1].raw)


async def _turns(
    attempt: Attempt, role: Role, failure: FailureMetric, context: ContextName
) -> list[_Turn]:
    source = attempt.source
    given = source.turns or (source.instruction,)
    made: list[_Turn] = []
    for number, text in enumerate(given):
        pairs = [(old, turn.text or "") for old, turn in zip(given, made, strict=False)]
        before = pairs if context == "previous" else []
        turn = await _turn(attempt, role, failure, (number, text), before)
        made.append(_numbered(turn, number) if source.turns else turn)
        if turn.reasons:
            break
    return made


async def _turn(
    attempt: Attempt,
    role: Role,
    failure: FailureMetric,
    turn: tuple[int, str],
    before: Sequence[tuple[str, str]],
) -> _Turn:
    number, text = turn
    draw = draw_number("turn", attempt.draw, number) if number else attempt.draw
    with collected_calls() as calls:
        found = await _asked(attempt, role, text, draw, before)
    reply = calls[-1] if calls else None
    if reply:
        found = replace(found, raw=reply.text, model=reply.model, confidence=reply.confidence)
    expected = "" if attempt.source.turns else attempt.source.response
    case = case_of(text, found.text, attempt.evolver.method, reply)
    case = replace(case, raw=found.raw, expected=expected)
    reasons = await failure.reasons("evolve", case)
    if not reasons and attempt.until:
        reasons = attempt.until.reasons(found.text or "")
    return replace(found, reasons=reasons)


async def _asked(
    attempt: Attempt, role: Role, text: str, draw: int, before: Sequence[tuple[str, str]]
) -> _Turn:
    try:
        found = await attempt.evolver.evolve_with(
            role, text, draw=draw, temperature=attempt.temperature, before=before
        )
    except AdapterParseError as error:
        return _Turn(None, "", str(error.lm_response or ""), role.model)
    evolved = found.evolved_instruction or ""
    return _Turn(evolved, getattr(found, "thinking", "") or "", evolved, role.model)


def _numbered(turn: _Turn, number: int) -> _Turn:
    """Return the turn with its number, from 1, in what F said."""
    told = (replace(r, evidence=f"turn {number + 1}: {r.evidence}") for r in turn.reasons)
    return replace(turn, reasons=tuple(told))


def _filled(blank: Row, source: Row, made: Sequence[_Turn]) -> Row:
    """Return the row with what was made; turns behind a failed one stay as they were."""
    texts = tuple(turn.text or "" for turn in made)
    given = source.turns or (source.instruction,)
    added = sum(added_words(old, new) for old, new in zip(given, texts, strict=False))
    return replace(
        blank,
        instruction=texts[0],
        turns=(*texts, *given[len(texts) :]) if source.turns else (),
        thinking="\n\n".join(turn.thinking for turn in made if turn.thinking),
        origin=blank.origin or texts[0],
        model_evolve=made[-1].model,
        scores={"added_words": added, **_confidence(made)},
    )


def _confidence(made: Sequence[_Turn]) -> dict[str, float]:
    """Return the mean confidence over the turns, where all of them have one."""
    told = [turn.confidence for turn in made if turn.confidence is not None]
    return {CONFIDENCE: fmean(told)} if len(told) == len(made) else {}


async def _with_input(attempt: Attempt, row: Row, role: Role, raw: str) -> Judged:
    """Evolve the input so that it fits the evolved instruction."""
    draw = draw_number("input", attempt.draw)
    try:
        found = await attempt.evolver.evolve_input_with(role, attempt.source, row, draw=draw)
    except AdapterParseError as error:
        return Judged(row, (Reason("unparsed", "the input"),), str(error.lm_response or ""))
    return Judged(replace(row, input=found), (), raw)


def case_of(source: str, evolved: str | None, method: Method, reply: CallRecord | None) -> Case:
    """Return what F sees of a rewrite; `reply` is the stage's last call, None when unknown."""
    return Case(
        source=source,
        evolved=evolved,
        method=method.instructions,
        demonstrations=method.demonstrated,
        method_kind=method.kind,
        truncated=bool(reply and reply.is_truncated),
        tokens_out=reply.tokens_out if reply else 0,
        tokens_total=reply.tokens_in + reply.tokens_out if reply else 0,
    )
