"""Answering an evolved instruction."""

import dspy


class RespondToInstruction(dspy.Signature):
    """Answer the instruction correctly and completely, in the language it is written in. Give the answer alone, as short as it can be; a calculation shows its steps in short lines and then the result. Do not repeat the instruction, and add no introduction and no closing remark."""

    instruction: str = dspy.InputField(desc="the instruction to answer")
    response: str = dspy.OutputField(desc="")


I_DO_NOT_KNOW = "If you do not know the answer, reply IDK and nothing else."
"""Added to the responder's orders where not knowing is allowed."""
