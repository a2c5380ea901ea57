"""Models by role: who evolves, who responds, who optimises, who judges.

A predictor never stores a model: it is called inside its role's context, so a program can be saved,
copied and compiled without the engine that serves it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import dspy

from autoevol.program.adapter import AdapterName, adapter_for
from autoevol.program.draws import DRAWS


@dataclass(frozen=True, slots=True)
class Role:
    """A model with the adapter its predictors use.

    Attributes:
        lm: Takes the draw number as `rollout_id`.
        model: The model's configured name, for the records.
        adapter: None: plain for one text output, else chat.
        watched: Share of the calls that DSPy's callbacks hear of (a tracer's cost milliseconds
            each), in [0, 1].
    """

    lm: dspy.LM
    model: str
    adapter: AdapterName | None = None
    watched: float = 1.0

    def context(
        self, signature: type[dspy.Signature], draw: int = 0
    ) -> AbstractContextManager[None]:
        """Return DSPy's context for one call of a predictor with `signature`.

        The draw decides whether callbacks hear of the call, so a replay decides alike.
        """
        unheard: dict[str, Any] = {} if draw < self.watched * DRAWS else {"callbacks": []}
        context: AbstractContextManager[None] = dspy.context(
            lm=self.lm, adapter=adapter_for(signature, self.adapter), **unheard
        )
        return context


@dataclass(frozen=True, slots=True)
class Roles:
    """The four roles of a run; several may be served by one model."""

    evolver: Role
    responder: Role
    optimizer: Role
    judge: Role


async def ask(
    predictor: dspy.Predict,
    role: Role,
    *,
    draw: int,
    temperature: float | None = None,
    demos: Sequence[dspy.Example] | None = None,
    **inputs: Any,
) -> dspy.Prediction:
    """Call `predictor` on a role's model.

    Args:
        predictor: Whose signature and demonstrations make the prompt.
        role: Whose model answers.
        draw: Which of the possible answers to ask for.
        temperature: Overrides the role's own.
        demos: Shown in the place of the predictor's own demonstrations.
        **inputs: The signature's input fields.

    Raises:
        AdapterParseError: The reply does not parse, after the adapter's repair.
        LMError: The call failed for good.
    """
    config: dict[str, Any] = {"rollout_id": draw}
    if temperature is not None:
        config["temperature"] = temperature
    with role.context(predictor.signature, draw):
        shown = {} if demos is None else {"demos": demos}
        return await predictor.acall(config=config, **shown, **inputs)
