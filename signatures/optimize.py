"""Rewriting a method from feedback (paper, section 3.2 and Fig. 8)."""

import dspy


class OptimizeMethod(dspy.Signature):
    """You improve a method: the orders that an assistant follows when it rewrites an instruction into a harder one. You are shown the present method and feedback on its work.
    Write the complete improved method, from its first sentence to its last. Keep the sentences that work, so that the other cases do not get worse. Change one sentence, or add one short sentence, that repairs what the feedback criticises: a general rule that fits every instruction, never a topic, number or wording of a single case. The rewritten instructions must become at least as hard as before, and the assistant must still reply with a harder instruction alone, never with an answer.
    Write in English, as plain sentences that give orders to the assistant, within the word limit. Reply with the new method only: no heading, no list, no comment, no example.
    """

    method: str = dspy.InputField(desc="the present method")
    feedback: str = dspy.InputField(desc="which cases failed and why, then general advice")
    word_limit: int = dspy.InputField(desc="most words that the method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete improved method, and stop after its last sentence. It must differ from the present one in at least one sentence."
    )


class ShortenMethod(dspy.Signature):
    """You shorten a method: the orders that an assistant follows when it rewrites an instruction into a harder one.
    Say the same in fewer words. Keep every order that changes what the assistant does, and leave out what is said twice or says nothing. Write in English, as plain sentences that give orders to the assistant. Reply with the shorter method only: no heading, no comment.
    """

    method: str = dspy.InputField(desc="the present method")
    word_limit: int = dspy.InputField(desc="most words that the shorter method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete shorter method, and stop after its last sentence."
    )


class MergeMethods(dspy.Signature):
    """You merge two methods into one. A method is the orders that an assistant follows when it rewrites an instruction into a harder one.
    Take the first method and add to it the orders of the second that it lacks; where the two contradict each other, the first one holds. Say nothing twice. Write in English, as plain sentences that give orders to the assistant. Reply with the joined method only: no heading, no comment.
    """

    first_method: str = dspy.InputField(desc="the method that holds where they contradict")
    second_method: str = dspy.InputField(desc="the method to take orders from")
    word_limit: int = dspy.InputField(desc="most words that the joined method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete joined method, and stop after its last sentence."
    )
