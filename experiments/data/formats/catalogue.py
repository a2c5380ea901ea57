"""The table of all formats, and which of them a record is in."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from autoevol.experiments.data.formats import alpaca, chat, joonavel
from autoevol.experiments.data.formats.rows import (
    META,
    ROW_KEYS,
    Reader,
    ReadOne,
    RowDict,
    read_row,
    row_by_row,
    with_meta,
    write_row,
)
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError

USUAL_ANSWERS = frozenset(("output", "answer", "completion", "solution", "instances"))
"""What rows of ours do not call an answer."""

NUMBERED = re.compile(r"row-\d{6,}")
"""Ids of rows that came without one."""

ROWS = "rows"
"""Our own format."""

Shape = Literal["list", "split", "columns"]
"""A format's JSON file: a list of records, pandas' split form, or one list for each column."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how its records become rows and rows its records.

    Attributes:
        title: Its name in a sentence.
        write: Returns a row as the format's record, without the columns of its `meta`.
        keys: Keys that all its records have.
        either: Of these keys a record has at least one; empty: no such condition.
        others: Further keys of its own. Any other key is a column that goes to the row's `meta`.
        answer: The key that holds the answer; None: an answer is a message among others.
        shape: Of its JSON file; only a `list` may also be written as JSON Lines, and only it has
            room for further columns.
        has_turns: Whether it can hold a conversation.
        has_system: Whether it can hold a system prompt.
        embeds: Keys of a row's `meta` that its own keys hold.
    """

    name: str
    title: str
    read: Reader
    write: Callable[[RowDict], RowDict]
    keys: frozenset[str]
    either: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    answer: str | None = None
    shape: Shape = "list"
    has_turns: bool = False
    has_system: bool = True
    embeds: frozenset[str] = frozenset()

    @property
    def own(self) -> frozenset[str]:
        """All keys of its own."""
        return self.keys | self.either | self.others

    def fits(self, keys: Collection[object]) -> bool:
        """Tell whether a record with these keys may be in the format."""
        return self.keys <= set(keys) and (not self.either or bool(self.either & set(keys)))

    def reader(self) -> ReadOne:
        """Begin a file: return what turns its records into rows, further columns in `meta`."""
        read_one, own = self.read(), self.own
        if self.name == ROWS:  # its reader knows which keys are its own
            return read_one
        return lambda record, notes: with_meta(read_one(record, notes), record, own)

    def record(self, row: RowDict) -> RowDict:
        """Return a row as the format's record, with its id and further columns where they fit.

        An id that is no more than the number of its record is left out.
        """
        record = self.write(row)
        if self.name == ROWS or self.shape != "list":
            return record
        identity = str(row.get("id") or "")
        if identity and not NUMBERED.fullmatch(identity):
            record = {"id": identity, **record}
        meta = {k: value for k, value in (row.get(META) or {}).items() if k not in self.embeds}
        if row.get("root"):
            meta = {"root": row["root"], **meta}
        # A key of the format would be read as something else.
        taken = {key: meta[key] for key in meta if key in record or key in self.own}
        further = {key: meta[key] for key in meta if key not in taken}
        if taken and META in further:
            taken[META] = further.pop(META)
        return {**record, **further, **({META: taken} if taken else {})}


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split())


# A record is in the first format whose keys it has, so a format comes before those whose keys are
# a subset of its own: `llama_factory` before `alpaca`.
_TABLE = (
    # Before `messages`: rows that were written to Parquet have a column of that name, too.
    Format(
        ROWS,
        "AutoEvol's own form",
        row_by_row(read_row),
        write_row,
        _keys("instruction seed_id"),
        either=_keys("parent_id trace round"),
        others=ROW_KEYS,
        answer="response",
        has_turns=True,
    ),
    Format(
        "sharegpt",
        "ShareGPT form",
        row_by_row(chat.read_sharegpt),
        chat.write_sharegpt,
        _keys("conversations"),
        others=_keys("id system"),
        has_turns=True,
    ),
    Format(
        "messages",
        "OpenAI's form of messages",
        row_by_row(chat.read_messages),
        chat.write_messages,
        _keys("messages"),
        others=_keys("id system"),
        has_turns=True,
    ),
    Format(
        "trl",
        "TRL's form of prompt and completion",
        row_by_row(chat.read_trl),
        chat.write_trl,
        _keys("prompt completion"),
        others=_keys("id system"),
        answer="completion",
        has_turns=True,
    ),
    Format(
        "self_instruct",
        "the form of self-instruct",
        row_by_row(alpaca.read_self_instruct),
        alpaca.write_self_instruct,
        _keys("instruction instances"),
        others=_keys("id"),
        answer="instances",
        has_system=False,
        embeds=_keys("instances"),
    ),
    Format(
        "koevol",
        "koevol's form",
        joonavel.koevol_reader,
        joonavel.write_koevol,
        _keys("instruction generation trace"),
        others=_keys("root origin output"),
        answer="output",
        shape="split",
        has_system=False,
    ),
    Format(
        "auto_evol",
        "auto-evol-instruct's form",
        joonavel.auto_evol_reader,
        joonavel.write_auto_evol,
        _keys("instruction response root reference"),
        answer="response",
        shape="columns",
        has_system=False,
    ),
    Format(
        "llama_factory",
        "LLaMA-Factory's form of Alpaca",
        row_by_row(alpaca.read_alpaca),
        alpaca.write_llama_factory,
        _keys("instruction output"),
        either=_keys("system history"),
        others=_keys("input id"),
        answer="output",
        has_turns=True,
    ),
    Format(
        "alpaca",
        "Alpaca form",
        row_by_row(alpaca.read_alpaca),
        alpaca.write_alpaca,
        _keys("instruction output"),
        others=_keys("input id system history"),
        answer="output",
        has_turns=True,
    ),
)
FORMATS = {entry.name: entry for entry in _TABLE}
"""By name, in the order in which `detected` tries them."""


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


def detected(record: Record) -> Format | None:
    """Return the format that a record's keys tell; None: it is in none of the table."""
    fitting = (form for form in FORMATS.values() if form.fits(record.value))
    return next((form for form in fitting if form.name != ROWS or _is_ours(record.value)), None)


def _is_ours(value: Mapping[str, Any]) -> bool:
    """Tell whether a record with a lineage is a row of ours.

    A data set of somebody else's may have seeds, rounds and parents as well, but its answers have
    another name.
    """
    return USUAL_ANSWERS.isdisjoint(value)
