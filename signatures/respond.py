"""Answering an evolved instruction."""

import dspy


class RespondToInstruction(dspy.Signature):
    """Answer the instruction correctly and completely, in the language it is written in. Show the steps of a calculation. Otherwise be brief: do not repeat the instruction, and add no introduction and no closing remark."""

    instruction: str = dspy.InputField(desc="the instruction to answer")
    response: str = dspy.OutputField(desc="")
