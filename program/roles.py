"""Models by role: evolver, responder, optimizer, judge.

A predictor never stores a model. It is called inside its role's context, so that a program can be
saved, copied and compiled without the engine that serves it.
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
    """A model with the adapter that its predictors use.

    Attributes:
        lm: Takes the draw number as `rollout_id`.
        model: The model's configured name, for the records.
        adapter: None: `plain` for one text output, else `chat`.
        trace_sampling: Share of the calls that DSPy's callbacks (a tracer's, for example) see, in
            [0, 1].
    """

    lm: dspy.LM
    model: str
    adapter: AdapterName | None = None
    trace_sampling: float = 1.0

    def context(
        self, signature: type[dspy.Signature], draw: int = 0
    ) -> AbstractContextManager[None]:
        """Return DSPy's context for one call of a predictor with `signature`."""
        # A tracer takes milliseconds a call, so only a sample is traced. Draws are uniform and a
        # replay has the same ones, so it traces the same calls.
        is_traced = draw < self.trace_sampling * DRAWS
        callbacks: dict[str, Any] = {} if is_traced else {"callbacks": []}
        context: AbstractContextManager[None] = dspy.context(
            lm=self.lm, adapter=adapter_for(signature, self.adapter), **callbacks
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
        predictor: Its signature and demonstrations make the prompt.
        role: The role whose model replies.
        draw: Draw number of the call.
        temperature: Overrides the role's own.
        demos: Replace the predictor's own demonstrations.
        **inputs: The signature's input fields.

    Raises:
        AdapterParseError: The reply does not parse, even after the adapter's repair.
        LMError: The call failed for good.
    """
    # DSPy's name for a draw. DSPy drops it before the engine sees it, so our LM reads it first.
    config: dict[str, Any] = {"rollout_id": draw}
    if temperature is not None:
        config["temperature"] = temperature
    with role.context(predictor.signature, draw):
        shown = {} if demos is None else {"demos": demos}
        return await predictor.acall(config=config, **shown, **inputs)
