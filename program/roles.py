"""Models by role: evolver, responder, optimizer, judge.

A predictor never stores a model. It is called inside its role's context, so that a program can be
saved, copied and compiled without the engine that serves it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import dspy

from autoevol.program.adapter import AdapterName, adapter_for
from autoevol.program.calls import CallRecord, collected_calls


@dataclass(frozen=True, slots=True)
class Role:
    """A model with the adapter that its predictors use.

    Attributes:
        lm: Takes the draw number as `rollout_id`.
        model: The model's configured name, for the records.
        adapter: None: `plain` for one text output, else `chat`.
        on_call: Gets each finished call of a predictor, for example to trace it; None: nobody does.
    """

    lm: dspy.LM
    model: str
    adapter: AdapterName | None = None
    on_call: "OnCall | None" = None

    def context(self, signature: type[dspy.Signature]) -> AbstractContextManager[None]:
        """Return DSPy's context for a call of a predictor with `signature`."""
        context: AbstractContextManager[None] = dspy.context(
            lm=self.lm, adapter=adapter_for(signature, self.adapter)
        )
        return context

    async def call(
        self,
        predictor: dspy.Predict,
        config: Mapping[str, Any],
        demos: Sequence[dspy.Example],
        inputs: Mapping[str, Any],
    ) -> dspy.Prediction:
        """Return a predictor's outputs for one row.

        The adapter is called without the predictor around it: what DSPy does there for programs
        that it traces costs a row more CPU than all the rest. Callbacks see the adapter and the
        model.
        """
        signature = predictor.signature
        adapter = adapter_for(signature, self.adapter)
        config = {**predictor.config, **config}
        arguments = self.lm, config, signature, list(demos), dict(inputs)
        if _is_awaitable(self.lm):
            [fields, *_] = await adapter.acall(*arguments)
        else:
            [fields, *_] = await asyncio.to_thread(adapter, *arguments)
        return dspy.Prediction(**fields)


@dataclass(frozen=True, slots=True)
class PredictorCall:
    """One finished call of a predictor.

    Attributes:
        role: Whose model was called.
        draw: Draw number of the call.
        demos: The demonstrations that were shown.
        started: In nanoseconds since 1970, as is `ended`.
        calls: The model calls: one, or two where a reply did not parse at first.
        outputs: With the output fields; None where the call failed.
        error: Why it failed; "" where it did not.
    """

    signature: type[dspy.Signature]
    role: Role
    draw: int
    inputs: Mapping[str, Any]
    demos: Sequence[dspy.Example]
    started: int
    ended: int
    calls: tuple[CallRecord, ...]
    outputs: dspy.Prediction | None
    error: str = ""

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages of the first model call, formatted anew."""
        adapter = adapter_for(self.signature, self.role.adapter)
        return list(adapter.format(self.signature, list(self.demos), dict(self.inputs)))


OnCall = Callable[[PredictorCall], None]
"""A listener to the calls of a role's predictors."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The four roles of a run; several may be served by one model."""

    evolver: Role
    responder: Role
    optimizer: Role
    judge: Role


def _is_awaitable(lm: dspy.BaseLM) -> bool:
    """Return whether a model has an asynchronous call; a model of a user's own need not.

    The class that overrides any of a model's calls decides: one that overrides the others alone
    would be passed over by the inherited asynchronous call.
    """
    for own in type(lm).__mro__:
        if own is dspy.LM:
            # An engine of a user's own may have no asynchronous counterpart.
            engine = getattr(lm, "_engine_spec", "")
            return isinstance(engine, str) or getattr(lm, "_async_engine_spec", None) is not None
        if own is dspy.BaseLM:
            return False
        if not _CALLS.isdisjoint(vars(own)):
            return not _ASYNC_CALLS.isdisjoint(vars(own))
    return True


_ASYNC_CALLS = frozenset(("acall", "aforward"))
_CALLS = _ASYNC_CALLS | {"__call__", "forward"}


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
    shown = predictor.demos if demos is None else demos
    call = role.call(predictor, config, shown, inputs)
    if role.on_call is None:
        return await call
    return await _reported(call, predictor, role, draw, inputs, shown)


async def _reported(
    call: Awaitable[dspy.Prediction],
    predictor: dspy.Predict,
    role: Role,
    draw: int,
    inputs: Mapping[str, Any],
    demos: Sequence[dspy.Example],
) -> dspy.Prediction:
    """Await a call and hand it to the role's listener, also where it fails."""
    started, prediction, problem = time.time_ns(), None, ""
    with collected_calls() as calls:
        try:
            prediction = await call
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise
        finally:
            report = PredictorCall(
                signature=predictor.signature,
                role=role,
                draw=draw,
                inputs=inputs,
                demos=demos,
                started=started,
                ended=time.time_ns(),
                calls=tuple(calls),
                outputs=prediction,
                error=problem,
            )
            if role.on_call:
                role.on_call(report)
    return prediction
