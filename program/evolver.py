"""The student program: evolve an instruction, then answer it."""

from dataclasses import replace
from typing import Self

import dspy

from program.roles import Role, Roles, ask
from signatures import Method, RespondToInstruction
from signatures.methods import Thinking


class Responder(dspy.Module):
    """Answers instructions. Frozen, or an optimiser would rewrite it to please F."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(RespondToInstruction)
        self._compiled = True


class Evolver(dspy.Module):
    """Applies an evolving method; the method is the state of its `evolve` predictor.

    Used with DSPy's own optimisers it evolves with the model in context; inside AutoEvol the roles
    are given call by call.

    Attributes:
        given: The method it was made with; an optimiser may have changed the predictor since.
    """

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.evolve = dspy.Predict(method.signature)
        self.evolve.demos = _demos(method)
        self.responder = Responder()
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

    async def evolve_with(
        self, role: Role, instruction: str, *, draw: int, temperature: float | None = None
    ) -> dspy.Prediction:
        """Return `evolved_instruction`, and `thinking` in the stepwise form."""
        return await ask(
            self.evolve, role, draw=draw, temperature=temperature, instruction=instruction
        )

    async def respond_with(self, roles: Roles, prompt: str, *, draw: int) -> dspy.Prediction:
        """Return `response` to one instruction."""
        return await ask(self.responder.predict, roles.responder, draw=draw, instruction=prompt)


def _demos(method: Method) -> list[dspy.Example]:
    return [
        dspy.Example(instruction=before, evolved_instruction=after)
        for before, after in method.demonstrations
    ]
