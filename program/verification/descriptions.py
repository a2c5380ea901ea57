"""Stages 4 and 5: functions in words, held against the constraint that they are to check."""

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import dspy
from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.program.blocks import together
from autoevol.program.draws import draw_number
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.roles import Role, ask
from autoevol.program.verification.constraints import Constraint
from autoevol.program.verification.options import VerificationOptions
from autoevol.program.witnesses.exam import Exam, Fitness, exam_of, items_in
from autoevol.signatures.verification import COMPARED, CompareConstraints, DescribeVerifier

RELATIONS = ("same", "different", "contradiction")
_ORDERS = 2
Relate = Callable[[str, str], Coroutine[Any, Any, str]]
"""Tells how a second constraint relates to a first one: one of `RELATIONS`, or "" for none."""


def contradiction_exam() -> Exam:
    """Return pairs of constraints of which half contradict each other; numbers have no language."""
    return exam_of(items_in(__package__), has_groups=False)


async def examined(relate: Relate) -> Fitness:
    """Return how well a witness tells contradictions; one that is not fit decides nothing.

    Raises:
        LMError: A call failed for good.
    """
    exam = contradiction_exam()
    flags = await together([_contradicts(relate, i.original, i.rewrite) for i in exam.items])
    return exam.fitness(exam.items, flags)


async def described(role: Role, constraint: Constraint, options: VerificationOptions) -> list[str]:
    """Stage 4: return what the first functions check, in words; "" where no reply came."""
    functions = constraint.functions[: options.descriptions]
    return await together([_description(role, code) for code in functions])


async def _description(role: Role, code: str) -> str:
    try:
        prediction = await ask(
            dspy.Predict(DescribeVerifier), role, draw=draw_number("describe", code), code=code
        )
    except (*UNSCORED_ERRORS, LMInvalidRequestError):
        return ""
    return (prediction.constraint or "").strip()


async def without_contradiction(
    relate: Relate, constraint: Constraint, descriptions: Sequence[str]
) -> Constraint:
    """Stage 5: return the constraint, lost if a description contradicts it.

    The witness is asked in both orders; a contradiction is one that it finds in both.
    """
    stated = [text for text in descriptions if text]
    if not stated:
        return constraint.lost("contradict", "no_description")
    verdicts = await together([_contradicts(relate, constraint.text, text) for text in stated])
    return constraint.lost("contradict", "contradiction" if any(verdicts) else "")


async def _contradicts(relate: Relate, constraint: str, description: str) -> bool:
    pairs = [(constraint, description), (description, constraint)]
    relations = await together([relate(*pair) for pair in pairs])
    return relations.count("contradiction") == _ORDERS


def judged_by(judge: Role) -> Relate:
    """Return the judge as a witness of contradictions."""
    return lambda first, second: relation(judge, first, second)


async def relation(judge: Role, first: str, second: str) -> str:
    """Return how two constraints relate, one of `RELATIONS`; "": no reply can be read."""
    try:
        prediction = await ask(
            dspy.Predict(CompareConstraints),
            judge,
            draw=draw_number("relation", first, second),
            demos=[dspy.Example(**example) for example in COMPARED],
            first=first,
            second=second,
        )
    except (*UNSCORED_ERRORS, LMInvalidRequestError):
        return ""
    words = re.findall(r"[a-z]+", (prediction.relation or "").lower())
    return words[0] if words and words[0] in RELATIONS else ""
