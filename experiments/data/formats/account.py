"""What was recognised in a data set, counted while it is read, and said in one line."""

from collections import Counter
from dataclasses import dataclass, field

from autoevol.experiments.data.formats.rows import META, Notes, RowDict
from autoevol.experiments.files.records import Rejected

_SHOWN = 6
"""Further columns that the line names."""


_LOCATED = 50_000
"""Ids whose places are held for messages; a million of them would take 200 MB."""


class TakenIds:
    """The ids of the rows that were read, in 70 bytes each."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}
        # Of 64 bits: two of a million ids collide with probability 10^-8, and a row is refused.
        self._hashes: set[int] = set()

    def add(self, identity: str, place: str) -> None:
        """Take the id of a row, which is in this place of its file."""
        if len(self._places) < _LOCATED:
            self._places[identity] = place
        else:
            self._hashes.add(hash(identity))

    def owner(self, identity: str) -> str | None:
        """Return the place of the row that has an id, as far as it is held; None: no row has it."""
        if place := self._places.get(identity):
            return place
        return "a row before it" if hash(identity) in self._hashes else None


@dataclass
class Recognised:
    """What a reader recognised; complete once all rows are read.

    Attributes:
        forms: Rows by the title of their format.
        traits: What is unusual about the files: encoding, separator.
        several_turns: Rows of more than one turn.
        systems: Rows with a system prompt.
        answered: Records with a key for an answer.
        columns: Rows that bring a further column, by its name.
        columns_named: Columns that were told by their usual names, by their use.
        rejected: The records that make no row.
        notes: What the readers changed: sentences, and how many rows each applies to.
    """

    forms: Counter[str] = field(default_factory=Counter)
    traits: list[str] = field(default_factory=list)
    several_turns: int = 0
    systems: int = 0
    answered: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    columns_named: dict[str, str] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    notes: Notes = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.forms.total()

    def count(self, row: RowDict, title: str, *, is_answered: bool) -> None:
        """Count a row."""
        self.forms[title] += 1
        self.several_turns += len(row["turns"]) > 1
        self.systems += bool(row.get("system"))
        self.answered += is_answered
        if META in row:
            self.columns.update(list(row[META] or ()))

    @property
    def sentence(self) -> str:
        """What was recognised, such as `1,204 rows in ShareGPT form, 3 with a system prompt`."""
        forms = " and ".join(f"{_count(n, 'row')} in {title}" for title, n in self.forms.items())
        parts = [
            forms or "no rows",
            *self.traits,
            f"{self.several_turns:,} of several turns" if self.several_turns else "",
            f"{self.systems:,} with a system prompt" if self.systems else "",
            self._columns(),
            f"{len(self.rejected):,} skipped" if self.rejected else "",
        ]
        return ", ".join(filter(None, parts))

    def _columns(self) -> str:
        names = list(self.columns)
        if not names:
            return ""
        tail = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"further columns kept: {', '.join(names[:_SHOWN])}{tail}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
