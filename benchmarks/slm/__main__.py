"""The figures of finished evolvers side by side: `python -m benchmarks.slm [FOLDER]`.

FOLDER is that of `autoevol run benchmarks/slm/slm.yaml`. A line for each figure, a column for each
evolver and round; differences with intervals: `autoevol compare` on the cells.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from autoevol.experiments.compare.figures import draw_comparison
from autoevol.experiments.compare.runs import runs_of
from autoevol.experiments.compare.sides import read_side
from autoevol.experiments.files.trees import flat_numbers
from autoevol.experiments.report.plots import write_pictures
from autoevol.metrics.stats.intervals import wilson
from benchmarks.flagged import flagged

FLAGGED = "flagged by strict"
SHOWN = (
    *("length.words", "growth.mean", "growth.within_budget", "lexical.distinct_2"),
    *("lexical.compression", "neighbours.mnd", "overlap.copies", "difficulty.mean", "chain.mean"),
    *("tags.complexity", "tags.diversity", "ifd.ifd.mean", "ifd.ic_ifd.mean", "quality.rate"),
)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/slm"))
    parser.add_argument("--pictures", type=Path, help="folder of the pictures")
    given = parser.parse_args()
    cells = sorted(file.parent for file in given.folder.glob("*/scores.json"))
    if given.pictures:
        drawn = draw_comparison(runs_of([read_side(cell) for cell in cells]))
        write_pictures({name: drawn[name] for name in ("means", "levels")}, given.pictures)
    columns = [column for cell in cells for column in _columns(cell).items()]
    lines = [["figure", *(name for name, _ in columns)], ["---"] * (len(columns) + 1)]
    for name in (FLAGGED, *SHOWN):
        lines.append([f"`{name}`", *(_told(figures, name) for _, figures in columns)])
    for line in lines:
        typer.echo(f"| {' | '.join(line)} |")


def _columns(cell: Path) -> dict[str, Mapping[str, Any]]:
    """Return what a cell's rounds have, by the column's name."""
    kept = [json.loads(line) for line in (cell / "evolved.jsonl").read_text("utf-8").splitlines()]
    found = flagged(cell, kept)
    columns: dict[str, Mapping[str, Any]] = {}
    for figures in json.loads((cell / "scores.json").read_text("utf-8"))["rounds"]:
        number = figures["round"]
        rows = [row for row in kept if row["round"] == number]
        parts = [sum(row["round"] == number for row in found), len(rows)]
        columns[f"{cell.name}, round {number}"] = {**figures, FLAGGED: parts}
    return columns


def _told(figures: Mapping[str, Any], name: str) -> str:
    if name == FLAGGED:
        part, whole = figures[FLAGGED]
        low, high = wilson(part, whole)
        return f"{part} of {whole} ({low:.0%}–{high:.0%})" if whole else "–"
    value = flat_numbers(figures).get(name)
    group = figures
    for key in name.split(".")[:-1]:
        group = group.get(key, {})
    interval = group.get("interval") if name.endswith(".mean") else None
    spread = f" ({interval[0]:.3g}–{interval[1]:.3g})" if interval else ""
    return "–" if value is None else f"{value:.3g}{spread}"


if __name__ == "__main__":
    main()
