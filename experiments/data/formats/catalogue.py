"""The table of all formats, and which of them a record is in."""

import difflib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from autoevol.experiments.data.formats import alpaca, chat, joonavel
from autoevol.experiments.data.formats.rows import Reader, RowDict, read_row, row_by_row, write_row
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError

Shape = Literal["list", "split", "columns"]
"""A format's JSON file: a list of records, pandas' split form, or one list for each column."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how its records become rows and rows its records.

    Attributes:
        write: Returns a row as the format's record.
        keys: Keys that all its records have.
        either: Of these keys a record has at least one; empty: no such condition.
        shape: Of its JSON file; only a `list` may also be written as JSON Lines.
        has_turns: Whether it can hold a conversation.
    """

    name: str
    read: Reader
    write: Callable[[RowDict], RowDict]
    keys: frozenset[str]
    either: frozenset[str] = frozenset()
    shape: Shape = "list"
    has_turns: bool = False

    def fits(self, keys: Collection[object]) -> bool:
        """Tell whether a record with these keys may be in the format."""
        return self.keys <= set(keys) and (not self.either or bool(self.either & set(keys)))


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split())


# A record is in the first format whose keys it has, so a format comes before those whose keys are
# a subset of its own: `llama_factory` before `alpaca`.
_TABLE = (
    # Before `messages`: rows that were written to Parquet have a column of that name, too.
    Format("rows", row_by_row(read_row), write_row, _keys("instruction seed_id"), has_turns=True),
    Format(
        "sharegpt",
        row_by_row(chat.read_sharegpt),
        chat.write_sharegpt,
        _keys("conversations"),
        has_turns=True,
    ),
    Format(
        "messages",
        row_by_row(chat.read_messages),
        chat.write_messages,
        _keys("messages"),
        has_turns=True,
    ),
    Format(
        "trl", row_by_row(chat.read_trl), chat.write_trl, _keys("prompt completion"), has_turns=True
    ),
    Format(
        "self_instruct",
        row_by_row(alpaca.read_self_instruct),
        alpaca.write_self_instruct,
        _keys("instruction instances"),
    ),
    Format(
        "koevol",
        joonavel.koevol_reader,
        joonavel.write_koevol,
        _keys("instruction generation trace"),
        shape="split",
    ),
    Format(
        "auto_evol",
        joonavel.auto_evol_reader,
        joonavel.write_auto_evol,
        _keys("instruction response reference"),
        shape="columns",
    ),
    Format(
        "llama_factory",
        row_by_row(alpaca.read_alpaca),
        alpaca.write_llama_factory,
        _keys("instruction output"),
        either=_keys("system history"),
        has_turns=True,
    ),
    Format(
        "alpaca",
        row_by_row(alpaca.read_alpaca),
        alpaca.write_alpaca,
        _keys("instruction output"),
        has_turns=True,
    ),
)
FORMATS = {entry.name: entry for entry in _TABLE}
"""By name, in the order in which `detect` tries them."""


def find_format(name: str, option: str) -> Format:
    """Return the format of that name; `option` is named in the message.

    Raises:
        ConfigError: There is no such format.
    """
    if name not in FORMATS:
        close = difflib.get_close_matches(name, FORMATS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"must be one of {', '.join(FORMATS)}"
        raise ConfigError(f"{option} {name}", f"unknown format; {hint}")
    return FORMATS[name]


def detect(record: Record) -> Format:
    """Return the format of a file by its first record; a seed needs only an instruction.

    Raises:
        ConfigError: The record is in no format.
    """
    for candidate in FORMATS.values():
        if candidate.fits(record.value):
            return candidate
    if "instruction" in record.value:
        return FORMATS["rows"]
    shown = ", ".join(map(str, record.value)) or "none"
    raise ConfigError(record.place, f"is in no known format; its keys are {shown}")
