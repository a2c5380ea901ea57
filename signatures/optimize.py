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


class RewriteSection(dspy.Signature):
    """You improve a method: the orders that an assistant follows when it rewrites an instruction into a harder one. You are shown the present method, feedback on its work, and cases, each with the original instruction, the rewrite and what an automatic check found wrong, if anything.
    Ask first which part of the method leads to what the feedback criticises: how ideas are found, what must be kept, what counts as harder, how the result is checked, or a part that is missing. Write that one part anew, as long as it needs to be: you may split a step, add a check that the assistant makes before it replies and what to do when it fails, or tell kinds of instruction apart. Leave all other sentences as they are, word for word.
    Every order must hold for any instruction; never use a topic, a number or the wording of a case. The rewritten instructions must become at least as hard as before, and the assistant must still reply with a harder instruction alone, never with an answer.
    Write in English, as orders to the assistant, within the word limit; numbered steps are allowed. Reply with the complete new method only: no title, no comment.
    """

    method: str = dspy.InputField(desc="the present method")
    feedback: str = dspy.InputField(desc="which cases are bad or weak and why, then general advice")
    cases: str = dspy.InputField(desc="cases of its work, the worst first")
    word_limit: int = dspy.InputField(desc="most words that the method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete method with its one new part, and stop after its last sentence."
    )


class RewriteWhole(dspy.Signature):
    """You improve a method: the orders that an assistant follows when it rewrites an instruction into a harder one. You are shown the present method, feedback on its work, and cases, each with the original instruction, the rewrite and what an automatic check found wrong, if anything.
    Judge the method as a whole. Which kinds of instruction does it serve badly? Which of its orders pull in different directions, or are so vague that any result obeys them? What does a good rewriter do that it does not say? Then write a new method in its place. Its form is yours: steps in a fixed order, ways to make an instruction harder with the kind of instruction that each fits, tests that the result must pass and what to do when it fails one, a short example of a good and a bad rewrite that you invent and that is about none of the cases. Keep what works.
    Harder means that a correct answer takes more steps that build on each other, more conditions that must hold at once, or more knowledge; more words, a setting or a polite tone make nothing harder. What the original hands over must survive, and the result must be solvable from what it states.
    Every order must hold for any instruction; never use a topic, a number or the wording of a case. The assistant must reply with a harder instruction alone, never with an answer.
    Write in English, as orders to the assistant, within the word limit. Reply with the new method only: no title, no comment.
    """

    method: str = dspy.InputField(desc="the present method")
    feedback: str = dspy.InputField(desc="which cases are bad or weak and why, then general advice")
    cases: str = dspy.InputField(desc="cases of its work, the worst first")
    word_limit: int = dspy.InputField(desc="most words that the method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete new method, and stop after its last sentence."
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
