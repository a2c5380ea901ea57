"""Compares searches in the simulated world: `python -m benchmarks.search [--runs N]`."""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.table import Table

from autoevol.metrics import mean_interval
from autoevol.metrics.stats.intervals import wilson
from benchmarks.search.contest import SEARCHES, Result, contest
from benchmarks.search.world import STRENGTHS, Variant


def main() -> None:
    """Print a table for each variant of the world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="seeded runs of each search")
    parser.add_argument(
        "--only", nargs="*", default=list(SEARCHES), help="searches by name, variations too"
    )
    parser.add_argument("--variants", nargs="*", default=list(STRENGTHS))
    parser.add_argument("--first-seed", type=int, default=0, help="those below 1,000 are reported")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.runs)
    with ProcessPoolExecutor(options.processes) as pool:
        for variant in options.variants:
            jobs = [(name, variant, seed) for name in options.only for seed in seeds]
            results = list(pool.map(contest, *zip(*jobs, strict=True), chunksize=4))
            _print(variant, options.only, results)


def _print(variant: Variant, names: Sequence[str], results: Sequence[Result]) -> None:
    title = f"safeguards: {variant}; mean and 95 % interval"
    table = Table("search", "true rate", "less than e0", "calls", "worse than e0", title=title)
    for name in names:
        mine = [result for result in results if result.search == name]
        worse = sum(result.is_worse for result in mine)
        low, high = wilson(worse, len(mine))
        table.add_row(
            name,
            _mean([result.true_rate for result in mine]),
            _mean([result.initial_rate - result.true_rate for result in mine]),
            f"{sum(result.calls for result in mine) / len(mine):.0f}",
            f"{worse / len(mine):.1%} ({low:.1%}–{high:.1%})",
        )
    Console(width=110).print(table)


def _mean(values: Sequence[float]) -> str:
    mean, low, high = mean_interval(values)
    return f"{mean:.3f} ({low:.3f}–{high:.3f})"


if __name__ == "__main__":
    main()
