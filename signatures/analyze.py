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
