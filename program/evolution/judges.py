"""The rules that a judge model decides: what each asks, and whether the judge is fit to say."""

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
        inputs: The signature's input fields for a case.
        evidence: Reads the typed answer; None: the case passes.
        needs_fitness: The answer counts only if the judge tells the controls apart; a question that
            is named after a system is asked as that system asks it.
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
        lambda found: "the judge calls it so" if found.are_equal else None,
        needs_fitness=False,
    ),
    "analysis": Question(
        JudgeEvolution, _pair, lambda found: found.reason if found.has_failed else None
    ),
    "defects": Question(
        JudgeDefects, _pair, lambda found: ", ".join(found.defects) if found.defects else None
    ),
}
"""By rule; asked in this order."""


@dataclass(frozen=True, slots=True)
class Fitness:
    """How a judge did on the controls, with one question.

    Attributes:
        false_alarms: Sound controls that it flagged.
        hits: Broken controls that it flagged.
    """

    false_alarms: int
    hits: int

    @property
    def is_fit(self) -> bool:
        """Whether its word counts: a coin, or a judge that flags everything, is not fit."""
        return self.false_alarms <= MOST_FALSE_ALARMS and self.hits >= LEAST_HITS

    def __str__(self) -> str:
        half = len(CONTROLS) // 2
        return (
            f"flags {self.false_alarms} of {half} sound and {self.hits} of {half} broken controls"
        )


class Judge:
    """A judge model, and what is known of its fitness.

    Args:
        role: Whose model judges.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.fitness: dict[str, Fitness] = {}
        self._trials: dict[str, asyncio.Lock] = {}

    async def evidence(self, rule: str, case: Case) -> str | None:
        """Return what the judge finds against a case; None too where it is not fit to say.

        Raises:
            AdapterParseError: Its reply does not parse, so F cannot be told.
            LMError: The call failed for good.
        """
        if not await self.is_fit(rule):
            return None
        return await self._asked(rule, case, draw_number(rule, case.source))

    async def is_fit(self, rule: str) -> bool:
        """Ask about the controls, once for each rule, and tell whether the judge's word counts.

        Raises:
            LMError: A call failed for good.
        """
        if not QUESTIONS[rule].needs_fitness:
            return True
        async with self._trials.setdefault(rule, asyncio.Lock()):
            if rule not in self.fitness:
                self.fitness[rule] = await self._tried(rule)
        return self.fitness[rule].is_fit

    async def _tried(self, rule: str) -> Fitness:
        flags = await asyncio.gather(*(self._flags(rule, n) for n in range(len(CONTROLS))))
        found = Fitness(
            false_alarms=sum(f for f, c in zip(flags, CONTROLS, strict=True) if c.is_sound),
            hits=sum(f for f, c in zip(flags, CONTROLS, strict=True) if not c.is_sound),
        )
        if not found.is_fit:
            logger.warning(
                "%s is not fit to judge %r: it %s; the rule abstains", self.role.model, rule, found
            )
        return found

    async def _flags(self, rule: str, number: int) -> bool:
        """Tell whether the judge flags a control; an unreadable answer is the wrong one."""
        control = CONTROLS[number]
        case = Case(control.original, control.rewrite)
        try:
            found = await self._asked(rule, case, draw_number("control", rule, number))
        except AdapterParseError:
            return control.is_sound
        return found is not None

    async def _asked(self, rule: str, case: Case, draw: int) -> str | None:
        question = QUESTIONS[rule]
        predictor = dspy.Predict(question.signature)
        return question.evidence(
            await ask(predictor, self.role, draw=draw, **question.inputs(case))
        )


async def best_answer(role: Role, instruction: str, answers: Sequence[str], *, draw: int) -> int:
    """Return the index of the answer that a judge model calls best.

    A number that is none of theirs counts as no choice: the first answer is returned.

    Raises:
        AdapterParseError: The judge's reply holds no number, or several.
        LMError: The call failed for good.
    """
    numbered = "\n\n".join(f"[{n}]\n{answer}" for n, answer in enumerate(answers, start=1))
    predictor = dspy.Predict(ChooseAnswer)
    found = await ask(predictor, role, draw=draw, instruction=instruction, answers=numbered)
    numbers = {int(number) for number in re.findall(r"\d+", found.best)}
    if len(numbers) != 1:
        raise AdapterParseError("best_answer", ChooseAnswer, found.best, message="no single number")
    best = numbers.pop()
    return best - 1 if 1 <= best <= len(answers) else 0
