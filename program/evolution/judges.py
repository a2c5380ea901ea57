"""The rules that a judge model decides: the question of each, and the judge's fitness for it."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autoevol.metrics import Case
from autoevol.program.draws import draw_number
from autoevol.program.evolution.judge_controls import CONTROLS, LEAST_HITS, MOST_FALSE_ALARMS
from autoevol.program.roles import Role, ask
from autoevol.signatures import ChooseAnswer, JudgeDefects, JudgeEquality, JudgeEvolution

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the judge.

    Attributes:
        signature: Its outputs are typed.
        inputs: Returns the signature's input fields for a case.
        evidence: Returns the prediction's evidence that the case fails; None: it passes.
        needs_fitness: Whether the answer counts only if the judge tells the controls apart. The
            question of a published system needs none: it is used as that system uses it.
    """

    signature: type[dspy.Signature]
    inputs: Callable[[Case], dict[str, Any]]
    evidence: Callable[[dspy.Prediction], str | None]
    needs_fitness: bool = True


def _pair(case: Case) -> dict[str, Any]:
    return {"original": case.source, "rewrite": case.evolved}


QUESTIONS: dict[str, Question] = {
    "equal": Question(
        JudgeEquality,
        lambda case: {"first_instruction": case.source, "second_instruction": case.evolved},
        lambda prediction: "the judge calls it so" if prediction.are_equal else None,
        needs_fitness=False,
    ),
    "analysis": Question(
        JudgeEvolution,
        _pair,
        lambda prediction: prediction.reason if prediction.has_failed else None,
    ),
    "defects": Question(
        JudgeDefects,
        _pair,
        lambda prediction: ", ".join(prediction.defects) if prediction.defects else None,
    ),
}
"""The questions by rule, in the order in which they are asked."""


@dataclass(frozen=True, slots=True)
class Fitness:
    """A judge's result on the controls, for one question.

    Attributes:
        false_alarms: Sound controls that it flagged; lower is better.
        hits: Broken controls that it flagged; higher is better.
    """

    # `summary.json` holds these fields under these names.
    false_alarms: int
    hits: int

    @property
    def is_fit(self) -> bool:
        """Whether its answers count; a coin, or a judge that flags everything, is not fit."""
        return self.false_alarms <= MOST_FALSE_ALARMS and self.hits >= LEAST_HITS

    def __str__(self) -> str:
        half = len(CONTROLS) // 2
        return (
            f"flags {self.false_alarms} of {half} sound and {self.hits} of {half} broken controls"
        )


class Judge:
    """A judge model with its fitness, tested once for each rule.

    Args:
        role: The role whose model judges.

    Attributes:
        fitness: Fitness by rule, for the rules whose test has run.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.fitness: dict[str, Fitness] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def evidence(self, rule: str, case: Case) -> str | None:
        """Return why a case fails by the judge; None: it passes, or the judge is not fit.

        Raises:
            AdapterParseError: The reply does not parse, so F has no verdict.
            LMError: The call failed for good.
        """
        if not await self.is_fit(rule):
            return None
        # The rewrite needs no coordinate: it is part of the prompt, and so of the ledger's key.
        return await self._ask(rule, case, draw_number(rule, case.source))

    async def is_fit(self, rule: str) -> bool:
        """Tell whether the judge's answers to a rule's question count.

        The first call for a rule asks about all controls.

        Raises:
            LMError: A call failed for good.
        """
        if not QUESTIONS[rule].needs_fitness:
            return True
        # Many rows arrive at once; the lock lets the first one test and the others wait for it.
        async with self._locks.setdefault(rule, asyncio.Lock()):
            if rule not in self.fitness:
                self.fitness[rule] = await self._test(rule)
        return self.fitness[rule].is_fit

    async def _test(self, rule: str) -> Fitness:
        flags = await asyncio.gather(*(self._is_flagged(rule, n) for n in range(len(CONTROLS))))
        fitness = Fitness(
            false_alarms=sum(f for f, c in zip(flags, CONTROLS, strict=True) if c.is_sound),
            hits=sum(f for f, c in zip(flags, CONTROLS, strict=True) if not c.is_sound),
        )
        if not fitness.is_fit:
            logger.warning(
                "%s is not fit to judge %r: it %s; the rule abstains",
                self.role.model,
                rule,
                fitness,
            )
        return fitness

    async def _is_flagged(self, rule: str, number: int) -> bool:
        """Tell whether the judge flags a control; an unreadable answer counts as the wrong one."""
        control = CONTROLS[number]
        case = Case(control.original, control.rewrite)
        try:
            evidence = await self._ask(rule, case, draw_number("control", rule, number))
        except AdapterParseError:
            return control.is_sound
        return evidence is not None

    async def _ask(self, rule: str, case: Case, draw: int) -> str | None:
        question = QUESTIONS[rule]
        predictor = dspy.Predict(question.signature)
        prediction = await ask(predictor, self.role, draw=draw, **question.inputs(case))
        return question.evidence(prediction)


async def best_answer(role: Role, instruction: str, answers: Sequence[str], *, draw: int) -> int:
    """Return the zero-based index of the answer that a judge model calls best.

    A number that no answer has counts as no choice, and the index is 0.

    Args:
        role: The role whose model judges.
        instruction: The instruction that all answers reply to.
        answers: At least one; the judge sees them numbered from 1.
        draw: Draw number of the call.

    Raises:
        AdapterParseError: The judge's reply holds no number, or several.
        LMError: The call failed for good.
    """
    numbered = "\n\n".join(f"[{n}]\n{answer}" for n, answer in enumerate(answers, start=1))
    predictor = dspy.Predict(ChooseAnswer)
    prediction = await ask(predictor, role, draw=draw, instruction=instruction, answers=numbered)
    reply = prediction.best
    numbers = {int(number) for number in re.findall(r"\d+", reply)}
    if len(numbers) != 1:
        raise AdapterParseError("best_answer", ChooseAnswer, reply, message="no single number")
    best = numbers.pop()
    return best - 1 if 1 <= best <= len(answers) else 0
