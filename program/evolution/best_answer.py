"""The choice among answers by a judge model."""

import re
from collections.abc import Sequence

import dspy
from dspy.utils.exceptions import AdapterParseError

from autoevol.program.roles import Role, ask
from autoevol.signatures import ChooseAnswer


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
