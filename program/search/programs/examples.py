"""The examples of a search as rows, and the checks of the sets that a user hands over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dspy

from autoevol.program.errors import ConfigError
from autoevol.program.records import Row
from autoevol.program.search.candidates import GUARDED
from autoevol.program.search.programs.state import fields_text, texts_in
from autoevol.program.search.rows import SearchRows, check_disjoint

WHERE = "AutoEvol.compile"
_ROLES = dict(zip(("trainset", "valset", "freshset", "heldoutset"), GUARDED, strict=True))
"""What the search calls each set."""


@dataclass(frozen=True, slots=True)
class ExampleSets:
    """The checked examples of a search.

    Attributes:
        examples: By the id of their row.
        rows: Of the search; a row's instruction is the inputs of its example as text.
    """

    examples: Mapping[str, dspy.Example]
    rows: SearchRows


def example_sets(**sets: Sequence[dspy.Example] | None) -> ExampleSets:
    """Check the sets and return them as rows.

    Args:
        **sets: `trainset`, `valset`, `freshset` and `heldoutset`; the first two may not be empty.

    Raises:
        ConfigError: A set is missing or empty, holds something else than examples with inputs, or
            shares inputs with another set.
    """
    lists = {name: _checked(name, examples) for name, examples in sets.items()}
    for name in ("trainset", "valset"):
        if not lists[name]:
            raise ConfigError(f"{WHERE}: {name}", "is empty; a search needs examples in it")
    inputs = {name: [_inputs(e) for e in examples] for name, examples in lists.items()}
    check_disjoint(WHERE, "inputs", inputs)
    rows, by_id = {}, {}
    for name, role in _ROLES.items():
        rows[role] = [_row(f"{role}-{i}", example) for i, example in enumerate(lists[name])]
        by_id.update({row.id: e for row, e in zip(rows[role], lists[name], strict=True)})
    texts = {role: [_texts(e) for e in lists[name]] for name, role in _ROLES.items()}
    search_rows = SearchRows(rows["train"], rows["dev"], rows["fresh"], texts)
    return ExampleSets(by_id, search_rows)


def _checked(name: str, examples: Any) -> list[dspy.Example]:
    if examples is None:
        return []
    for number, example in enumerate(examples):
        place = f"{WHERE}: {name}[{number}]"
        if not isinstance(example, dspy.Example):
            raise ConfigError(place, f"must be a dspy.Example, is {type(example).__name__}")
        # DSPy raises a ValueError where the inputs are not named.
        if getattr(example, "_input_keys", None) is None:
            raise ConfigError(place, "does not say which fields are inputs; use .with_inputs(...)")
    return list(examples)


def _row(identity: str, example: dspy.Example) -> Row:
    return Row(id=identity, seed_id=identity, instruction=_inputs(example))


def _inputs(example: dspy.Example) -> str:
    inputs = example.inputs()
    return fields_text(inputs, inputs.keys())


def _texts(example: dspy.Example) -> list[str]:
    return [text for value in example.toDict().values() for text in texts_in(value)]
