"""The rules that a judge model decides: which question each asks, and how its answer is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dspy

from metrics import Case
from program.draws import draw_number
from program.roles import Role, ask
from signatures import JudgeDefects, JudgeEquality, JudgeEvolution


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the judge.

    Attributes:
        inputs: The signature's input fields for a case.
        evidence: Reads the typed answer; None: the case passes.
    """

    signature: type[dspy.Signature]
    inputs: Callable[[Case], dict[str, Any]]
    evidence: Callable[[dspy.Prediction], str | None]

    async def answer(self, judge: Role, rule: str, case: Case) -> str | None:
        """Ask the judge about one case and return the evidence for a failure, or None.

        Raises:
            AdapterParseError: The judge's reply does not parse, so F cannot be told.
            LMError: The call failed for good.
        """
        draw = draw_number(rule, case.source)
        found = await ask(dspy.Predict(self.signature), judge, draw=draw, **self.inputs(case))
        return self.evidence(found)


def _pair(case: Case) -> dict[str, Any]:
    return {"original": case.source, "rewrite": case.evolved}


QUESTIONS: dict[str, Question] = {
    "equal": Question(
        JudgeEquality,
        lambda case: {"first_instruction": case.source, "second_instruction": case.evolved},
        lambda found: "the judge calls it so" if found.are_equal else None,
    ),
    "analysis": Question(
        JudgeEvolution, _pair, lambda found: found.reason if found.has_failed else None
    ),
    "defects": Question(
        JudgeDefects, _pair, lambda found: ", ".join(found.defects) if found.defects else None
    ),
}
"""By rule; asked in this order."""
