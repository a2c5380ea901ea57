"""The DSPy program that an optimiser improves: evolve an instruction, then answer it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import dspy

from autoevol.program.records import Row
from autoevol.program.roles import Role, Roles, ask
from autoevol.signatures import EvolveInput, Method, RespondToInstruction
from autoevol.signatures.methods import Thinking


class Responder(dspy.Module):
    """Answers instructions.

    Args:
        instructions: The system turn; empty: `RespondToInstruction`'s own.
    """

    def __init__(self, instructions: str = "") -> None:
        super().__init__()
        system = instructions or RespondToInstruction.instructions
        self.predict = dspy.Predict(RespondToInstruction.with_instructions(system))
        # DSPy's optimisers skip a compiled module; they would rewrite the responder to please F.
        self._compiled = True


class InputEvolver(dspy.Module):
    """Makes a row's input fit its evolved instruction."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(EvolveInput)
        # Frozen, since it is no part of the method.
        self._compiled = True


class Evolver(dspy.Module):
    """Applies an evolving method; the method is the state of its `evolve` predictor.

    `forward` uses the model in DSPy's context, as DSPy's own optimisers do. Inside AutoEvol every
    call names its role.

    Args:
        method: The method to start with.
        answer_prompt: The responder's system turn; empty: `RespondToInstruction`'s own.

    Attributes:
        base_method: The method that the program was built with; an optimiser may have changed the
            predictor since.
    """

    def __init__(self, method: Method, answer_prompt: str = "") -> None:
        super().__init__()
        self.evolve = dspy.Predict(method.signature)
        self.evolve.demos = _demos(method)
        self.input_evolver = InputEvolver()
        self.responder = Responder(answer_prompt)
        self.base_method = method

    @property
    def method_name(self) -> str:
        """Name of the method, for people."""
        return self.base_method.name

    @property
    def method(self) -> Method:
        """The method that the predictor holds now."""
        signature = self.evolve.signature
        pairs = tuple(
            (demo["instruction"], demo["evolved_instruction"]) for demo in self.evolve.demos
        )
        thinking: Thinking = "steps" if "thinking" in signature.output_fields else "none"
        return replace(
            self.base_method,
            instructions=signature.instructions,
            demonstrations=pairs,
            thinking=thinking,
            template=None,  # the text may have changed, so its placeholders no longer apply
        )

    def with_method(self, method: Method) -> Self:
        """Return a copy that evolves with `method`."""
        copy: Self = self.deepcopy()
        copy.base_method = method
        copy.evolve.signature = method.signature
        copy.evolve.demos = _demos(method)
        return copy

    def forward(self, instruction: str) -> dspy.Prediction:
        """Return the evolved instruction and the response to it."""
        evolved = self.evolve(instruction=instruction)
        answer = self.responder.predict(instruction=evolved.evolved_instruction)
        return dspy.Prediction(
            evolved_instruction=evolved.evolved_instruction, response=answer.response
        )

    async def evolve_with(
        self,
        role: Role,
        instruction: str,
        *,
        draw: int,
        temperature: float | None = None,
        before: Sequence[tuple[str, str]] = (),
    ) -> dspy.Prediction:
        """Return `evolved_instruction`, and `thinking` in the stepwise form.

        Args:
            role: The role whose model evolves.
            instruction: One instruction, or one user turn of a conversation.
            draw: Draw number of the call.
            temperature: Overrides the role's own.
            before: The conversation's earlier user turns, each with its rewrite. They follow the
                method's demonstrations, in the same form.
        """
        # As exchanges of the chat: where the turns were quoted in the prompt, replies repeated the
        # frame around the quotation (docs/methods.md).
        demos = [*self.evolve.demos, *(_demo(pair) for pair in before)]
        return await ask(
            self.evolve,
            role,
            draw=draw,
            temperature=temperature,
            demos=demos if before else None,
            instruction=instruction,
        )

    async def evolve_input_with(self, role: Role, source: Row, evolved: Row, *, draw: int) -> str:
        """Return the source's input, changed to fit the evolved instruction."""
        prediction = await ask(
            self.input_evolver.predict,
            role,
            draw=draw,
            instruction=source.instruction,
            input=source.input,
            evolved_instruction=evolved.instruction,
        )
        return prediction.evolved_input or ""

    async def respond_with(
        self, roles: Roles, prompt: str, *, draw: int, before: Sequence[tuple[str, str]] = ()
    ) -> dspy.Prediction:
        """Return `response` to one instruction, or to one turn of a conversation.

        Args:
            roles: The responder answers.
            prompt: The instruction with its input, or the turn.
            draw: Draw number of the call.
            before: The conversation's earlier user turns, each with its answer.
        """
        earlier = [dspy.Example(instruction=turn, response=answer) for turn, answer in before]
        predict = self.responder.predict
        return await ask(predict, roles.responder, draw=draw, demos=earlier, instruction=prompt)


def _demos(method: Method) -> list[dspy.Example]:
    return [_demo(pair) for pair in method.demonstrations]


def _demo(pair: tuple[str, str]) -> dspy.Example:
    instruction, evolved = pair
    return dspy.Example(instruction=instruction, evolved_instruction=evolved)
