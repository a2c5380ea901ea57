"""Finding out where a method failed on a mini-batch (paper, section 3.2 and Fig. 7)."""

import dspy


class AnalyzeTrajectory(dspy.Signature):
    """You review a method that rewrites instructions. You are shown the method and cases of its work. Stage 0 of a case is the original instruction; every later stage should be a harder instruction than the stage before, for the same task and in the same language.
    A case failed if the text did not become harder, answers the instruction, gives the answer away, changes the task, loses or contradicts information, is no longer clear, or talks about rewriting. A note says what an automatic check found wrong.
    Write one line for each failed case: the name of the case, a colon, and the reason in your own words. Skip the cases that are fine. Then write one last line that begins with "general:" and gives, in one or two sentences, a rule that the method should add or change so that such failures do not happen with any instruction.
    """

    method: str = dspy.InputField(desc="the method under review")
    trajectories: str = dspy.InputField(desc="the cases, each with its id and its stages")
    analysis: str = dspy.OutputField(
        desc="Write the line of each failed case, then the line that begins with 'general:'."
    )


class ReviewMethod(dspy.Signature):
    """You review a method that rewrites instructions. You are shown the method and cases of its work. Stage 0 of a case is the original instruction; every later stage should be a harder instruction than the stage before, for the same task and in the same language.
    First look for failures. A case failed if the text did not become harder, answers the instruction, gives the answer away, changes the task, loses or contradicts information, cannot be done from what it states, is no longer clear, or talks about rewriting. A note says what an automatic check found wrong.
    Then look at what the cases that did not fail demand. Ask of each what a capable solver has to do now that it did not have to do before. The best rewrites add a step whose result later steps need, conditions that limit one another, or a case that must be treated apart. Weak ones add things that can be done one after the other without thinking: another section, a word count, a list of extras.
    Write one line for each failed case and for each weak one, at least for the weakest: the name of the case, a colon, and the reason in your own words. Skip the others. Then write one last line that begins with "general:" and says, in one to four sentences, what the method makes the rewriter do, or leaves out, that leads to these cases, and what it should do in its place with any instruction.
    """

    method: str = dspy.InputField(desc="the method under review")
    trajectories: str = dspy.InputField(desc="the cases, each with its id and its stages")
    analysis: str = dspy.OutputField(
        desc="Write the lines of the failed and the weak cases, then the line that begins with 'general:'."
    )
