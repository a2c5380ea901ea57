"""The published systems on a real model: `python -m benchmarks.recipes [--only NAME …]`.

Each is its shipped config with a few rows; a run that was interrupted goes on, a finished one is
only read. The table shows where the rows went.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.cli import app
from metrics.intervals import wilson

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
        "config", "rounds", "rewrites", "kept", "lost at evolve", "lost at respond", "calls"
    )
    for name in given.only:
        folder = given.folder / f"{name}-{given.limit}"
        arguments = ["run", str(CONFIGS / f"{name}.yaml"), "--out", str(folder), "--yes"]
        app([*arguments, "--limit", str(given.limit)], standalone_mode=False)
        table.add_row(name, *_cells(folder))
    Console(width=120).print(table)


def _cells(folder: Path) -> list[str]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    failed = [json.loads(line) for line in (folder / "failures.jsonl").open(encoding="utf-8")]
    entered = sum(count["entered"] for count in summary["rounds"])
    lost = sum(row["failed_at"] == "evolve" for row in failed)
    unanswered = len(failed) - lost
    return [
        str(len(summary["rounds"])),
        str(entered),
        str(summary["rows_out"]),
        _share(lost, entered),
        _share(unanswered, entered - lost),
        str(summary["calls"]),
    ]


def _share(part: int, whole: int) -> str:
    if not whole:
        return "–"
    low, high = wilson(part, whole)
    return f"{part} of {whole} ({low:.0%}–{high:.0%})"


if __name__ == "__main__":
    main()
