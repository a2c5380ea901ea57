"""The student program: evolve an instruction, then answer it."""

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
    """

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.evolve = dspy.Predict(method.signature)
        self.evolve.demos = _demos(method)
        self.responder = Responder()
        self.method_name = method.name
        self.method_kind = method.kind

    @property
    def method(self) -> Method:
        """The method that the predictor holds now, whoever put it there."""
        signature = self.evolve.signature
        pairs = tuple(
            (demo["instruction"], demo["evolved_instruction"]) for demo in self.evolve.demos
        )
        thinking: Thinking = "steps" if "thinking" in signature.output_fields else "none"
        return Method(self.method_name, signature.instructions, pairs, thinking, self.method_kind)

    def with_method(self, method: Method) -> Self:
        """Return a copy that evolves with `method`."""
        twin: Self = self.deepcopy()
        twin.method_name = method.name
        twin.method_kind = method.kind
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
