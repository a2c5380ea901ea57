"""Rows that are to be scored, from files, and back into them with their figures."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.data.formats.rows import LISTS, read_row
from autoevol.experiments.files.atomic import whole_file
from autoevol.experiments.files.records import read_file
from autoevol.experiments.scores.results import ScoreResults, known_values, numbers
from autoevol.program.records import Row

EVOLVED = "evolved.jsonl"


def rounds_of(seeds: Sequence[Row], folder: Path) -> dict[int, list[Row]]:
    """Return a run's seeds and evolved rows by round."""
    rows = evolved_rows(folder)
    return by_round([*seeds_beside(seeds, rows), *rows])


def seeds_beside(seeds: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Return the seeds that are not among the rows themselves, answered as they were."""
    known = {row.id for row in rows}
    return [seed for seed in seeds if seed.id not in known]


def evolved_rows(folder: Path) -> list[Row]:
    """Return the rows that a run has kept."""
    return [row_from(read_row(record, Counter())) for record in read_file(folder / EVOLVED)]


def write_scores(
    folder: Path, book: ScoreResults, settings: Mapping[str, Mapping[str, Any]]
) -> list[Path]:
    """Write a run's scores, and each row's figures among its `scores` in `evolved.jsonl`.

    Figures that the same scores left there earlier go. Every file is there whole or as it was.

    Returns:
        The paths of the two files of scores.
    """
    before = known_values(folder)
    files = book.write(folder, settings)
    after = known_values(folder)
    with whole_file(folder / EVOLVED) as file:
        for record in read_file(folder / EVOLVED):
            row = record.value
            old, new = (numbers(at.get(row["id"], {}).get("values", {})) for at in (before, after))
            others = {name: value for name, value in row["scores"].items() if name not in old}
            file.write(json.dumps({**row, "scores": {**others, **new}}, ensure_ascii=False) + "\n")
    return files


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
