"""The true failure rate against steps, and against candidates.

Run it as `python -m benchmarks.search.curves`. Two axes are easily confused: the method is replaced
at most *steps* (t) times, and a step compares *candidates* (m) proposals. One is varied at a time;
the other keeps the paper's value (10 steps, 5 candidates). Safeguards help in this world.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.console import Console
from rich.table import Table

from autoevol.metrics import mean_interval
from autoevol.program.search.settings import PAPER
from benchmarks.search.contest import Result, contest_with

STEPS = (1, 2, 3, 5, 8, 10, 15)
CANDIDATES = (1, 3, 5, 7, 9)
SEARCHES: dict[str, dict[str, Any]] = {"auto_evol": {}, "paper": PAPER}


def main() -> None:
    """Print a table for each axis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="seeded runs of each point")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        for axis, values in (("steps", STEPS), ("candidates", CANDIDATES)):
            table = Table(axis, *SEARCHES, title=f"true failure rate (calls) against {axis}")
            for value in values:
                cells = []
                for settings in SEARCHES.values():
                    changed = {**settings, "patience": 99, axis: value}
                    jobs = [(changed, seed) for seed in range(options.runs)]
                    cells.append(_cell(list(pool.map(_point, jobs, chunksize=4))))
                table.add_row(str(value), *cells)
            Console(width=110).print(table)


def _point(job: tuple[dict[str, Any], int]) -> Result:
    settings, seed = job
    return contest_with(settings, "help", seed)


def _cell(results: list[Result]) -> str:
    mean, low, high = mean_interval([result.true_rate for result in results])
    calls = sum(result.calls for result in results) / len(results)
    return f"{mean:.3f} ({low:.3f}–{high:.3f}), {calls:.0f} calls"


if __name__ == "__main__":
    main()
