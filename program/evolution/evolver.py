"""The DSPy program that an optimiser improves: evolve an instruction, then answer it.

MIPROv2 shows the source of these classes to the model that proposes instructions. So their text is
part of a prompt: it changes like a prompt, with its snapshot, and the house's check of names leaves
it alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Self

import dspy

from autoevol.program.records import Row
from autoevol.program.roles import Role, Roles, ask
from autoevol.signatures import EvolveInput, Method, RespondToInstruction
from autoevol.signatures.methods import Thinking
from autoevol.signatures.remedies import REFUSED, with_refusal
from autoevol.signatures.systems import SYSTEM_PROMPT, under_system, with_system_prompt


class RowContext(NamedTuple):
    """What the evolver reads beside the text that it rewrites.

    Attributes:
        before: A conversation's earlier user turns, each with its rewrite; they are shown behind
            the method's demonstrations, in the same form.
        system: The system prompt that the instruction is read under; "": there is none.
        refusal: Why the last attempt at the row failed; "": it is the first, or learns nothing.
    """

    before: Sequence[tuple[str, str]] = ()
    system: str = ""
    refusal: str = ""


ALONE = RowContext()


class Responder(dspy.Module):
    """Answers instructions. Frozen, or an optimiser would rewrite it to please F.

    Args:
        instructions: What the responder is told; empty: `RespondToInstruction`'s own.
    """

    def __init__(self, instructions: str = "") -> None:
        super().__init__()
        told = instructions or RespondToInstruction.instructions
        self.predict = dspy.Predict(RespondToInstruction.with_instructions(told))
        self._compiled = True


class InputEvolver(dspy.Module):
    """Makes a row's input fit its evolved instruction. Frozen, as it is no part of the method."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(EvolveInput)
        self._compiled = True


class Evolver(dspy.Module):
    """Applies an evolving method; the method is the state of its `evolve` predictor.

    Used with DSPy's own optimisers it evolves with the model in context; inside AutoEvol the roles
    are given call by call.

    Args:
        method: That it starts with.
        answer_prompt: What the responder is told; empty: the usual.

    Attributes:
        given: The method it was made with; an optimiser may have changed the predictor since.
    """

    def __init__(self, method: Method, answer_prompt: str = "") -> None:
        super().__init__()
        self.evolve = dspy.Predict(method.signature)
        self.evolve.demos = _demos(method)
        self.input_evolver = InputEvolver()
        self.responder = Responder(answer_prompt)
        self.given = method

    @property
    def method_name(self) -> str:
        """What people call the method."""
        return self.given.name

    @property
    def method(self) -> Method:
        """The method that the predictor holds now, whoever put it there."""
        signature = self.evolve.signature
        pairs = tuple(
            (demo["instruction"], demo["evolved_instruction"]) for demo in self.evolve.demos
        )
        thinking: Thinking = "steps" if "thinking" in signature.output_fields else "none"
        return replace(
            self.given,
            instructions=signature.instructions,
            demonstrations=pairs,
            thinking=thinking,
            template=None,
        )

    def with_method(self, method: Method) -> Self:
        """Return a copy that evolves with `method`."""
        twin: Self = self.deepcopy()
        twin.given = method
        twin.evolve.signature = method.signature
        twin.evolve.demos = _demos(method)
        return twin

    def forward(self, instruction: str) -> dspy.Prediction:
        """Return the evolved instruction and the response to it."""
        evolved = self.evolve(instruction=instruction)
        answer = self.responder.predict(instruction=evolved.evolved_instruction)
        return dspy.Prediction(
            evolved_instruction=evolved.evolved_instruction, response=answer.response
        )

    async def aforward(self, instruction: str) -> dspy.Prediction:
        """Return the same, for `acall`."""
        evolved = await self.evolve.acall(instruction=instruction)
        answer = await self.responder.predict.acall(instruction=evolved.evolved_instruction)
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
        context: RowContext = ALONE,
    ) -> dspy.Prediction:
        """Return `evolved_instruction`, and `thinking` in the stepwise form.

        Args:
            role: Whose model evolves.
            instruction: One instruction, or one user turn of a conversation.
            draw: Which of the possible answers to ask for.
            temperature: Overrides the role's own.
            context: What else the model reads.
        """
        before, system, refusal = context
        demos = [*self.evolve.demos, *(_demo(pair) for pair in before)]
        return await ask(
            _with_fields(self.evolve, system, refusal),
            role,
            draw=draw,
            temperature=temperature,
            demos=demos if before else None,
            **({SYSTEM_PROMPT: system} if system else {}),
            instruction=instruction,
            **({REFUSED: refusal} if refusal else {}),
        )

    async def evolve_input_with(self, role: Role, source: Row, evolved: Row, *, draw: int) -> str:
        """Return the source's input, changed to fit the evolved instruction."""
        found = await ask(
            self.input_evolver.predict,
            role,
            draw=draw,
            instruction=source.instruction,
            input=source.input,
            evolved_instruction=evolved.instruction,
        )
        return found.evolved_input or ""

    async def respond_with(
        self,
        roles: Roles,
        prompt: str,
        *,
        draw: int,
        before: Sequence[tuple[str, str]] = (),
        system: str = "",
    ) -> dspy.Prediction:
        """Return `response` to one instruction, or to one turn after those before it."""
        earlier = [dspy.Example(instruction=turn, response=answer) for turn, answer in before]
        predict = _ordered(self.responder.predict, system)
        return await ask(predict, roles.responder, draw=draw, demos=earlier, instruction=prompt)


def _demos(method: Method) -> list[dspy.Example]:
    return [_demo(pair) for pair in method.demonstrations]


def _demo(pair: tuple[str, str]) -> dspy.Example:
    instruction, evolved = pair
    return dspy.Example(instruction=instruction, evolved_instruction=evolved)


def _with_fields(predict: dspy.Predict, system: str, refusal: str) -> dspy.Predict:
    """Return the predictor, with a field for a row's system prompt and one for its refusal."""
    if not (system or refusal):
        return predict
    signature = with_system_prompt(predict.signature) if system else predict.signature
    twin = dspy.Predict(with_refusal(signature) if refusal else signature)
    twin.demos = predict.demos
    return twin


def _ordered(predict: dspy.Predict, system: str) -> dspy.Predict:
    """Return the predictor, its instructions followed by a row's system prompt if it has one."""
    if not system:
        return predict
    signature = predict.signature
    return dspy.Predict(signature.with_instructions(under_system(signature.instructions, system)))
