"""The judge's questions, one for each rule that it decides, and how its answers are read."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import dspy

from autoevol.metrics import Case, Rule
from autoevol.program.witnesses.exam import Topic
from autoevol.signatures import (
    JudgeAddedDemand,
    JudgeDefects,
    JudgeDemand,
    JudgeEquality,
    JudgeEvolution,
    JudgeSolvability,
)

TOO_LITTLE_ADDED = frozenset(("unchanged", "reworded", "same_sum", "restated", "no_request"))
"""Suspicions that an added demand answers: that nothing was added, or that nothing is asked."""


def may_be_suspected(rules: Iterable[Rule]) -> bool:
    """Tell whether any of some rules can suspect a case of `TOO_LITTLE_ADDED`."""
    return any(rule.name in TOO_LITTLE_ADDED and rule.finding == "suspicion" for rule in rules)


_LEAST_QUOTED = 4
"""Letters and digits of a quotation that can only come from the text."""

_NOT_TEXT = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Opinion:
    """A judge's answer about a case.

    Attributes:
        evidence: Why the case fails; None: nothing speaks against it.
        clears: Whether suspicions that too little was added are answered.
    """

    evidence: str | None = None
    clears: bool = False


Inputs = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the judge.

    Attributes:
        signature: Its outputs are typed.
        inputs: Returns the signature's input fields for a case; None: the judge is not asked.
        opinion: Reads a prediction about a case.
        topics: Of the exam's items that test a judge for it; empty: the answer counts without an
            exam. The question of a published system is used as that system uses it.
        is_for_suspects: Whether it is asked only about cases that are suspected of
            `TOO_LITTLE_ADDED`.
        has_votes: Whether several samples vote, as many as the rule's number `votes` says.
        mirror: The same question with the two texts in the other order; None: order plays no part.
            An answer that depends on the order decides nothing.
    """

    signature: type[dspy.Signature]
    inputs: Callable[[Case], Inputs | None]
    opinion: Callable[[dspy.Prediction, Case], Opinion]
    topics: tuple[Topic, ...] = ()
    is_for_suspects: bool = False
    has_votes: bool = False
    mirror: "Question | None" = None

    @property
    def must_decide(self) -> bool:
        """Whether an answer that neither fails nor clears a case counts as wrong in the exam."""
        return self.is_for_suspects or self.mirror is not None


def _pair(case: Case) -> Inputs:
    return {"original": case.source, "rewrite": case.evolved}


def _numbered_pair(case: Case) -> Inputs:
    return {"first_instruction": case.source, "second_instruction": case.evolved}


def _tasks(case: Case) -> Inputs:
    return {"first_task": case.source, "second_task": case.evolved}


def _tasks_turned(case: Case) -> Inputs:
    return {"first_task": case.evolved, "second_task": case.source}


def _whole_task(case: Case) -> Inputs | None:
    # The original stands in no prompt: what somebody is to do has to stand in the task itself.
    return None if case.task is None else {"task": case.task}


def _equality(prediction: dspy.Prediction, case: Case) -> Opinion:
    return Opinion("the judge calls it so" if prediction.are_equal else None)


def _verdict(prediction: dspy.Prediction, case: Case) -> Opinion:
    return Opinion(prediction.reason if prediction.has_failed else None)


def _defects(prediction: dspy.Prediction, case: Case) -> Opinion:
    return Opinion(", ".join(prediction.defects) if prediction.defects else None)


def _added_demand(prediction: dspy.Prediction, case: Case) -> Opinion:
    """Read a quotation; one that is not in the rewrite, or is in the source too, says nothing."""
    quotation = _plain(prediction.added_demand)
    if quotation in ("none", "no", "nothing"):
        return Opinion("the judge finds no added demand")
    if len(quotation.replace(" ", "")) < _LEAST_QUOTED:
        return Opinion()
    is_new = quotation in _plain(case.evolved or "") and quotation not in _plain(case.source)
    return Opinion(clears=is_new)


def _more_demanding(prediction: dspy.Prediction, case: Case) -> Opinion:
    return _demand(prediction, prediction.more_demanding == "second")


def _more_demanding_turned(prediction: dspy.Prediction, case: Case) -> Opinion:
    return _demand(prediction, prediction.more_demanding == "first")


def _demand(prediction: dspy.Prediction, is_more: bool) -> Opinion:
    if is_more:
        return Opinion(clears=True)
    return Opinion(f"the judge, in both orders: {prediction.difference}")


def _solvability(prediction: dspy.Prediction, case: Case) -> Opinion:
    if prediction.failed_check == "none":
        return Opinion()
    return Opinion(f"{prediction.failed_check}: {prediction.finding}")


def _plain(text: str) -> str:
    """Return a text's words in lower case, without marks."""
    return _NOT_TEXT.sub(" ", text.casefold()).strip()


QUESTIONS: dict[str, Question] = {
    "equal": Question(JudgeEquality, _numbered_pair, _equality),
    "nothing_added": Question(
        JudgeAddedDemand, _pair, _added_demand, topics=("demand",), is_for_suspects=True
    ),
    "analysis": Question(JudgeEvolution, _pair, _verdict, topics=("demand", "solvable")),
    "defects": Question(JudgeDefects, _pair, _defects, topics=("demand", "solvable")),
    "impossible": Question(
        JudgeSolvability, _whole_task, _solvability, topics=("solvable",), has_votes=True
    ),
    "demands_no_more": Question(
        JudgeDemand,
        _tasks,
        _more_demanding,
        topics=("demand",),
        mirror=Question(JudgeDemand, _tasks_turned, _more_demanding_turned),
    ),
}
"""The questions by rule, in the order in which they are asked."""
