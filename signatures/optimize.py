"""Rewriting a method from feedback (paper, section 3.2 and Fig. 8)."""

import dspy


class OptimizeMethod(dspy.Signature):
    """You improve a method: the orders that an assistant follows when it rewrites an instruction into a harder one. You are shown the present method and feedback on its work.
    Write the complete improved method, from its first sentence to its last. Keep the sentences that work, so that the other cases do not get worse. Change or add one or two sentences that repair what the feedback criticises; write them as general rules that fit every instruction, and do not name single cases. The rewritten instructions must become at least as hard as before, and the assistant must still reply with a harder instruction alone, never with an answer.
    Write in English, as orders to the assistant, within the word limit. Reply with the new method only: no heading, no comment, no example.
    """

    method: str = dspy.InputField(desc="the present method")
    feedback: str = dspy.InputField(desc="which cases failed and why, then general advice")
    word_limit: int = dspy.InputField(desc="most words that the method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete improved method now; it must differ from the present one."
    )
