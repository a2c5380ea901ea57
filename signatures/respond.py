"""Answering an evolved instruction."""

import dspy


class RespondToInstruction(dspy.Signature):
    """Answer the instruction correctly and completely, in the language it is written in. Come to the point."""

    instruction: str = dspy.InputField(desc="the instruction to answer")
    response: str = dspy.OutputField(desc="")
