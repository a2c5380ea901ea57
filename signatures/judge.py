"""Questions to a judge model."""

import dspy


class JudgeEquality(dspy.Signature):
    """Compare two instructions. They are equal when both hold: they set the same constraints and requirements, and they ask for the same depth and breadth of answer."""

    first_instruction: str = dspy.InputField(desc="the instruction before rewriting")
    second_instruction: str = dspy.InputField(desc="the instruction after rewriting")
    are_equal: bool = dspy.OutputField(desc="True when the two are equal, else False")
