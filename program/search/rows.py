"""The rows of a search: train, dev, fresh and held-out rows, and what no proposal may quote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dspy

from autoevol.program.errors import ConfigError
from autoevol.program.records import Row
from autoevol.program.search.candidates import GUARDED

_WHERE = "AutoEvolInstruct.compile"


@dataclass(frozen=True, slots=True)
class SearchRows:
    """The rows of a search; the three sets are disjoint.

    Attributes:
        train: The mini-batches are drawn from them.
        dev: Candidates are compared on them.
        fresh: The best methods are confirmed on them; without any there is no confirmation.
        texts: The texts of each row, by set (train, dev, fresh, held-out): no proposal may quote
            them.
    """

    train: Sequence[Row]
    dev: Sequence[Row]
    fresh: Sequence[Row]
    texts: Mapping[str, Sequence[Sequence[str]]]


def search_rows(**sets: Sequence[Row | dspy.Example]) -> SearchRows:
    """Return the rows of the four sets, by the names of their arguments in `compile`.

    Args:
        **sets: `trainset`, `valset`, `freshset`, `heldoutset`, in this order: rows, or examples
            with an `instruction` and perhaps an `id`.

    Raises:
        ConfigError: Two sets share a row's id, or an example's instruction.
    """
    rows = {role: _rows(role, own) for role, own in zip(GUARDED, sets.values(), strict=True)}
    named = dict(zip(sets, rows.values(), strict=True))
    check_disjoint(_WHERE, "id", {name: [row.id for row in own] for name, own in named.items()})
    for name, own in sets.items():
        _check_ids(name, named[name], own)
    # Rows of a run are told apart by their ids: people's files may hold a text twice.
    if not all(isinstance(example, Row) for own in sets.values() for example in own):
        texts = {name: [row.text for row in own] for name, own in named.items()}
        check_disjoint(_WHERE, "text", texts)
    guarded = {
        role: [(row.text, row.input, row.response) for row in own] for role, own in rows.items()
    }
    return SearchRows(rows["train"], rows["dev"], rows["fresh"], guarded)


def _rows(role: str, examples: Sequence[Row | dspy.Example]) -> list[Row]:
    return [
        example if isinstance(example, Row) else _as_row(f"{role}-{number}", example)
        for number, example in enumerate(examples)
    ]


def _as_row(identity: str, example: dspy.Example) -> Row:
    own = example.get("id")
    identity = identity if own is None else str(own)
    return Row(id=identity, seed_id=identity, instruction=example.instruction)


def _check_ids(name: str, rows: Sequence[Row], examples: Sequence[Row | dspy.Example]) -> None:
    """Refuse two examples of a set with one id: their results would count as one row's."""
    seen: set[str] = set()
    for number, (row, example) in enumerate(zip(rows, examples, strict=True)):
        if row.id in seen and not isinstance(example, Row):
            raise ConfigError(f"{_WHERE}: {name}[{number}]", f"id {row.id!r} is there twice")
        seen.add(row.id)


def check_disjoint(where: str, what: str, keys: Mapping[str, Sequence[str]]) -> None:
    """Refuse sets that share a row.

    Args:
        where: The function that took the sets.
        what: What the keys are, for the message.
        keys: Of the rows of each set, by the set's name.

    Raises:
        ConfigError: Two sets share a key.
    """
    seen: dict[str, str] = {}
    for name, own in keys.items():
        shared = [number for number, key in enumerate(own) if seen.get(key, name) != name]
        if shared:
            other = seen[own[shared[0]]]
            count = f"{len(shared)} example" + ("s" if len(shared) > 1 else "")
            raise ConfigError(
                f"{where}: {name}",
                f"shares the {what} of {count} with {other}, for example {name}[{shared[0]}]; "
                "the sets must be disjoint",
            )
        seen.update(dict.fromkeys(own, name))
