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
        rows: Each with an id of its own; read row by row.
        notes: What the reader has to say, filled while it reads.
    """

    path: Path
    format: Format
    rows: Iterator[RowDict]
    notes: Notes


def open_source(path: Path, known: Format | None = None) -> Source:
    """Open a file of rows.

    Args:
        path: JSON Lines, JSON, CSV or Parquet.
        known: Its format; None: the one that its first record fits.

    Raises:
        ConfigError: Names the file, and row and key where there are such; some while reading.
    """
    records = read_file(path)
    first = next(records, None)
    if first is None:
        raise ConfigError(str(path), "holds no rows")
    found = known or detect(first)
    notes: Notes = Counter()
    rows = found.read(itertools.chain([first], records), notes)
    return Source(path, found, _identified(rows), notes)


def _identified(rows: Iterable[tuple[str, RowDict]]) -> Iterator[RowDict]:
    """Give rows without an id one by their number, and refuse an id that stands twice."""
    places: dict[str, str] = {}
    for number, (place, row) in enumerate(rows, start=1):
        identity = row["id"] or f"row-{number:06d}"
        if identity in places:
            raise ConfigError(place, f"id {identity!r} stands at {places[identity]} already")
        places[identity] = place
        yield {**row, "id": identity, "seed_id": row["seed_id"] or identity}
