"""A program on one example: its draws, its trace, and what an error means for the row.

DSPy caches replies by prompt. A draw, DSPy's `rollout_id`, is part of that key and of our ledger's:
each row has one, the same for every method, so methods are compared on equal luck.
"""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError, LMError, LMInvalidRequestError

from autoevol.metrics import Reason
from autoevol.metrics.failure.cases import excerpt
from autoevol.program.errors import AutoEvolError
from autoevol.program.lm_errors import CONNECTION_ERRORS
from autoevol.program.search.programs.state import all_predictors, copied, open_predictors

_LONGEST_TRACE = 10_000
"""DSPy's default; a process that needs no traces may have set it to 0."""
_EVIDENCE = 300
"""Characters of an error that a row keeps."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a predictor that may change: its number, inputs and outputs."""

    predictor: int
    inputs: Mapping[str, Any]
    outputs: dspy.Prediction


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program.

    Attributes:
        prediction: What it returned; None where it raised.
        steps: The predictors' calls, in order.
        reason: Why it ended without a result; None: it has one.
        is_unscored: Whether a call died in transport, so that the row says nothing.
    """

    prediction: Any
    steps: tuple[Step, ...]
    reason: Reason | None = None
    is_unscored: bool = False


async def run_program(
    program: dspy.Module, example: dspy.Example, draw: int, threads: Executor
) -> Run:
    """Run a program on an example.

    Args:
        program: Called with `acall` where its class has an `aforward`, else in one of the threads.
        example: Its inputs are the arguments.
        draw: Which of the possible replies every call of the run asks for.
        threads: For programs that are not asynchronous.

    Raises:
        LMError: A call failed in a way that affects every row, for example a refused key.
        AutoEvolError: The run is to end, for example by its budget.
    """
    drawn, trace = _with_draw(program, draw), []  # type: dspy.Module, list[Any]
    lm = draw_from(dspy.settings.lm, draw)
    prediction, reason, is_unscored = None, None, False
    with dspy.context(lm=lm, trace=trace, max_trace_size=_LONGEST_TRACE):
        try:
            prediction = await _call(drawn, example.inputs().toDict(), threads)
        except Exception as error:  # noqa: BLE001, a user's program may raise anything
            reason, is_unscored = _reason(error), isinstance(error, CONNECTION_ERRORS)
    return Run(prediction, _steps(drawn, trace), reason, is_unscored)


async def in_thread(threads: Executor, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a thread, with the context of the caller."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(
        threads, context.run, function, *arguments
    )


def draw_from(lm: Any, draw: int) -> Any:
    """Return the model with another draw; a model without sampling has one reply alone."""
    if lm is None or getattr(lm, "kwargs", {}).get("temperature") == 0:
        return lm
    return lm.copy(rollout_id=draw)


def _with_draw(program: dspy.Module, draw: int) -> dspy.Module:
    """Return the program; a copy of it where predictors have models of their own."""
    if all(predictor.lm is None for predictor in all_predictors(program)):
        return program
    twin = copied(program)
    for predictor in all_predictors(twin):
        predictor.lm = draw_from(predictor.lm, draw)
    return twin


async def _call(program: dspy.Module, inputs: Mapping[str, Any], threads: Executor) -> Any:
    if _is_async(program):
        return await program.acall(**inputs)
    return await in_thread(threads, lambda: program(**inputs))


def _is_async(program: dspy.Module) -> bool:
    """Return whether the class that says what the program does has an `aforward`."""
    # A subclass that overrides `forward` alone inherits an `aforward` that does something else.
    classes = (set(vars(kind)) for kind in type(program).__mro__)
    own = next((names for names in classes if names & {"forward", "aforward"}), set())
    return "aforward" in own


def _reason(error: Exception) -> Reason:
    """Return what an error says of its row; raise it again where it concerns every row."""
    if isinstance(error, AdapterParseError):
        return Reason("unparsed", excerpt(repr(error.lm_response), _EVIDENCE))
    if isinstance(error, CONNECTION_ERRORS):
        return Reason("transport", excerpt(str(error), _EVIDENCE))
    if isinstance(error, LMInvalidRequestError):
        return Reason("refused_request", excerpt(str(error), _EVIDENCE))
    if isinstance(error, AutoEvolError | LMError):
        raise error
    return Reason("error", excerpt(f"{type(error).__name__}: {error}", _EVIDENCE))


def _steps(program: dspy.Module, trace: list[Any]) -> tuple[Step, ...]:
    numbers = {id(p): number for number, (_, p) in enumerate(open_predictors(program))}
    return tuple(
        Step(numbers[id(predictor)], inputs, outputs)
        for predictor, inputs, outputs in trace
        if id(predictor) in numbers
    )
