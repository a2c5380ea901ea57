"""Our own rows: the keys of `program.records.Row`, in a dictionary."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autoevol.experiments.files.records import Record
from autoevol.program.records import Row

RowDict = dict[str, Any]
"""A row as plain data; keys that only some formats know, such as `system`, are carried along."""

Notes = Counter[str]
"""What a reader left out or read in its own way, to be said aloud: sentences and how often."""

Reader = Callable[[Iterable[Record], Notes], Iterator[tuple[str, RowDict]]]
"""Turns records into rows, each behind its place."""

_EMPTY = Row(id="", seed_id="", instruction="").as_dict()
_TEXTS = ("input", "thinking", "response", "origin", "root", "model_evolve", "model_respond")
_NAMES = ("parent_id", "method", "filtered_by")
LISTS = ("trace", "turns", "answers")
NUMBERS = ("round", "draw")
FIGURES = ("scores", "usage")
_MADE = ("messages",)
"""Columns of a Parquet file that are made from the others."""


def new_row(instruction: str, **known: Any) -> RowDict:
    """Return a row with every key; what is not known is empty, the origin is the instruction."""
    return {**_EMPTY, "instruction": instruction, "origin": instruction, **known}


def each(read_one: Callable[[Record, Notes], RowDict]) -> Reader:
    """Return a reader of records that do not depend on each other."""

    def read(records: Iterable[Record], notes: Notes) -> Iterator[tuple[str, RowDict]]:
        return ((record.place, read_one(record, notes)) for record in records)

    return read


def prompt_of(row: RowDict) -> str:
    """Return what a model is asked: the instruction and, where there is one, the input."""
    given = row.get("input")
    return f"{row['instruction']}\n\n{given}" if given else str(row["instruction"])


def read_row(record: Record, notes: Notes) -> RowDict:
    """Return a row of ours, or a seed; keys that are not a row's are carried along."""
    identity = record.name("id")
    record = record.named(identity or "")
    turns = record.texts("turns")
    instruction = record.optional_text("instruction") if turns else record.text("instruction")
    row = {
        **_EMPTY,
        **_carried(record),
        **{key: record.optional_text(key) for key in _TEXTS},
        **{key: record.name(key) for key in _NAMES},
        **{key: record.texts(key) for key in LISTS},
        **{key: record.whole(key, 0) for key in NUMBERS},
        **{key: _figures(record, key) for key in FIGURES},
        "id": identity or "",
        "seed_id": record.name("seed_id") or "",
        "instruction": instruction,
    }
    if row["answers"] and len(row["answers"]) != len(turns):
        problem = f"must be one for each of the {len(turns)} turns, are {len(row['answers'])}"
        raise record.wrong("answers", problem)
    if not row["origin"] and not row["round"]:
        row["origin"] = instruction
    return row


def _carried(record: Record) -> dict[str, Any]:
    """Return the keys that are not a row's and not null; dates and such become texts."""
    others = {}
    for key, value in record.value.items():
        if value is None or key in _EMPTY or key in _MADE:
            continue
        try:
            told = json.dumps(value, ensure_ascii=False, default=str)
            told.encode()
        except UnicodeEncodeError as error:
            raise record.wrong(key, "holds half of a surrogate pair; remove it") from error
        others[key] = json.loads(told)
    return others


def _figures(record: Record, key: str) -> dict[str, Any]:
    """Return figures by name; Parquet files hold them as JSON."""
    found = record.value.get(key)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except json.JSONDecodeError as error:
            raise record.wrong(key, f"is no valid JSON: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise record.wrong(key, f"must be figures by name, is {type(found).__name__}")
    return found


def write_row(row: RowDict) -> RowDict:
    """Return the row as it is."""
    return row
