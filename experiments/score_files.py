"""Rows that are to be scored, from files, and back into them with their figures."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.formats.rows import LISTS, RowDict, read_row
from experiments.reading import read_file
from experiments.score_book import ScoreBook
from experiments.writing import whole_file
from program.records import Row

EVOLVED = "evolved.jsonl"


def rounds_of(seeds: Sequence[Row], folder: Path) -> dict[int, list[Row]]:
    """Return a run's seeds and evolved rows by round."""
    return by_round([*seeds, *evolved_rows(folder)])


def evolved_rows(folder: Path) -> list[Row]:
    """Return the rows that a run has kept."""
    return [row_from(read_row(record, Counter())) for record in read_file(folder / EVOLVED)]


def stamp(folder: Path, book: ScoreBook) -> None:
    """Write the figures of each row among its `scores`; the file is there whole or as it was."""
    with whole_file(folder / EVOLVED) as file:
        for record in read_file(folder / EVOLVED):
            row = record.value
            scores = {**row["scores"], **book.numbers(row["id"])}
            file.write(json.dumps({**row, "scores": scores}, ensure_ascii=False) + "\n")


def numbered(rows: Iterable[RowDict]) -> Iterable[RowDict]:
    """Yield rows with ids; one without gets its number."""
    for number, row in enumerate(rows, start=1):
        identity = row["id"] or f"row-{number:06d}"
        yield {**row, "id": identity, "seed_id": row["seed_id"] or identity}


def row_from(plain: Mapping[str, Any]) -> Row:
    """Return a row from its plain data; keys that are not a row's are left out."""
    known: dict[str, Any] = {name: plain[name] for name in Row.__slots__}
    return Row(**{**known, **{name: tuple(known[name]) for name in LISTS}})


def by_round(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Return rows by their round."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.round].append(row)
    return dict(sorted(found.items()))
