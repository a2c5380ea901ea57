"""Improving one step of any DSPy program: the prompts of the search beside those for methods that evolve instructions."""

import dspy


class AnalyzeRuns(dspy.Signature):
    """You review a method: the orders that one step of a program follows. You are shown what the step reads and writes, the method, and cases. A case is one run of the program: its input, what the steps wrote, the expected result where it is known, and the verdict of an automatic check.
    Find out why the failed cases failed: a rule that the method lacks or states wrongly, a sign that decides between two results, a form of the result that the check refuses. The cases that passed show what is right already.
    Write one line for each failed case: the name of the case, a colon, and the reason in your own words. Skip the cases that passed. Then write one last line that begins with "general:" and gives, in one to three sentences, the rules that the method should add or change so that such failures do not happen with any input.
    """

    task: str = dspy.InputField(desc="what the step reads and writes")
    method: str = dspy.InputField(desc="the method under review")
    trajectories: str = dspy.InputField(desc="the cases, each with its name and its verdict")
    analysis: str = dspy.OutputField(
        desc="Write the line of each failed case, then the line that begins with 'general:'."
    )


class OptimizeStep(dspy.Signature):
    """You improve a method: the orders that one step of a program follows. You are shown what the step reads and writes, the present method, and feedback on its work.
    Write the complete improved method, from its first sentence to its last. Keep the sentences that work, so that the other cases do not get worse. Add or change one to three rules that the feedback calls for. Each rule holds for every input: it names a sign in the input and says what to write then, or it says in which form to write. Take signs and forms from the failed cases, but never repeat the text of a single case.
    Write plain sentences that give orders to the assistant who does the step, within the word limit: no program code, no heading, no list of the fields, no word about the method itself. Reply with the new method only.
    """

    task: str = dspy.InputField(desc="what the step reads and writes")
    method: str = dspy.InputField(desc="the present method")
    feedback: str = dspy.InputField(desc="which cases failed and why, then general advice")
    word_limit: int = dspy.InputField(desc="most words that the method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete improved method as orders to the assistant, and stop after its last sentence. It must differ from the present one in at least one sentence."
    )


class ShortenStep(dspy.Signature):
    """You shorten a method: the orders that one step of a program follows. You are shown what the step reads and writes, and the method.
    Say the same in fewer words. Keep every order, permitted result and deciding sign, and leave out what is said twice or says nothing. Write plain sentences that give orders. Reply with the shorter method only: no heading, no comment.
    """

    task: str = dspy.InputField(desc="what the step reads and writes")
    method: str = dspy.InputField(desc="the present method")
    word_limit: int = dspy.InputField(desc="most words that the shorter method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete shorter method, and stop after its last sentence."
    )


class MergeSteps(dspy.Signature):
    """You merge two methods into one. A method is the orders that one step of a program follows. You are shown what the step reads and writes, and both methods.
    Take the first method and add to it the orders of the second that it lacks; where the two contradict each other, the first one holds. Say nothing twice. Write plain sentences that give orders. Reply with the joined method only: no heading, no comment.
    """

    task: str = dspy.InputField(desc="what the step reads and writes")
    first_method: str = dspy.InputField(desc="the method that holds where they contradict")
    second_method: str = dspy.InputField(desc="the method that adds to it")
    word_limit: int = dspy.InputField(desc="most words that the joined method may have")
    optimized_method: str = dspy.OutputField(
        desc="Write the complete joined method, and stop after its last sentence."
    )
