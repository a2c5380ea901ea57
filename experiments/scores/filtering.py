"""Filters of a finished set: they mark rows in `evolved.jsonl` and write the reasons beside it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.config.scoring.filters import (
    Band,
    Decontaminate,
    Dedup,
    DiverseSubset,
    FilterConfig,
    Top,
)
from autoevol.experiments.files.atomic import whole_file
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.reading import read_file
from autoevol.experiments.scores.embedding import Embed, embedder
from autoevol.experiments.scores.files import read_benchmarks, seeds_beside
from autoevol.metrics.selection.bands import (
    Dropped,
    Selection,
    band,
    top,
    without,
    without_contaminated,
)
from autoevol.metrics.selection.contamination import Benchmark
from autoevol.metrics.selection.diverse import apart, best_apart
from autoevol.metrics.selection.duplicates import near_copies
from autoevol.program.records import Row

FILTERED = "filtered.jsonl"


@dataclass(frozen=True, slots=True)
class Mark:
    """A row that a filter took out; a line of `filtered.jsonl`.

    Attributes:
        filter: Its name.
        near: Id of the row that it repeats or is too near to; None for other causes.
    """

    id: str
    filter: str
    cause: str
    near: str | None
    value: float | None
    evidence: str


Filter = Callable[[Sequence[Row], Sequence[Row]], tuple[Selection, Sequence[Row]]]
"""Takes rows and seeds; returns its selection, and the rows that the selection's numbers mean."""


def open_filters(filters: Sequence[FilterConfig], where: str) -> list[tuple[str, Filter]]:
    """Return the filters by name, with the files and models that they need.

    Raises:
        ConfigError: A benchmark file or an embedding model cannot be loaded.
    """
    keys = (f"{where}: filters.{number}" for number in range(len(filters)))
    return [(config.name, _opened(config, key)) for config, key in zip(filters, keys, strict=True)]


def filtered(
    rows: Sequence[Row], seeds: Sequence[Row], filters: Sequence[tuple[str, Filter]]
) -> list[Mark]:
    """Return the rows that are taken out; each filter sees the rows that the earlier ones left.

    Answered seeds that are rows of the set themselves do not count as seeds.
    """
    remaining, marks = list(rows), list[Mark]()
    beside = seeds_beside(seeds, rows)
    for name, apply in filters:
        selection, numbered = apply(remaining, beside)
        marks += [_mark(drop, numbered, name) for drop in selection.dropped]
        ids = {mark.id for mark in marks}
        remaining = [row for row in remaining if row.id not in ids]
    return marks


def write_marks(folder: Path, marks: Sequence[Mark]) -> None:
    """Write each row's filter, or null, into `evolved.jsonl`, and the marks into a file beside."""
    names = {mark.id: mark.filter for mark in marks}
    with whole_file(folder / EVOLVED) as file:
        for record in read_file(folder / EVOLVED):
            row = {**record.value, "filtered_by": names.get(record.value["id"])}
            file.write(as_json(row) + "\n")
    with whole_file(folder / FILTERED) as file:
        for mark in marks:
            file.write(as_json(_plain(mark)) + "\n")


def keep_marks(folder: Path) -> None:
    """Leave the marks of rows that are still in `evolved.jsonl`."""
    if not (folder / FILTERED).is_file():
        return
    ids = {record.value["id"] for record in read_file(folder / EVOLVED)}
    marks = [record.value for record in read_file(folder / FILTERED)]
    with whole_file(folder / FILTERED) as file:
        file.writelines(as_json(mark) + "\n" for mark in marks if mark["id"] in ids)


def counts(marks: Sequence[Mark], filters: Sequence[tuple[str, Filter]]) -> Mapping[str, int]:
    """Return how many rows each filter took out, in the filters' order."""
    by_filter = Counter(mark.filter for mark in marks)
    return {name: by_filter[name] for name, _ in filters}


def _opened(config: FilterConfig, where: str) -> Filter:
    if isinstance(config, Dedup):
        return partial(_without_copies, config)
    if isinstance(config, Decontaminate):
        benchmarks = read_benchmarks(config.benchmarks, f"{where}.benchmarks")
        texts = [text for members in benchmarks.values() for text in members]
        return partial(_without_leaks, Benchmark(texts, size=config.runs))
    if isinstance(config, DiverseSubset):
        return partial(_diverse, config, embedder(config.embedding, f"{where}.embedding"))
    return partial(_by_figure, config)


def _without_copies(
    config: Dedup, rows: Sequence[Row], seeds: Sequence[Row]
) -> tuple[Selection, Sequence[Row]]:
    """Take out copies of earlier rows and of seeds; seeds that repeat each other stay."""
    # Seeds come first: of two copies the earlier one stays, and seeds are not in the file.
    numbered = [*seeds, *rows]
    copies = near_copies([row.question for row in numbered], threshold=config.alike)
    dropped = (
        Dropped(copy.row, "copy", copy.of, copy.similarity)
        for copy in copies
        if copy.row >= len(seeds)
    )
    return without(len(numbered), dropped), numbered


def _without_leaks(
    benchmark: Benchmark, rows: Sequence[Row], _: Sequence[Row]
) -> tuple[Selection, Sequence[Row]]:
    hits = benchmark.contamination([row.question for row in rows]).hits
    return without_contaminated(len(rows), hits), rows


def _diverse(
    config: DiverseSubset, embed: Embed, rows: Sequence[Row], _: Sequence[Row]
) -> tuple[Selection, Sequence[Row]]:
    vectors = embed([row.question for row in rows])
    if config.score is None:
        return apart(vectors, least=config.least), rows
    scores = _figures(rows, config.score)
    return best_apart(scores, vectors, tau=config.tau, most=config.most), rows


def _by_figure(
    config: Band | Top, rows: Sequence[Row], _: Sequence[Row]
) -> tuple[Selection, Sequence[Row]]:
    scores = _figures(rows, config.score)
    if isinstance(config, Band):
        return band(scores, low=config.low, high=config.high), rows
    return top(scores, part=config.part), rows


def _figures(rows: Sequence[Row], name: str) -> list[float | None]:
    return [row.scores.get(name) for row in rows]


def _mark(drop: Dropped, numbered: Sequence[Row], name: str) -> Mark:
    near = None if drop.near is None else numbered[drop.near].id
    value = drop.value if drop.value == drop.value else None  # nan is no JSON
    return Mark(numbered[drop.row].id, name, drop.cause, near, value, drop.evidence)


def _plain(mark: Mark) -> dict[str, Any]:
    return {name: getattr(mark, name) for name in Mark.__slots__}
