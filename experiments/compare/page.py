"""`compare.html` and `comparison.json`: several runs side by side, and a judge's verdicts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.compare.figures import draw_comparison, draw_outcomes
from autoevol.experiments.compare.judged import Comparison, comparison_table
from autoevol.experiments.compare.runs import ComparedRun, config_differences, runs_of
from autoevol.experiments.compare.shared_rows import rows_side_by_side
from autoevol.experiments.compare.sides import Side
from autoevol.experiments.compare.tables import tables
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.report.html import embedded, page
from autoevol.experiments.report.word_diff import changed_lines
from autoevol.program.scoring.comparison import Compared
from autoevol.signatures import Method

PAGE, DATA = "compare.html", "comparison.json"
_EXAMPLES = 3
_TITLES = {
    "seeds": "The runs have different seeds",
    "run": "Side by side",
    "rule": "What each rule stopped",
    "score": "Scores of the rows that all runs have",
}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as texts."""

    title: str
    head: Sequence[str]
    lines: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class MethodDifference:
    """A run's best method beside the first run's.

    Attributes:
        first: The first run's name.
        other: The other run's name.
        lines: A diff of the instructions; empty: they are the same.
    """

    first: str
    other: str
    before: Method
    after: Method
    lines: Sequence[str]


def write_comparison(folder: Path, sides: Sequence[Side], comparison: Comparison | None) -> Path:
    """Write the page and the data of a comparison; return the page's path.

    Args:
        folder: Takes both.
        sides: Runs and files; a file has no figures but the judge's verdicts.
        comparison: The judge's verdicts; None: no judge was asked.

    Raises:
        ConfigError: A run's folder is damaged; nothing is written.
    """
    # All is computed before anything is written, so a damaged run leaves no half of a result.
    runs = runs_of(sides)
    grids = [_grid(table) for table in tables(sides)]
    pictures = draw_comparison(runs)
    if comparison:
        pictures["outcomes"] = draw_outcomes(comparison.figures())
    text = page(
        "compare.html.j2",
        names=[side.name for side in sides],
        runs=runs,
        seeds=rows_side_by_side(sides),
        grids=grids,
        pictures=embedded(pictures),
        differences=config_differences(runs),
        methods=_method_changes(runs),
        judged=_judged(comparison) if comparison else None,
    )
    data = {"runs": [_plain(side, runs) for side in sides], "tables": [*map(asdict, grids)]}
    tree = {**(comparison.as_data() if comparison else {}), **data}
    with alone_in(folder):
        write_whole(folder / DATA, json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
        return write_whole(folder / PAGE, text)


def _grid(table: Table) -> Grid:
    head = [str(column.header) for column in table.columns]
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return Grid(_TITLES.get(head[0], head[0]), head, [*zip(*columns, strict=True)])


def _method_changes(runs: Sequence[ComparedRun]) -> list[MethodDifference]:
    """Return the best methods of the other runs beside the first run's."""
    methods = [(run.name, run.best) for run in runs if run.best]
    if not methods:
        return []
    (first, before), *others = methods
    return [
        MethodDifference(
            first, name, before, method, changed_lines(before.instructions, method.instructions)
        )
        for name, method in others
    ]


def _plain(side: Side, runs: Sequence[ComparedRun]) -> dict[str, Any]:
    """Return a side as data; a file has a name, a path and its rows."""
    plain: dict[str, Any] = {"name": side.name, "path": str(side.path), "rows": len(side.rows)}
    run = next((run for run in runs if run.path == side.path), None)
    if run is None:
        return plain
    rounds = [
        {"round": number, **figures} for number, figures in sorted(run.stored.figures.items())
    ]
    best = {"name": run.best.name, "id": run.best.id} if run.best else None
    return {**plain, "best": best, "summary": run.summary, "scores": rounds, "judges": side.judges}


def _judged(comparison: Comparison) -> dict[str, Any]:
    return {
        "request": comparison.request,
        "grid": _grid(comparison_table(comparison)),
        "examples": _examples(comparison.verdicts),
    }


def _examples(verdicts: Sequence[Compared]) -> Mapping[str, Sequence[Compared]]:
    """Return a few pairs of each kind that occurs: won, lost, in conflict."""
    kinds = {
        "Won": [verdict for verdict in verdicts if verdict.outcome == "win"],
        "Lost": [verdict for verdict in verdicts if verdict.outcome == "lose"],
        "In conflict: the verdict turned with the order": [*filter(_is_conflict, verdicts)],
    }
    return {name: pairs[:_EXAMPLES] for name, pairs in kinds.items() if pairs}


def _is_conflict(verdict: Compared) -> bool:
    """Tell whether the judge preferred the same position in both orders."""
    is_same = verdict.ours_first == verdict.ours_second
    return is_same and verdict.ours_first in ("first", "second")
