"""A data file of any format, read as rows."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.data.formats.catalogue import Format, detect
from autoevol.experiments.data.formats.rows import Notes, ReadOne, RowDict
from autoevol.experiments.files.records import Record, read_file
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is being read.

    Attributes:
        rows: Each with a unique id; read one at a time, when they are asked for.
        notes: What the reader left out or changed; complete once all rows are read.
    """

    path: Path
    format: Format
    rows: Iterator[RowDict]
    notes: Notes


def open_source(
    path: Path, read_as: Format | None = None, *, skip_unusable: bool = False
) -> Source:
    """Open a data file of any format.

    Args:
        path: JSON Lines, JSON, CSV or Parquet.
        read_as: Its format; None: the one of its first record.
        skip_unusable: Leave out and count records that make no row, such as a conversation with a
            tool; else the first one is an error.

    Raises:
        ConfigError: Names the file, and row and key where there are any. Reading the rows raises
            it, too.
    """
    records = read_file(path)
    # The first record tells the format; it is put back in front of the others below.
    first = next(records, None)
    if first is None:
        raise ConfigError(str(path), "holds no rows")
    source_format = read_as or detect(first)
    notes: Notes = Counter()
    rows = _rows(itertools.chain([first], records), source_format.read(), notes)
    if skip_unusable:
        rows = _usable(itertools.chain([first], records), source_format.read(), notes, path)
    return Source(path, source_format, _identified(rows), notes)


def _rows(
    records: Iterable[Record], read_one: ReadOne, notes: Notes
) -> Iterator[tuple[str, RowDict]]:
    return ((record.place, read_one(record, notes)) for record in records)


def _usable(
    records: Iterable[Record], read_one: ReadOne, notes: Notes, path: Path
) -> Iterator[tuple[str, RowDict]]:
    """Yield the rows of the records that make one, and count the others."""
    count, note, first = 0, "", None
    for record in records:
        try:
            row = read_one(record, notes)
        except ConfigError as error:
            first = first or error
            note = note or f"rows cannot be used and were left out; the first: {error}"
            notes[note] += 1
            continue
        count += 1
        yield record.place, row
    if not count:
        raise ConfigError(str(path), f"holds no row that can be used; the first: {first}")


def _identified(rows: Iterable[tuple[str, RowDict]]) -> Iterator[RowDict]:
    """Number the rows without an id, and refuse an id that occurs twice."""
    places: dict[str, str] = {}
    for number, (place, row) in enumerate(rows, start=1):
        identity = row["id"] or f"row-{number:06d}"
        if identity in places:
            raise ConfigError(place, f"id {identity!r} is taken by {places[identity]}")
        places[identity] = place
        yield {**row, "id": identity, "seed_id": row["seed_id"] or identity}
