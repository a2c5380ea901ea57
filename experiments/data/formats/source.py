"""A data file of any format, read as rows."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.data.formats.catalogue import Format, detect
from autoevol.experiments.data.formats.rows import Notes, RowDict
from autoevol.experiments.files.records import read_file
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


def open_source(path: Path, read_as: Format | None = None) -> Source:
    """Open a data file of any format.

    Args:
        path: JSON Lines, JSON, CSV or Parquet.
        read_as: Its format; None: the one of its first record.

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
    rows = source_format.read(itertools.chain([first], records), notes)
    return Source(path, source_format, _identified(rows), notes)


def _identified(rows: Iterable[tuple[str, RowDict]]) -> Iterator[RowDict]:
    """Number the rows without an id, and refuse an id that occurs twice."""
    places: dict[str, str] = {}
    for number, (place, row) in enumerate(rows, start=1):
        identity = row["id"] or f"row-{number:06d}"
        if identity in places:
            raise ConfigError(place, f"id {identity!r} is taken by {places[identity]}")
        places[identity] = place
        yield {**row, "id": identity, "seed_id": row["seed_id"] or identity}
