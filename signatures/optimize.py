"""Rewriting a method from feedback (paper, section 3.2 and Fig. 8)."""

import dspy


class OptimizeMethod(dspy.Signature):
    """You improve a method: the system prompt of an assistant that rewrites instructions into harder ones.

    Write a better version of the method. Repair what the feedback criticises with general rules, without naming single cases. Keep what already works, so that the other cases do not get worse, and let the rewritten instructions become at least as hard as before. The method must still say that it takes an instruction and replies with a harder instruction alone, never with an answer.
    Write the method as direct orders to the assistant, in English and within the word limit. Reply with the text of the new method only: no heading, no comment, no example.
    """

    method: str = dspy.InputField(desc="the present method")
    feedback: str = dspy.InputField(desc="which cases failed and why, then general advice")
    word_limit: int = dspy.InputField(desc="most words that the method may have")
    optimized_method: str = dspy.OutputField(desc="Write the improved method now.")
