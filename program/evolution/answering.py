"""The respond stage of one row: its answers, under the respond rules of F alone.

An instruction can be answered several times, to try again after a failure (`attempts`) or to choose
among sound answers (`samples`); a conversation is answered turn by turn.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dspy.utils.exceptions import AdapterParseError

from autoevol.metrics import Reason, majority
from autoevol.program.bounds import Count
from autoevol.program.calls import CallRecord, collected_calls
from autoevol.program.draws import draw_number
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.failure import FailureMetric
from autoevol.program.evolution.judges import best_answer
from autoevol.program.evolution.rewriting import Judged, case_of
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Roles

ChooseName = Literal["majority", "judge"]
Exchange = tuple[str, str]
"""A user turn and the answer to it."""


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class AnswerSettings:
    """How instructions are answered.

    Attributes:
        attempts: Tries of an answer that F fails; the instruction stays.
        samples: Answers to choose from.
        choose: Among several sound ones: the commonest result (self-consistency, arXiv 2203.11171),
            or the one that the judge calls best.
        only_missing: Rows that are answered as they are and come with an answer (other than "IDK")
            keep it, without a call.
    """

    attempts: Count = 1
    samples: Count = 1
    choose: ChooseName = "majority"
    only_missing: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """One user turn of the evolved row.

    Attributes:
        number: From 0.
        asked: What the responder is asked: the turn and, where there is one, the input.
        source: The turn that it was made from.
        before: The turns before it with their answers.
    """

    number: int
    text: str
    asked: str
    source: str
    before: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """One reply of the responder."""

    text: str
    model: str
    is_truncated: bool
    reasons: tuple[Reason, ...]


async def answered(
    outcome: Outcome,
    attempt: Attempt,
    roles: Roles,
    failure: FailureMetric,
    settings: AnswerSettings,
) -> Judged:
    """Return the row with its response, or with the reasons why its last one failed.

    Raises:
        AdapterParseError: A judge's reply does not parse, so F cannot be told.
        LMError: A call failed for good.
    """
    desk = _Answerer(attempt, roles, failure, settings)
    before: list[Exchange] = []
    found: list[_Answer] = []
    for question in _questions(outcome):
        answer = await desk.answer(replace(question, before=tuple(before)))
        found.append(answer)
        before.append((question.asked, answer.text))
        if answer.reasons:
            break
    return _with_answers(outcome.row, found)


def _questions(outcome: Outcome) -> list[_Question]:
    row, source = outcome.row, outcome.source
    if not row.turns:
        return [_Question(0, row.instruction, row.prompt, source.instruction)]
    pairs = zip(row.turns, source.turns, strict=True)
    return [_Question(n, text, text, before) for n, (text, before) in enumerate(pairs)]


def _with_answers(row: Row, found: Sequence[_Answer]) -> Judged:
    last = found[-1]
    turn = f"turn {len(found)}: " if row.turns else ""
    row = replace(
        row,
        response=found[0].text,
        answers=tuple(answer.text for answer in found) if row.turns else (),
        model_respond=last.model,
        scores={**row.scores, "response_truncated": float(last.is_truncated)},
    )
    reasons = tuple(replace(r, evidence=f"{turn}{r.evidence}") for r in last.reasons)
    return Judged(row, reasons)


@dataclass(frozen=True, slots=True)
class _Answerer:
    """Where the questions of one row are answered."""

    attempt: Attempt
    roles: Roles
    failure: FailureMetric
    settings: AnswerSettings

    async def answer(self, question: _Question) -> _Answer:
        """Return a sound answer, or the first one of the last try."""
        found: list[_Answer] = []
        for number in range(self.settings.attempts):
            found = await self._samples(question, number)
            sound = [answer for answer in found if not answer.reasons]
            if sound:
                return sound[await self._chosen(question, sound)]
        return found[0]

    async def _samples(self, question: _Question, number: int) -> list[_Answer]:
        count = self.settings.samples
        draws = [self._draw(question, number, sample) for sample in range(count)]
        return list(await asyncio.gather(*(self._sample(question, draw) for draw in draws)))

    def _draw(self, question: _Question, number: int, sample: int) -> int:
        """Return the draw of an answer; the very first one's is the row's own."""
        place = (question.number, number, sample)
        return draw_number("answer", self.attempt.draw, *place) if any(place) else self.attempt.draw

    async def _sample(self, question: _Question, draw: int) -> _Answer:
        evolver = self.attempt.evolver
        with collected_calls() as calls:
            try:
                found = await evolver.respond_with(
                    self.roles, question.asked, draw=draw, before=question.before
                )
                text = found.response or ""
            except AdapterParseError as error:
                text = str(error.lm_response or "")
        return await self._judged(question, text, calls[-1] if calls else None)

    async def _judged(self, question: _Question, text: str, reply: CallRecord | None) -> _Answer:
        case = case_of(question.source, question.text, self.attempt.evolver.method, reply)
        expected = "" if self.attempt.source.turns else self.attempt.source.response
        case = replace(case, response=text, expected=expected)
        reasons = await self.failure.reasons("respond", case)
        model = reply.model if reply else self.roles.responder.model
        return _Answer(text, model, case.truncated, reasons)

    async def _chosen(self, question: _Question, sound: Sequence[_Answer]) -> int:
        texts = [answer.text for answer in sound]
        if len(texts) == 1:
            return 0
        if self.settings.choose == "majority":
            return majority(texts)
        draw = draw_number("best", self.attempt.draw, question.number)
        return await best_answer(self.roles.judge, question.asked, texts, draw=draw)
