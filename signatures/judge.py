"""Questions to a judge model about one rewrite. What all rows share stands first."""

from typing import Literal, get_args

import dspy

Defect = Literal[
    "inconsistent_progression",
    "wrong_mathematics",
    "changed_task",
    "contradiction",
    "unclear",
    "unsuitable_complexity",
    "answer_given_away",
    "no_question_left",
    "irrelevant_complexity",
]
"""The nine classes of issues that the paper found in rewrites (Tables 6 and 7)."""

DEFECTS: tuple[str, ...] = get_args(Defect)


class JudgeEquality(dspy.Signature):
    """Compare two instructions. They are equal when both hold: they set the same constraints and requirements, and they ask for the same depth and breadth of answer."""

    first_instruction: str = dspy.InputField(desc="the instruction before rewriting")
    second_instruction: str = dspy.InputField(desc="the instruction after rewriting")
    are_equal: bool = dspy.OutputField(desc="True when the two are equal, else False")


class JudgeEvolution(dspy.Signature):
    """You review one rewrite of an instruction. A good rewrite asks for the same task in the same language, and doing it takes more work or more care than before.
    The rewrite has failed if it does not ask for more, answers the instruction or gives its answer away, asks for something else, loses or contradicts what was given, can no longer be understood or solved, or talks about rewriting.
    """

    original: str = dspy.InputField(desc="the instruction before rewriting")
    rewrite: str = dspy.InputField(desc="the instruction after rewriting")
    reason: str = dspy.OutputField(
        desc="one short sentence on the rewrite's worst problem, or 'none'"
    )
    has_failed: bool = dspy.OutputField(desc="True when the rewrite has failed, else False")


class JudgeDefects(dspy.Signature):
    """You look for defects in one rewrite of an instruction. Most rewrites have none; name only a defect that you can point to.
    inconsistent_progression: its parts do not build on each other.
    wrong_mathematics: its numbers are impossible or unrealistic.
    changed_task: it no longer asks for what the original asked for.
    contradiction: its conditions contradict each other or what was given.
    unclear: a reader would not know what to do.
    unsuitable_complexity: it is not harder than the original, or absurdly hard.
    answer_given_away: it holds the answer, or a part of the solution.
    no_question_left: it states things and asks for nothing.
    irrelevant_complexity: what was added has nothing to do with the task.
    """

    original: str = dspy.InputField(desc="the instruction before rewriting")
    rewrite: str = dspy.InputField(desc="the instruction after rewriting")
    defects: list[Defect] = dspy.OutputField(desc="the defects of the rewrite; [] when it has none")


class ChooseAnswer(dspy.Signature):
    """You are shown an instruction and several numbered answers to it. Choose the best one: it does what the instruction asks in every point, its facts and its reasoning are right, and it says nothing beside the point. Length alone is no merit, and neither is the place in the list."""

    instruction: str = dspy.InputField(desc="the instruction that was answered")
    answers: str = dspy.InputField(desc="the answers, each after its number")
    best: str = dspy.OutputField(desc="Reply with the number of the best answer alone.")
