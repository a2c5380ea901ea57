"""Filters of a finished set: what goes is marked in `evolved.jsonl`, with its reason beside."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autoevol.experiments.config.filters import (
    Band,
    Decontaminate,
    Dedup,
    DiverseSubset,
    FilterConfig,
    Top,
)
from autoevol.experiments.files.atomic import whole_file
from autoevol.experiments.files.records import read_file
from autoevol.experiments.scores.embedding import Embed, embedder
from autoevol.experiments.scores.files import EVOLVED, seeds_beside
from autoevol.experiments.scores.set_scores import read_benchmarks
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
class Marked:
    """A row that a filter took out.

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
"""Takes rows and seeds; returns what goes, and the rows that its numbers are of."""


def open_filters(filters: Sequence[FilterConfig], where: str) -> list[tuple[str, Filter]]:
    """Return the filters by name, with the files and models that they need.

    Raises:
        ConfigError: A benchmark file or an embedding model is not there.
    """
    keys = (f"{where}: filters.{number}" for number in range(len(filters)))
    return [(each.name, _opened(each, key)) for each, key in zip(filters, keys, strict=True)]


def filtered(
    rows: Sequence[Row], seeds: Sequence[Row], filters: Sequence[tuple[str, Filter]]
) -> list[Marked]:
    """Return the rows that go; each filter sees what the ones before it have left.

    A seed that stands among the rows, answered as it was, is no seed beside them.
    """
    standing, found = list(rows), list[Marked]()
    beside = seeds_beside(seeds, rows)
    for name, each in filters:
        selection, shown = each(standing, beside)
        found += [_marked(drop, shown, name) for drop in selection.dropped]
        gone = {mark.id for mark in found}
        standing = [row for row in standing if row.id not in gone]
    return found


def _opened(config: FilterConfig, where: str) -> Filter:
    if isinstance(config, Dedup):
        return partial(_without_copies, config)
    if isinstance(config, Decontaminate):
        beside = Path(where.split(":")[0]).parent
        told = read_benchmarks(config.benchmarks, f"{where}.benchmarks", beside=beside)
        texts = [text for each in told.values() for text in each]
        return partial(_without_leaks, Benchmark(texts, size=config.runs))
    if isinstance(config, DiverseSubset):
        return partial(_diverse, config, embedder(config.embedding, f"{where}.embedding"))
    return partial(_by_figure, config)


def _without_copies(
    config: Dedup, rows: Sequence[Row], seeds: Sequence[Row]
) -> tuple[Selection, Sequence[Row]]:
    """Hold rows against the seeds, too; seeds that repeat each other stay."""
    shown = [*seeds, *rows]
    copies = near_copies([row.question for row in shown], threshold=config.alike)
    dropped = (
        Dropped(copy.row, "copy", copy.of, copy.similarity)
        for copy in copies
        if copy.row >= len(seeds)
    )
    return without(len(shown), dropped), shown


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


def _marked(drop: Dropped, shown: Sequence[Row], name: str) -> Marked:
    near = None if drop.near is None else shown[drop.near].id
    value = drop.value if drop.value == drop.value else None  # nan is no JSON
    return Marked(shown[drop.row].id, name, drop.cause, near, value, drop.evidence)


def mark(folder: Path, marks: Sequence[Marked]) -> None:
    """Mark the rows in `evolved.jsonl`, all others as standing; the reasons go to a file beside."""
    by_id = {each.id: each.filter for each in marks}
    with whole_file(folder / EVOLVED) as file:
        for record in read_file(folder / EVOLVED):
            row = {**record.value, "filtered_by": by_id.get(record.value["id"])}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with whole_file(folder / FILTERED) as file:
        for each in marks:
            file.write(json.dumps(_plain(each), ensure_ascii=False) + "\n")


def _plain(each: Marked) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Marked.__slots__}


def counts(marks: Sequence[Marked], filters: Sequence[tuple[str, Filter]]) -> Mapping[str, int]:
    """Return how many rows each filter took out, in the filters' order."""
    found = Counter(each.filter for each in marks)
    return {name: found[name] for name, _ in filters}
