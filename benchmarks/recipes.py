"""The published systems on a real model: `python -m benchmarks.recipes [--only NAME …]`.

Each is its shipped config with a few rows; an interrupted run resumes, a finished one is
only read. The table shows where the rows went, and how many of the kept rewrites our `strict` rules
find fault with: a system's own rules may keep what no one would train on.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from autoevol.experiments.cli.app import app
from autoevol.metrics.stats.intervals import wilson
from benchmarks.flagged import flagged

CONFIGS = Path(__file__).resolve().parents[1] / "experiments" / "configs"
SYSTEMS = (
    *("auto-evol", "auto-evol-ko", "koevol", "wizardlm", "wizardcoder", "wizardmath"),
    *("slm-evol", "slm-auto-evol", "h2o"),
)


def main() -> None:
    """Run the configs and print what became of their rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=6, help="seeds of each run")
    parser.add_argument("--only", nargs="*", default=list(SYSTEMS))
    parser.add_argument("--folder", type=Path, default=Path("runs/recipes"))
    given = parser.parse_args()
    table = Table(
        *("config", "rounds", "rewrites", "kept", "lost at evolve", "lost at respond"),
        *("kept, flagged by strict", "calls", "minutes"),
    )
    for name in given.only:
        folder = given.folder / f"{name}-{given.limit}"
        arguments = ["run", str(CONFIGS / f"{name}.yaml"), "--out", str(folder), "--yes"]
        app([*arguments, "--limit", str(given.limit)], standalone_mode=False)
        table.add_row(name, *_cells(folder))
    Console(width=120).print(table)


def _cells(folder: Path) -> list[str]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    kept, failed = _rows(folder / "evolved.jsonl"), _rows(folder / "failures.jsonl")
    entered = sum(count["entered"] for count in summary["rounds"])
    lost = sum(row["failed_at"] == "evolve" for row in failed)
    unanswered = len(failed) - lost
    answered = sum(bool(row["response"]) for row in kept)
    return [
        str(len(summary["rounds"])),
        str(entered),
        str(summary["rows_out"]),
        _share(lost, entered),
        _share(unanswered, unanswered + answered),
        _share(len(flagged(folder, kept)), len(kept)),
        str(summary["calls"]),
        f"{summary['wall_s'] / 60:.0f}",
    ]


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _share(part: int, whole: int) -> str:
    if not whole:
        return "–"
    low, high = wilson(part, whole)
    return f"{part} of {whole} ({low:.0%}–{high:.0%})"


if __name__ == "__main__":
    main()
