"""The respond stage of one row: its answers, judged by the respond rules of F.

An instruction can be answered several times: again after a failure (`attempts`), or to choose among
sound answers (`samples`). A conversation is answered turn by turn.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dspy.utils.exceptions import AdapterParseError

from autoevol.metrics import Reason, fails, majority
from autoevol.metrics.verification.solutions import is_program
from autoevol.program.bounds import Few
from autoevol.program.calls import CallRecord, collected_calls
from autoevol.program.checks.checking import Checker
from autoevol.program.checks.constraining import TESTS
from autoevol.program.checks.testing import Tested
from autoevol.program.draws import draw_number
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.best_answer import best_answer
from autoevol.program.evolution.failure import FailureMetric
from autoevol.program.evolution.rewriting import StageResult, with_turn_number
from autoevol.program.evolution.verifying import Checked, disagreement, tests_of
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Roles

ChooseName = Literal["majority", "judge"]
CheckName = Literal["none", "constraints", "agreement", "tests"]
Exchange = tuple[str, str]
"""A user turn and the answer to it."""

IDK = "IDK"
"""How koevol and auto-evol-instruct mark a row without an answer."""


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class AnswerSettings:
    """How instructions are answered.

    Attributes:
        attempts: Attempts at an answer before its failure counts, at least 1; the instruction
            stays.
        samples: Answers of an attempt to choose from, at least 1.
        choose: Which of several sound answers: the commonest result (self-consistency, arXiv
            2203.11171), or the one that the judge calls best.
        check: How answers are verified. "constraints": the row's checks run over its answer, in a
            sandbox. "agreement": the results of the samples have to agree on one, and with the
            row's own answer where rows are answered as they are; for tasks with one result.
            "tests": the programs in the samples run against tests that the responder writes apart
            from them, in a sandbox; the largest group that passes the same tests is kept, if these
            are more than half (CodeT, arXiv 2207.10397).
        only_missing: Where rows are answered as they are, a row that has an answer (other than
            "IDK") keeps it, without a call.
    """

    attempts: Few = 1
    samples: Few = 1
    choose: ChooseName = "majority"
    check: CheckName = "none"
    only_missing: bool = False

    def keeps_response(self, row: Row) -> bool:
        """Tell whether a row that is answered as it is keeps the answers that it has."""
        answers = row.answers or (row.response,)
        return self.only_missing and all(answer.strip() not in ("", IDK) for answer in answers)


@dataclass(frozen=True, slots=True)
class _Question:
    """One user turn of the evolved row.

    Attributes:
        number: Zero-based.
        text: The turn, without the input.
        prompt: What the responder reads: the turn and, where there is one, the input.
        source: The turn that it was evolved from.
        before: The earlier turns with their answers.
        is_last: Whether no turn follows.
    """

    number: int
    text: str
    prompt: str
    source: str
    before: tuple[Exchange, ...] = ()
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class _Answer:
    """One reply of the responder.

    Attributes:
        text: The reply.
        model: Name of the model that replied.
        is_truncated: Whether the reply hit its token limit.
        reasons: The broken rules; empty when the answer is sound.
        tested: What the tests say of its program; None: nobody ran any.
    """

    text: str
    model: str
    is_truncated: bool
    reasons: tuple[Reason, ...]
    tested: Tested | None = None


async def answer_row(
    outcome: Outcome,
    attempt: Attempt,
    roles: Roles,
    failure: FailureMetric,
    settings: AnswerSettings,
    checker: Checker | None = None,
) -> StageResult:
    """Return the row with its response, or with the reasons why its last answer failed.

    Args:
        outcome: The outcome of the evolve stage, a sound row.
        attempt: The attempt that the row belongs to.
        roles: The responder answers; the judge may choose among samples.
        failure: F.
        settings: Attempts, samples, and the choice among them.
        checker: Runs the row's checks over its answer; None: nobody does.

    Raises:
        AdapterParseError: A judge's reply does not parse, so F has no verdict.
        LMError: A call failed for good.
    """
    checked = Checked.of(outcome.row, checker if settings.check == "constraints" else None)
    tester = checker if settings.check == "tests" else None
    answerer = _Answerer(attempt, roles, failure, settings, checked, tester)
    before: list[Exchange] = []
    answers: list[_Answer] = []
    for question in _questions(outcome):
        answer = await answerer.answer(replace(question, before=tuple(before)))
        answers.append(answer)
        before.append((question.prompt, answer.text))
        if fails(answer.reasons):
            break
    return _with_answers(outcome, answers)


def _questions(outcome: Outcome) -> list[_Question]:
    row, source = outcome.row, outcome.source
    if not row.turns:
        return [_Question(0, row.instruction, row.prompt, source.instruction)]
    pairs = zip(row.turns, source.turns, strict=True)
    last = len(row.turns) - 1
    return [
        _Question(n, text, text, original, is_last=n == last)
        for n, (text, original) in enumerate(pairs)
    ]


def _with_answers(outcome: Outcome, answers: Sequence[_Answer]) -> StageResult:
    row, last = outcome.row, answers[-1]
    is_conversation = bool(row.turns)
    reasons = tuple(
        reason
        for number, answer in enumerate(answers)
        for reason in _numbered(answer.reasons, number, is_conversation)
    )
    tests = last.tested
    row = replace(
        row,
        response=answers[0].text,
        answers=tuple(answer.text for answer in answers) if is_conversation else (),
        model_respond=last.model,
        scores={
            **row.scores,
            "response_truncated": float(last.is_truncated),
            **({"tests_passed": tests.share} if tests else {}),
        },
        meta={**row.meta, TESTS: list(tests.passed)} if tests else row.meta,
    )
    return StageResult(row, reasons, outcome.raw)


def _numbered(reasons: Sequence[Reason], number: int, is_turn: bool) -> Sequence[Reason]:
    return with_turn_number(reasons, number) if is_turn else reasons


@dataclass(frozen=True, slots=True)
class _Answerer:
    """Answers the questions of one row."""

    attempt: Attempt
    roles: Roles
    failure: FailureMetric
    settings: AnswerSettings
    checked: Checked
    tester: Checker | None

    async def answer(self, question: _Question) -> _Answer:
        """Return the chosen sound answer, or else a suspected one, or else one that failed."""
        samples: list[_Answer] = []
        is_task = False
        for number in range(self.settings.attempts):
            samples = await self._samples(question, number)
            # What was a programming task at the first attempt is one at the second.
            is_task = is_task or any(is_program(answer.text) for answer in samples)
            samples = await self._verified(question, number, samples, is_task=is_task)
            sound = [answer for answer in samples if not answer.reasons]
            if sound:
                return sound[await self._choose(question, sound)]
        return next((answer for answer in samples if not fails(answer.reasons)), samples[0])

    async def _samples(self, question: _Question, number: int) -> list[_Answer]:
        count = self.settings.samples
        draws = [self._draw(question, number, sample) for sample in range(count)]
        return list(await asyncio.gather(*(self._sample(question, draw) for draw in draws)))

    def _draw(self, question: _Question, number: int, sample: int) -> int:
        """Return the draw of an answer; the very first one's is the row's own."""
        coordinates = (question.number, number, sample)
        if not any(coordinates):
            return self.attempt.draw
        return draw_number("answer", self.attempt.draw, *coordinates)

    async def _sample(self, question: _Question, draw: int) -> _Answer:
        evolver = self.attempt.evolver
        with collected_calls() as calls:
            try:
                prediction = await evolver.respond_with(
                    self.roles,
                    question.prompt,
                    draw=draw,
                    before=question.before,
                    system=self.attempt.source.system,
                )
                text = prediction.response or ""
            except AdapterParseError as error:
                # Data, no error: the respond rules fail the text, mostly an empty one.
                text = str(error.lm_response or "")
        return await self._judge(question, text, calls[-1] if calls else None)

    async def _judge(self, question: _Question, text: str, reply: CallRecord | None) -> _Answer:
        case = self.attempt.case(question.source, question.text, reply)
        reasons = await self.failure.reasons("respond", replace(case, response=text))
        # Of a conversation the last answer is checked.
        if not fails(reasons) and question.is_last:
            reasons = (*reasons, *await self.checked.reasons(text))
        model = reply.model if reply else self.roles.responder.model
        return _Answer(text, model, case.truncated, reasons)

    async def _verified(
        self, question: _Question, number: int, samples: list[_Answer], *, is_task: bool
    ) -> list[_Answer]:
        """Return the samples; those that agreement or tests speak against have a reason."""
        if self.settings.check == "agreement":
            return self._agreeing(question, samples)
        # Of a conversation the last answer is checked.
        if not (self.tester and is_task and question.is_last):
            return samples
        draw = draw_number("tests", self.attempt.draw, question.number, number)
        results = await tests_of(
            self.tester,
            self.roles.responder,
            self._task(question),
            [answer.text for answer in samples],
            draw,
        )
        return [
            replace(answer, reasons=(*answer.reasons, *([reason] if reason else [])), tested=result)
            for answer, (reason, result) in zip(samples, results, strict=True)
        ]

    def _task(self, question: _Question) -> str:
        """Return a question with all that was said before it."""
        said = [text for exchange in question.before for text in exchange]
        system = self.attempt.source.system
        return "\n\n".join([*([system] if system else []), *said, question.prompt])

    def _agreeing(self, question: _Question, samples: list[_Answer]) -> list[_Answer]:
        """Return the samples; those whose result is not the agreed one have a reason."""
        source = self.attempt.source
        # The data's answer belongs to the row as it came, not to a rewrite of it.
        answers = source.answers or (source.response,)
        own = "" if self.attempt.round else next(iter(answers[question.number :]), "")
        reasons = disagreement([answer.text for answer in samples], own)
        return [
            replace(answer, reasons=(*answer.reasons, reason)) if reason else answer
            for answer, reason in zip(samples, reasons, strict=True)
        ]

    async def _choose(self, question: _Question, sound: Sequence[_Answer]) -> int:
        texts = [answer.text for answer in sound]
        if len(texts) == 1:
            return 0
        if self.settings.choose == "majority":
            return majority(texts)
        draw = draw_number("best", self.attempt.draw, question.number)
        return await best_answer(self.roles.judge, question.prompt, texts, draw=draw)
