"""The state of a program: the instructions and demonstrations of its predictors, as a method.

A predictor's state is a method as it stands. That of a program has one such part for each predictor
that may change. It is plain text, so that records, MLflow and the archive treat it as any method;
the examples behind its demonstrations are kept here.
"""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dspy

from autoevol.program.errors import ConfigError
from autoevol.signatures import Method

Demonstration = tuple[str, str]
"""Inputs and outputs of a predictor, a line for each field."""


@dataclass(frozen=True)
class ProgramMethod(Method):
    """The state of all predictors of a program that may change.

    Its instructions and demonstrations are those of all predictors, each under the predictor's name
    in brackets where there are several.

    Attributes:
        predictors: The state of each, named after it, in DSPy's order.
    """

    # The texts above hold the same, so two states are compared by them.
    predictors: tuple[Method, ...] = field(default=(), compare=False, repr=False)

    @property
    def parts(self) -> tuple[Method, ...]:
        """The state of each predictor."""
        return self.predictors

    def with_part(self, index: int, part: Method, *, name: str) -> "ProgramMethod":
        """Return the method with another state of the predictor `index`, under a new name."""
        rest = self.predictors
        return joined(name, (*rest[:index], part, *rest[index + 1 :]))


def joined(name: str, predictors: tuple[Method, ...]) -> ProgramMethod:
    """Return the states of a program's predictors as one method."""
    if len(predictors) == 1:
        [only] = predictors
        return ProgramMethod(name, only.instructions, only.demonstrations, predictors=predictors)
    instructions = "\n\n".join(f"[{part.name}]\n{part.instructions}" for part in predictors)
    demonstrations = tuple(
        (f"[{part.name}]\n{inputs}", outputs)
        for part in predictors
        for inputs, outputs in part.demonstrations
    )
    return ProgramMethod(name, instructions, demonstrations, predictors=predictors)


class ProgramState:
    """Reads and writes the state of a program.

    Args:
        student: The program; it is never changed.

    Attributes:
        student: The same.
        names: Names of the predictors that may change, in DSPy's order.
        method: The state of `student`.

    Raises:
        ConfigError: There is no predictor to change.
    """

    def __init__(self, student: dspy.Module) -> None:
        if not isinstance(student, dspy.Module):
            kind = type(student).__name__
            raise ConfigError("AutoEvol.compile: student", f"must be a dspy.Module, is {kind}")
        predictors = open_predictors(student)
        if not predictors:
            raise ConfigError(
                "AutoEvol.compile: student",
                f"{type(student).__name__} has no predictor to change: it holds none, or only in "
                "compiled sub-modules, which stay as they are",
            )
        self.student = student
        self.names = tuple(str(name) for name, _ in predictors)
        self._examples: dict[tuple[int, Demonstration], dspy.Example] = {}
        parts = tuple(
            self._part(index, name, predictor) for index, (name, predictor) in enumerate(predictors)
        )
        self.method: Method = joined("initial", parts)

    def demonstration(self, index: int, example: dspy.Example) -> Demonstration:
        """Return an example as a demonstration of the predictor `index`, and keep it."""
        signature = self.predictor(index).signature
        pair = (
            fields_text(example, signature.input_fields),
            fields_text(example, signature.output_fields),
        )
        self._examples.setdefault((index, pair), example)
        return pair

    def predictor(self, index: int) -> dspy.Predict:
        """Return the student's own predictor `index`."""
        return open_predictors(self.student)[index][1]

    def apply(self, method: Method) -> dspy.Module:
        """Return a copy of the student in another state; predictors in their own state stay."""
        program = copied(self.student)
        predictors = open_predictors(program)
        for index, (_, predictor) in enumerate(predictors):
            part, own = method.parts[index], self.method.parts[index]
            if part.instructions != own.instructions:
                predictor.signature = predictor.signature.with_instructions(part.instructions)
            if part.demonstrations != own.demonstrations:
                shown = part.demonstrations
                predictor.demos = [self._examples[index, pair] for pair in shown]
        return program

    def _part(self, index: int, name: str, predictor: dspy.Predict) -> Method:
        signature = predictor.signature
        shown = []
        for demo in predictor.demos:
            pair = (
                fields_text(demo, signature.input_fields),
                fields_text(demo, signature.output_fields),
            )
            self._examples.setdefault((index, pair), demo)
            shown.append(pair)
        return Method(name, signature.instructions, tuple(shown))


def copied(program: dspy.Module) -> dspy.Module:
    """Return a deep copy of a program that shares its models."""
    lms = [predictor.lm for predictor in all_predictors(program) if predictor.lm is not None]
    try:
        return copy.deepcopy(program, {id(lm): lm for lm in lms})
    except Exception:  # noqa: BLE001, a module may hold what cannot be copied
        return program.deepcopy()  # shares what cannot


def open_predictors(program: dspy.Module) -> list[tuple[str, dspy.Predict]]:
    """Return the predictors that a search may change, by name.

    DSPy leaves compiled sub-modules out, but lists a compiled `dspy.Predict` all the same.
    """
    return [
        (name, predictor)
        for name, predictor in program.named_predictors()
        if predictor is program or not getattr(predictor, "_compiled", False)
    ]


def all_predictors(program: dspy.Module) -> list[dspy.Predict]:
    """Return every predictor of a program, those in compiled sub-modules included."""
    return [module for _, module in program.named_sub_modules(type_=dspy.Predict)]


def fields_text(values: Any, names: Iterable[str]) -> str:
    """Return the fields of an example or a prediction as text, a line `name: value` each."""
    return "\n".join(f"{name}: {as_text(values[name])}" for name in names if name in values)


def as_text(value: Any) -> str:
    """Return a field's value as text: a text as it is, anything else as JSON where that works."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a field's value, those in lists and mappings included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
