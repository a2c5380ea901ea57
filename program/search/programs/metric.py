"""What a user's metric returns, as a score with feedback.

DSPy's metrics return a bool or a number; those of `dspy.GEPA` a prediction with score and feedback.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dspy

from autoevol.metrics.failure.cases import excerpt
from autoevol.program.errors import AutoEvolError, ConfigError

Metric = Callable[..., Any]
"""Takes an example and the program's prediction, and further arguments that may be left out."""

_ROUNDING = 1e-9
"""A score that is a sum of floats may miss a bound by so much."""
_LONGEST_ERROR = 300
"""Characters of an error's text in a row's reason."""
_MOST_ARGUMENTS = 5
"""`dspy.GEPA` hands over the trace, the predictor's name and its part of the trace, too."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the metric says of one prediction.

    Attributes:
        score: In [0, 1], higher is better; None: the metric gave none.
        feedback: The metric's own words; "" without.
        problem: Why there is no score; "" where there is one.
    """

    score: float | None
    feedback: str = ""
    problem: str = ""


class UserMetric:
    """A user's metric, checked when it is handed over and each time it returns.

    Args:
        metric: Returns a bool, a score in [0, 1], (score, feedback), or a `dspy.Prediction` with
            `score` and perhaps `feedback`. It may be a coroutine function.
        passes: A row whose score is below this fails; in (0, 1].

    Raises:
        ConfigError: The metric cannot be called with an example and a prediction, or `passes` is
            out of its range.
    """

    def __init__(self, metric: Metric, passes: float = 1.0) -> None:
        if not callable(metric):
            kind = type(metric).__name__
            raise ConfigError("AutoEvol: metric", f"must be callable, is {kind}")
        if not 0 < passes <= 1:
            raise ConfigError("AutoEvol: passes", f"must be in (0, 1], is {passes}")
        self._metric, self.passes = metric, passes
        self._arguments = _arguments_of(metric)
        self.is_async = inspect.iscoroutinefunction(metric)

    def call(self, example: dspy.Example, prediction: Any) -> Any:
        """Return what the metric returns: a value, or a coroutine where `is_async`."""
        extra = [None] * (self._arguments - 2)
        return self._metric(example, prediction, *extra)

    def is_failed(self, score: float) -> bool:
        """Return whether a row with this score fails."""
        return is_below(score, self.passes)


def is_below(score: float, passes: float) -> bool:
    """Return whether a score is below the least one that passes."""
    return score < passes - _ROUNDING


def judgement_of(value: Any) -> Judgement:
    """Return the judgement in a metric's value; a value that is no score leaves none."""
    feedback: Any = ""
    if isinstance(value, dspy.Prediction):
        value, feedback = value.get("score"), value.get("feedback")
    elif isinstance(value, tuple) and len(value) == 2:
        value, feedback = value
    try:
        score = float(value)
    except (TypeError, ValueError):
        return Judgement(None, problem=f"the metric returned {excerpt(repr(value))}, not a score")
    if math.isnan(score) or not -_ROUNDING <= score <= 1 + _ROUNDING:
        return Judgement(None, problem=f"the metric returned {score:g}, not a score in [0, 1]")
    return Judgement(score, str(feedback or ""))


def judgement_of_error(error: Exception) -> Judgement:
    """Return the judgement where a metric raised: no score, with the error as the reason.

    Raises:
        AutoEvolError: The error ends the run, as a used-up budget does.
    """
    if isinstance(error, AutoEvolError):
        raise error
    message = f"{type(error).__name__}: {error}"
    return Judgement(None, problem=f"the metric raised {excerpt(message, _LONGEST_ERROR)}")


def _arguments_of(metric: Metric) -> int:
    """Return with how many arguments the metric is called: as few as it takes."""
    try:
        signature = inspect.signature(metric)
    except (TypeError, ValueError):  # a built-in says nothing of its arguments
        return 2
    for count in range(2, _MOST_ARGUMENTS + 1):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            continue
        return count
    raise ConfigError("AutoEvol: metric", "must take an example and a prediction")
