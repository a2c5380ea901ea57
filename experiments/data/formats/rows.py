"""Our own format: the keys of `program.records.Row` in a dictionary. Shared by all formats."""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from autoevol.experiments.files.json_text import as_json, holds_half
from autoevol.experiments.files.records import Record
from autoevol.metrics import Reason
from autoevol.program.records import Row

RowDict = dict[str, Any]
"""A row as plain data; `system` and `meta`, its further columns, only where there are any."""

Notes = Counter[str]
"""What a reader left out or changed, for the user: sentences, and how many rows each applies to."""

ReadOne = Callable[[Record, Notes], RowDict]
"""Turns a record into a row."""

Reader = Callable[[], ReadOne]
"""Begins a file: rows of some formats depend on the rows before them."""

_NO_ROW = Row(id="", seed_id="", instruction="")
_EMPTY = _NO_ROW.as_dict()
_TEXTS = ("input", "thinking", "response", "origin", "root", "model_evolve", "model_respond")
_NAMES = ("parent_id", "method", "filtered_by")
LISTS = ("trace", "turns", "answers")
NUMBERS = ("round", "draw")
FIGURES = ("scores", "usage")
_OUTCOME = ("suspected_by", "status", "failed_at", "reasons", "raw")
"""What a run says of a row beyond the row."""

_DERIVED = ("messages",)
"""Columns that `parquet` derives from the others, so they are not read back."""

META = "meta"
ROW_KEYS = frozenset((*_EMPTY, *_OUTCOME, *_DERIVED, "system", META))
"""The keys of our own rows; any other key of a record is a column of its own."""


def new_row(instruction: str, **values: Any) -> RowDict:
    """Return a row with every key: those not in `values` are empty, the origin the instruction."""
    return {**_EMPTY, "instruction": instruction, "origin": instruction, **values}


def row_by_row(read_one: ReadOne) -> Reader:
    """Return the reader of records that do not depend on each other."""
    return lambda: read_one


def prompt_of(row: RowDict) -> str:
    """Return the prompt of a row: its instruction and, where there is one, its input."""
    context = row.get("input")
    return f"{row['instruction']}\n\n{context}" if context else str(row["instruction"])


def read_row(record: Record, notes: Notes) -> RowDict:
    """Return one of our rows, or a seed; keys that are not a row's go to its `meta`."""
    identity = record.name("id")
    record = record.named(identity or "")
    turns = record.texts("turns")
    # A conversation need not have an instruction: the first turn is one.
    instruction = record.optional_text("instruction") if turns else record.text("instruction")
    if not instruction.strip():
        instruction = record.checked("turns[0]", turns[0])
    if not instruction.strip():
        raise record.error("turns[0]", "must be a text, is empty")
    row = {
        **_EMPTY,
        # Only what is there: most records of a large set are seeds with a few keys.
        **{key: _READ[key](record, key) for key in record.value if key in _READ},
        **_outcome(record),
        "id": identity or "",
        "seed_id": record.name("seed_id") or "",
        "instruction": instruction,
    }
    if row["answers"] and len(row["answers"]) != len(turns):
        problem = f"must be one for each of the {len(turns)} turns, are {len(row['answers'])}"
        raise record.error("answers", problem)
    # Only a seed is its own origin. A later row without one began a lineage (breadth methods).
    if not row["origin"] and not row["round"]:
        row["origin"] = instruction
    system = record.optional_text("system")
    return with_meta({**row, **({"system": system} if system else {})}, record, ROW_KEYS)


def _outcome(record: Record) -> dict[str, Any]:
    """Return what a run said of a row."""
    outcome = {k: value for k in _OUTCOME if (value := record.value.get(k)) is not None}
    for key in ("suspected_by", "reasons"):
        entries = outcome.get(key, [])
        if not isinstance(entries, list) or not all(map(_is_reason, entries)):
            raise record.error(key, "must be a list of rules with their evidence")
    return outcome


def _is_reason(entry: Any) -> bool:
    return isinstance(entry, dict) and {"rule", "evidence"} <= entry.keys()


def with_meta(row: RowDict, record: Record, own: Set[str]) -> RowDict:
    """Return a row with the columns of its record that are no format's own ones in `meta`.

    Of two values under one name the second is kept in a `meta` within.
    """
    if META not in row and META not in record.value and record.value.keys() <= own:
        return row
    meta, twice = dict(row.get(META) or {}), {}
    for key, value in _further(record, own):
        if key in meta and meta[key] != value:
            twice[key] = value
        else:
            meta[key] = value
    if twice:
        meta[META] = {**twice, **({"value": meta[META]} if META in meta else {})}
    return {**row, META: meta} if meta else row


def _further(record: Record, own: Set[str]) -> Iterator[tuple[str, Any]]:
    """Yield the columns that are no own ones and not null, as plain JSON data: dates become texts.

    An object under the key `meta` holds such columns; Parquet files hold it as JSON.
    """
    columns = ((key, value) for key, value in record.value.items() if key not in own)
    held = _held_meta(record.value.get(META))
    for key, value in (*columns, *held.items()):
        # A row of a table has every column, with null in those that only other rows fill.
        if value is None or (key == META and key not in held):
            continue
        if holds_half(value):
            raise record.error(key, "holds half of a surrogate pair; remove it")
        if _holds_bytes(value):
            raise record.error(key, "holds bytes, which no row of texts can; remove the column")
        yield str(key), plain(value)


def plain(value: Any) -> Any:
    """Return a value as plain JSON data."""
    return json.loads(as_json(value))


def _holds_bytes(value: Any) -> bool:
    if isinstance(value, dict | list | tuple):
        return any(map(_holds_bytes, value.values() if isinstance(value, dict) else value))
    return isinstance(value, bytes | bytearray)


def _held_meta(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        # A text that is no JSON object is a column that somebody calls `meta`.
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value) if value.startswith("{") else value
    if isinstance(value, dict):
        return value
    return {} if value is None else {META: value}


def _figures(record: Record, key: str) -> dict[str, Any]:
    """Return figures by name; Parquet files hold them as JSON. A NaN was null, and is no figure."""
    figures = record.value.get(key)
    if isinstance(figures, str):
        try:
            figures = json.loads(figures)
        except json.JSONDecodeError as error:
            raise record.error(key, f"is not valid JSON: {error}") from error
    if figures is None:
        return {}
    if not isinstance(figures, dict):
        raise record.error(key, f"must be figures by name, is {type(figures).__name__}")
    return {name: figure for name, figure in figures.items() if figure is not None}


_READ: dict[str, Callable[[Record, str], Any]] = {
    **dict.fromkeys(_TEXTS, Record.optional_text),
    **dict.fromkeys(_NAMES, Record.name),
    **dict.fromkeys(LISTS, Record.texts),
    **dict.fromkeys(NUMBERS, Record.whole_number),
    **dict.fromkeys(FIGURES, _figures),
}
"""How each key of a row is read."""


def write_row(row: RowDict) -> RowDict:
    """Return the row as it is."""
    return row


_FIELDS = Row.__slots__
_DEFAULTS = tuple(getattr(_NO_ROW, name) for name in _FIELDS)
_LIST_NUMBERS = tuple(_FIELDS.index(name) for name in LISTS)
_SUSPICIONS = _FIELDS.index("suspected_by")


def row_from(plain: Mapping[str, Any]) -> Row:
    """Return a row from its plain data; keys that a row does not have are ignored."""
    values = list(map(plain.get, _FIELDS, _DEFAULTS))
    for number in _LIST_NUMBERS:
        values[number] = tuple(values[number])
    reasons = values[_SUSPICIONS] or ()
    values[_SUSPICIONS] = tuple(Reason(r["rule"], r["evidence"], "suspicion") for r in reasons)
    return Row(*values)
