"""Finding out where a method failed on a mini-batch (paper, section 3.2 and Fig. 7)."""

import dspy


class AnalyzeTrajectory(dspy.Signature):
    """You review a method that rewrites instructions. Below are the method and the cases it produced. In each case stage 0 is the original instruction and every later stage should be a harder instruction than the one before, for the same task and in the same language.

    Find the cases that failed: the text did not become harder, answers the instruction, gives the answer away, changes the task, loses or contradicts information, is no longer clear, or talks about rewriting. A note behind a case says what an automatic check found.
    Write one line for each failed case: its id, a colon, and the reason. Then write one last line that begins with "general:" and says in one or two sentences what the method should do differently for all instructions.
    """

    method: str = dspy.InputField(desc="the method under review")
    trajectories: str = dspy.InputField(desc="the cases, each with its id and its stages")
    analysis: str = dspy.OutputField(
        desc="Write the lines 'id: reason' for the failed cases, then the line 'general: ...'."
    )
