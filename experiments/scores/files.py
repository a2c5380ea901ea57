"""Rows and benchmark texts from files, and the rows' figures back into `evolved.jsonl`."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.data.formats.rows import read_row, row_from
from autoevol.experiments.files.atomic import whole_file
from autoevol.experiments.files.data_sets import Location, read_records
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.reading import read_file
from autoevol.experiments.files.records import Record
from autoevol.experiments.scores.results import ScoreResults, by_round
from autoevol.experiments.scores.stored import ScoreSettings, stored_rows, write_score_files
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

_TEXT_KEYS = ("instruction", "question", "prompt", "problem", "text")
_UNNAMEABLE = re.compile(r"[^\w.-]+")
"""Characters that MLflow allows in no name; a benchmark's name becomes part of a metric's."""


def rounds_of(seeds: Sequence[Row], folder: Path) -> dict[int, list[Row]]:
    """Return a run's seeds and evolved rows by round."""
    rows = evolved_rows(folder)
    return by_round([*seeds_beside(seeds, rows), *rows])


def seeds_beside(seeds: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Return the seeds that are not rows of the set themselves (as answered seeds are)."""
    ids = {row.id for row in rows}
    return [seed for seed in seeds if seed.id not in ids]


def evolved_rows(folder: Path) -> list[Row]:
    """Return the rows that a run kept."""
    return [row_from(read_row(record, Counter())) for record in read_file(folder / EVOLVED)]


def write_scores(folder: Path, results: ScoreResults, settings: ScoreSettings) -> list[Path]:
    """Write a run's scores, and each row's figures into its `scores` in `evolved.jsonl`.

    Figures that earlier scores wrote there are replaced or removed. Each file is written whole or
    not at all.

    Returns:
        The paths of the two files of scores.
    """
    # Read before it is replaced: only this file says which figures in a row came from a score.
    before = stored_rows(folder)
    files = write_score_files(folder, results, settings)
    _write_figures(folder, before, stored_rows(folder))
    return files


def renew_figures(folder: Path) -> None:
    """Write the figures of the stored scores into rows that were made again without them."""
    stored = stored_rows(folder)
    if stored:
        _write_figures(folder, {}, stored)


def _write_figures(
    folder: Path, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> None:
    """Replace the figures of scores in a run's rows.

    Args:
        folder: The run's.
        before: Lines of `scores.jsonl` by row id, whose figures the rows may have.
        after: The lines whose figures they get.
    """
    with whole_file(folder / EVOLVED) as file:
        for record in read_file(folder / EVOLVED):
            row = record.value
            # `scores` also holds figures of the run itself, such as `added_words`: only what a
            # score wrote may go.
            old, new = (_row_figures(lines.get(row["id"], {})) for lines in (before, after))
            others = {name: value for name, value in row["scores"].items() if name not in old}
            file.write(as_json({**row, "scores": {**others, **new}}) + "\n")


def read_benchmarks(files: Sequence[str], where: str) -> dict[str, list[str]]:
    """Return the texts of each benchmark file, or of the hub's test split, by name.

    Args:
        files: Paths, or names of data sets of the hub.
        where: The config's file and key, for messages.

    Raises:
        ConfigError: A file is missing, two have the same name, or a record has none of the keys of
            an instruction.
    """
    texts: dict[str, list[str]] = {}
    for file in files:
        name = _UNNAMEABLE.sub("-", Path(file).stem)
        if name in texts:
            raise ConfigError(where, f"two benchmarks are called {name!r}; rename one of the files")
        records = read_records(Location(file, where, split="test"))
        texts[name] = [_benchmark_text(record) for record in records]
    return texts


def _benchmark_text(record: Record) -> str:
    key = next((key for key in _TEXT_KEYS if key in record.value), None)
    if key is None:
        keys = ", ".join(map(str, record.value))
        raise ConfigError(
            record.place, f"must have one of the keys {', '.join(_TEXT_KEYS)}; it has {keys}"
        )
    return record.text(key)


def _row_figures(line: Mapping[str, Any]) -> dict[str, float]:
    """Return all figures of a line of `scores.jsonl`; tags are no figures."""
    return {
        name: value
        for values in line.get("values", {}).values()
        for name, value in values.items()
        if isinstance(value, float)
    }
