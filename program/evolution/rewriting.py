"""The evolve stage of one row: its instruction or user turns, each judged by F, then its input."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal, NamedTuple

from dspy.utils.exceptions import AdapterParseError

from autoevol.metrics import Reason, added_words, fails
from autoevol.program.calls import collected_calls
from autoevol.program.draws import draw_number
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.evolver import RowContext
from autoevol.program.evolution.failure import FailureMetric
from autoevol.program.records import Row
from autoevol.program.roles import Role

ContextName = Literal["none", "previous"]
CONFIDENCE = "confidence"
"""Score of a row whose evolver sends log-probabilities: the mean probability of its likeliest
tokens, in (0, 1]. Source: arXiv 2412.11231, where smaller evolvers are less sure of each token."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """A row after a stage, with F's verdict.

    Attributes:
        row: The row as the stage leaves it.
        reasons: The broken rules, suspicions among them; empty when the row is sound.
        raw: The evolver's last reply before parsing.
    """

    row: Row
    reasons: tuple[Reason, ...]
    raw: str = ""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One user turn (or a whole instruction) after the evolver.

    Attributes:
        text: The rewrite; None when the reply could not be parsed.
        thinking: The model's own, and what came before the rewrite in the stepwise form.
        raw: The reply before parsing.
        model: Name of the model that replied.
        reasons: The broken rules; empty when the rewrite is sound.
        confidence: See `CONFIDENCE`; None: the provider sent no log-probabilities.
    """

    text: str | None
    thinking: str
    raw: str
    model: str
    reasons: tuple[Reason, ...] = ()
    confidence: float | None = None


class _Parsed(NamedTuple):
    """The fields of an evolver's reply.

    Attributes:
        text: The rewrite; None when the reply could not be parsed.
        thinking: What came before the rewrite in the stepwise form.
        raw: The reply as far as DSPy hands it on.
    """

    text: str | None
    thinking: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class RewriteOptions:
    """What the evolver sees of a row, and what of it is rewritten.

    Attributes:
        context: Whether it sees the earlier turns of a conversation.
        evolves_input: Whether the row's input is evolved after its instruction.
        shows_system: Whether it sees the row's system prompt.
    """

    context: ContextName = "none"
    evolves_input: bool = False
    shows_system: bool = True


async def rewrite_row(
    attempt: Attempt,
    blank: Row,
    role: Role,
    failure: FailureMetric,
    options: RewriteOptions,
) -> StageResult:
    """Return the evolved row.

    A conversation is evolved turn by turn until one of them fails; the reason names its number.

    Args:
        attempt: What is evolved, and how.
        blank: The evolved row without its instruction.
        role: The evolver.
        failure: F.
        options: What the evolver sees and rewrites.

    Raises:
        AdapterParseError: A judge's reply does not parse, so F has no verdict.
        LMError: A call failed for good.
    """
    source = attempt.source
    # A later turn needs the earlier ones, and an input that is yet to evolve may not fit any more.
    evolves_input = options.evolves_input
    stands_alone = not source.turns and not (evolves_input and source.input)
    turns = await _TurnEvolver(attempt, role, failure, options, stands_alone).evolve()
    row = _filled(blank, source, turns)
    last = turns[-1]
    reasons = tuple(reason for turn in turns for reason in turn.reasons)
    if fails(reasons) or not (evolves_input and row.input):
        return StageResult(row, reasons, last.raw)
    evolved = await _evolve_input(attempt, row, role, last.raw)
    return replace(evolved, reasons=(*reasons, *evolved.reasons))


@dataclass(frozen=True, slots=True)
class _TurnEvolver:
    """Evolves the turns of one row; a single instruction is one turn."""

    attempt: Attempt
    role: Role
    failure: FailureMetric
    options: RewriteOptions
    stands_alone: bool

    async def evolve(self) -> list[_Turn]:
        """Return the turns up to the first that fails, at least one."""
        source = self.attempt.source
        originals = _texts(source)
        turns: list[_Turn] = []
        for number, text in enumerate(originals):
            pairs = [(old, new.text or "") for old, new in zip(originals, turns, strict=False)]
            turn = await self._evolve(
                number, text, pairs if self.options.context == "previous" else []
            )
            if source.turns:
                turn = replace(turn, reasons=with_turn_number(turn.reasons, number))
            turns.append(turn)
            if fails(turn.reasons):
                break
        return turns

    async def _evolve(self, number: int, text: str, before: Sequence[tuple[str, str]]) -> _Turn:
        """Return a turn with F's verdict; `before` are the turns that the evolver sees with it."""
        attempt = self.attempt
        # The first turn draws as a row with a single instruction does.
        draw = draw_number("turn", attempt.draw, number) if number else attempt.draw
        with collected_calls() as calls:
            parsed = await self._parsed(text, draw, before)
        # A repaired reply took two calls; the last one counts.
        reply = calls[-1] if calls else None
        raw = reply.text if reply else parsed.raw
        case = attempt.case(text, parsed.text, reply, raw, stands_alone=self.stands_alone)
        goal = attempt.length_goal
        too_long = goal.reasons(parsed.text or "") if goal and parsed.text else ()
        reasons = await self.failure.reasons("evolve", case, also=too_long)
        # A model that thinks by itself, and a method with a field for it, may do both.
        thoughts = (reply.thinking if reply else "", parsed.thinking)
        return _Turn(
            text=parsed.text,
            thinking="\n\n".join(filter(None, thoughts)),
            raw=raw,
            model=reply.model if reply else self.role.model,
            reasons=reasons,
            confidence=reply.confidence if reply else None,
        )

    async def _parsed(self, text: str, draw: int, before: Sequence[tuple[str, str]]) -> "_Parsed":
        attempt = self.attempt
        try:
            prediction = await attempt.evolver.evolve_with(
                self.role,
                text,
                draw=draw,
                temperature=attempt.temperature,
                context=RowContext(
                    before,
                    attempt.source.system if self.options.shows_system else "",
                    attempt.refusal,
                ),
            )
        except AdapterParseError as error:
            # Data, no error: without a text the rule `unparsed` fails the turn.
            return _Parsed(None, raw=str(error.lm_response or ""))
        evolved = prediction.evolved_instruction or ""
        # Only the stepwise form has a thinking field.
        return _Parsed(evolved, getattr(prediction, "thinking", "") or "", evolved)


def with_turn_number(reasons: Sequence[Reason], number: int) -> tuple[Reason, ...]:
    """Return the reasons with their turn's number, counted from 1, before the evidence.

    Args:
        reasons: Why the turn failed.
        number: Zero-based.
    """
    return tuple(replace(r, evidence=f"turn {number + 1}: {r.evidence}") for r in reasons)


def _texts(source: Row) -> tuple[str, ...]:
    return source.turns or (source.instruction,)


def _filled(blank: Row, source: Row, turns: Sequence[_Turn]) -> Row:
    """Return the row with its rewritten turns; those after a failed one stay as they were."""
    originals = _texts(source)
    texts = tuple(turn.text or "" for turn in turns)
    # A conversation ends at its first failed turn, so there may be fewer rewrites than turns.
    added = sum(added_words(old, new) for old, new in zip(originals, texts, strict=False))
    return replace(
        blank,
        instruction=texts[0],
        turns=(*texts, *originals[len(texts) :]) if source.turns else (),
        thinking="\n\n".join(turn.thinking for turn in turns if turn.thinking),
        origin=blank.origin or texts[0],
        model_evolve=turns[-1].model,
        scores={"added_words": added, **_confidence(turns)},
    )


def _confidence(turns: Sequence[_Turn]) -> dict[str, float]:
    """Return the mean confidence over the turns; nothing unless every turn has one."""
    values = [turn.confidence for turn in turns if turn.confidence is not None]
    return {CONFIDENCE: fmean(values)} if len(values) == len(turns) else {}


async def _evolve_input(attempt: Attempt, row: Row, role: Role, raw: str) -> StageResult:
    """Evolve the input so that it fits the evolved instruction."""
    draw = draw_number("input", attempt.draw)
    try:
        text = await attempt.evolver.evolve_input_with(role, attempt.source, row, draw=draw)
    except AdapterParseError as error:
        reason = Reason("unparsed", "the input")
        return StageResult(row, (reason,), str(error.lm_response or ""))
    return StageResult(replace(row, input=text), (), raw)
