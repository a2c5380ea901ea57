"""The evolving step as two signatures; their docstrings are the initial method e0 in its two forms.

An optimiser rewrites the docstring (the method) and nothing else: field names, labels and the
closing line stay, so no marker of the reply can drift. Source: arXiv 2406.00770, Fig. 2.
"""

import dspy


class EvolveInstruction(dspy.Signature):
    """You make instructions harder. Each message shows one instruction; reply with a harder instruction and nothing else.
    Before you write, go through four steps silently: think of ways to make the instruction harder for a strong assistant; choose a few that fit together; carry them out in 10 to 20 added words; check the result and take out what is unreasonable.
    Keep the original task, the language, and every name, number and quotation. The new condition, step or requirement must really change what has to be done; saying the same in other words is not enough.
    Never answer or solve the instruction, never explain it, never mention that it was rewritten.
    """

    instruction: str = dspy.InputField(desc="the instruction to make harder")
    evolved_instruction: str = dspy.OutputField(
        desc="Make this instruction harder; do not answer it."
    )


CLOSINGS = {
    "breadth": "Write another instruction in its place; do not answer it.",
    "down": "Make this instruction easier; do not answer it.",
}
"""The closing line for methods that do not make the same task harder, by their kind."""


class EvolveInstructionStepwise(dspy.Signature):
    """You are an instruction rewriter. Turn the given instruction into a more complex version of itself, in four steps, and write the steps down as your thinking.
    Step 1: Read the instruction and list every way in which it could be made somewhat harder, so that well-known assistants such as ChatGPT and GPT-4 find it harder to handle. Leave out ways that would change its language.
    Step 2: From that list, draw up one plan that joins several of the ways.
    Step 3: Carry the plan out and write the new instruction. It may be only 10 to 20 words longer than the given one.
    Step 4: Review the new instruction. Take out whatever is unreasonable, and make sure that it is nothing but a more complex version of the given instruction.
    The evolved instruction is the text that remains after step 4, alone. Never answer the given instruction.
    """

    instruction: str = dspy.InputField(desc="the instruction to rewrite")
    thinking: str = dspy.OutputField(desc="steps 1 to 4, in plain text")
    evolved_instruction: str = dspy.OutputField(
        desc="the final rewritten instruction and nothing else; never an answer to it"
    )


class EvolveInput(dspy.Signature):
    """An instruction comes with an input: the material that it is about. The instruction has been made harder. Change the input so that the harder instruction can be carried out on it.
    Keep the kind and the language of the input, and every name, number and quotation that the harder instruction speaks of. Add what it needs and the input lacks; where nothing is missing, repeat the input as it is.
    Reply with the input alone. Never carry out the instruction, and never repeat it.
    """

    instruction: str = dspy.InputField(desc="the instruction before it was made harder")
    input: str = dspy.InputField(desc="the material that it is about")
    evolved_instruction: str = dspy.InputField(desc="the harder instruction")
    evolved_input: str = dspy.OutputField(
        desc="Write the input for the harder instruction, and nothing else."
    )
