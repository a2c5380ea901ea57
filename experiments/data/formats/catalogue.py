"""The table of formats, and which of them a record is in."""

import difflib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from autoevol.experiments.data.formats import alpaca, chat, joonavel
from autoevol.experiments.data.formats.rows import Reader, RowDict, each, read_row, write_row
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError

Shape = Literal["list", "split", "columns"]
"""What a JSON file of a format is: a list of records, pandas' split form, a list per column."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way from records to rows and back.

    Attributes:
        write: Returns a row as the format's record.
        keys: What a record of the format has.
        either: Of these it has at least one; empty: no matter.
        shape: Of its JSON file; only a `list` may be JSON Lines, too.
        has_turns: It can hold a conversation.
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


_TABLE = (
    Format("rows", each(read_row), write_row, _keys("instruction seed_id"), has_turns=True),
    Format(
        "sharegpt",
        each(chat.read_sharegpt),
        chat.write_sharegpt,
        _keys("conversations"),
        has_turns=True,
    ),
    Format(
        "messages",
        each(chat.read_messages),
        chat.write_messages,
        _keys("messages"),
        has_turns=True,
    ),
    Format("trl", each(chat.read_trl), chat.write_trl, _keys("prompt completion"), has_turns=True),
    Format(
        "self_instruct",
        each(alpaca.read_self_instruct),
        alpaca.write_self_instruct,
        _keys("instruction instances"),
    ),
    Format(
        "koevol",
        joonavel.read_koevol,
        joonavel.write_koevol,
        _keys("instruction generation trace"),
        shape="split",
    ),
    Format(
        "auto_evol",
        joonavel.read_auto_evol,
        joonavel.write_auto_evol,
        _keys("instruction response reference"),
        shape="columns",
    ),
    Format(
        "llama_factory",
        each(alpaca.read_alpaca),
        alpaca.write_llama_factory,
        _keys("instruction output"),
        either=_keys("system history"),
        has_turns=True,
    ),
    Format(
        "alpaca",
        each(alpaca.read_alpaca),
        alpaca.write_alpaca,
        _keys("instruction output"),
        has_turns=True,
    ),
)
FORMATS = {each_format.name: each_format for each_format in _TABLE}
"""By name; a record is in the first that fits it."""


def find_format(name: str, option: str) -> Format:
    """Return the format of that name.

    Raises:
        ConfigError: There is none.
    """
    if name not in FORMATS:
        close = difflib.get_close_matches(name, FORMATS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(FORMATS)}"
        raise ConfigError(f"{option} {name}", f"unknown format; {hint}")
    return FORMATS[name]


def detect(record: Record) -> Format:
    """Return the format of a file by its first record; a seed needs only an instruction.

    Raises:
        ConfigError: It fits none.
    """
    for found in FORMATS.values():
        if found.fits(record.value):
            return found
    if "instruction" in record.value:
        return FORMATS["rows"]
    shown = ", ".join(map(str, record.value)) or "none"
    raise ConfigError(record.place, f"is in no known format; its keys are {shown}")
