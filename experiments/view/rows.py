"""An index of a run's rows: what filters go by is in memory, the texts stay in the files.

The run may be live: its files grow, and their rows are put into another order at its end.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.labels.keys import key_of, text_of
from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES, UNSCORED
from autoevol.experiments.files.growing import GrowingFile
from autoevol.experiments.report.lineages import is_new
from autoevol.program.records import Status

STATUSES: Mapping[str, Status] = {EVOLVED: "kept", FAILURES: "failed", UNSCORED: "unscored"}
"""What became of the rows of a file."""

_TEXTS = ("id", "seed_id", "origin", "instruction")
_MOST_NAMED = 5
Row = Mapping[str, Any]


class RowGoneError(Exception):
    """The row is no longer in the files: a run has made them anew."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is in memory of a row.

    Attributes:
        key: Made of the row's id and texts: the same row in a file that was made again has it, a
            row of other texts has not.
        file: Name of its file.
        offset: Of its line in bytes.
        is_suspected: Whether it was kept or dropped under suspicion, without evidence against it.
        rules: Those that it broke, or that suspect it.
    """

    key: str
    id: str
    file: str
    offset: int
    is_suspected: bool
    rules: tuple[str, ...]
    round: int
    method: str

    @property
    def status(self) -> Status:
        """What became of the row."""
        return STATUSES[self.file]


class RowIndex:
    """The rows of a run's folder, as far as its files hold them by now.

    Args:
        folder: The run's.

    Attributes:
        version: Another number after each change.
        resets: How often a file was found to be another one, so that its rows may stand elsewhere.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {name: _FileIndex(folder / name) for name in STATUSES}
        self.version, self.resets = 0, 0

    def refresh(self) -> None:
        """Read what is new in the files.

        Raises:
            ConfigError: A file cannot be read.
        """
        self.version += sum(file.lines.update() for file in self._files.values())
        self.resets += sum(file.is_reordered() for file in self._files.values())

    @property
    def entries(self) -> list[Entry]:
        """All rows: kept, failed, unscored; in each file's order."""
        return [entry for file in self._files.values() for entry in file.entries]

    @property
    def damaged(self) -> list[str]:
        """The lines that hold no row: a remark for each file that has some."""
        return [remark for file in self._files.values() if (remark := file.damage)]

    def by_key(self, key: str) -> Entry | None:
        """Return the row of a key; None: there is none."""
        files = self._files.values()
        return next((file.by_key[key] for file in files if key in file.by_key), None)

    def read(self, entry: Entry) -> Row:
        """Return a row from its file.

        Raises:
            RowGoneError: The file has been made anew since it was indexed.
        """
        line = self._files[entry.file].line_at(entry.offset)
        row = _row_of(line)
        if row is None or key_of(row) != entry.key:
            raise RowGoneError(entry.id)
        return row

    def read_all(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Row]]:
        """Yield rows with their entries, each file opened once; rows that are gone are left out."""
        for name, file in self._files.items():
            wanted = [entry for entry in entries if entry.file == name]
            for entry, line in zip(
                wanted, file.lines_at([entry.offset for entry in wanted]), strict=False
            ):
                row = _row_of(line)
                if row is not None and key_of(row) == entry.key:
                    yield entry, row

    def ancestors(self, row: Row) -> list[Row]:
        """Return the kept rows that a row was evolved from, as far as they are there."""
        rows: list[Row] = []
        child, kept = row, self._files[EVOLVED]
        # A lineage has at most one row a round; a damaged file must not make it a circle.
        while (entry := kept.by_id.get(child["parent_id"] or "")) and len(rows) < row["round"]:
            child = self.read(entry)
            rows.insert(0, child)
        return rows

    def parent_text(self, row: Row) -> str:
        """Return the text that a row was evolved from; "": it is not in the folder."""
        parent = row["parent_id"] or ""
        if entry := self._files[EVOLVED].by_id.get(parent):
            return text_of(self.read(entry))
        if not is_new(row):
            # The rows of an earlier folder, which this run continues, are not here.
            return str(row["origin"]) if parent == row["seed_id"] else ""
        # The row inspired by a seed names no origin; another row of the same seed may.
        sibling = next((f.of_seed[parent] for f in self._files.values() if parent in f.of_seed), "")
        entry = self.by_key(sibling)
        return str(self.read(entry)["origin"]) if entry else ""

    def forget(self) -> None:
        """Index all files anew the next time."""
        for file in self._files.values():
            file.lines.forget()


class _FileIndex:
    """The rows of one file."""

    def __init__(self, path: Path) -> None:
        self.lines = GrowingFile(path, self._reset, self._add)
        self._path = path
        self.entries: list[Entry] = []
        self._before: list[Entry] = []
        self._reset()

    def is_reordered(self) -> bool:
        """Tell whether the last update found rows in another order than before it."""
        before, self._before = self._before, []
        # A file that was written anew, with figures in its rows, begins as it did.
        now = self.entries[: len(before)]
        return [entry.key for entry in before] != [entry.key for entry in now]

    def _reset(self) -> None:
        self._before = self.entries
        self.entries = []
        self.by_key: dict[str, Entry] = {}
        self.by_id: dict[str, Entry] = {}
        self.of_seed: dict[str, str] = {}
        self._number, self._damaged, self._first_damaged = 0, 0, list[int]()

    def _add(self, offset: int, line: bytes) -> None:
        self._number += 1
        if not line.strip():
            return
        row = _row_of(line)
        if row is None:
            self._damaged += 1
            self._first_damaged = [*self._first_damaged, self._number][:_MOST_NAMED]
            return
        entry = _entry_of(row, self._path.name, offset)
        self.entries.append(entry)
        self.by_key[entry.key] = self.by_id[entry.id] = entry
        if row["origin"]:
            self.of_seed.setdefault(row["seed_id"], entry.key)

    @property
    def damage(self) -> str:
        """The lines that hold no row, in a sentence; "": there are none."""
        if not self._damaged:
            return ""
        first = ", ".join(map(str, self._first_damaged))
        more = " …" if self._damaged > len(self._first_damaged) else ""
        lines = "line holds" if self._damaged == 1 else "lines hold"
        return f"{self._path.name}: {self._damaged} {lines} no row (line {first}{more})"

    def line_at(self, offset: int) -> bytes:
        """Return the line at an offset; empty where there is no file."""
        return next(self.lines_at([offset]), b"")

    def lines_at(self, offsets: Sequence[int]) -> Iterator[bytes]:
        """Yield the lines at some offsets."""
        try:
            with self._path.open("rb") as file:
                for offset in offsets:
                    file.seek(offset)
                    yield file.readline()
        except OSError:
            return


def reasons_of(row: Row) -> list[Mapping[str, str]]:
    """Return the rules that a row broke, or that suspect it, with their evidence."""
    return [*(row.get("reasons") or ()), *(row.get("suspected_by") or ())]


def _entry_of(row: Row, file: str, offset: int) -> Entry:
    # Interned: a run has few rules and methods, and many rows.
    rules = tuple(dict.fromkeys(sys.intern(str(reason["rule"])) for reason in reasons_of(row)))
    is_failed = file == FAILURES
    is_suspected = row.get("status") == "suspected" if is_failed else bool(row.get("suspected_by"))
    method = sys.intern(row["method"] or "")
    return Entry(key_of(row), row["id"], file, offset, is_suspected, rules, row["round"], method)


def _row_of(line: bytes) -> dict[str, Any] | None:
    """Return the row of a line; None: it is not what a run writes."""
    try:
        row = json.loads(line)
        return row if _is_row(row) else None
    # The keys of a line, or of a reason in it, may be anything.
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict) or not all(isinstance(row[key], str) for key in _TEXTS):
        return False
    texts = [*(row.get("turns") or ()), *(row.get("answers") or ())]
    texts += [reason[key] for reason in reasons_of(row) for key in ("rule", "evidence")]
    names = (row["parent_id"], row["method"])
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(name, str | None) for name in names)
        and isinstance(row["round"], int)
        and isinstance(row.get("response") or "", str)
    )
