"""Searches for better programs on a local model: `python -m benchmarks.programs --task tickets`.

Finished searches are kept in `results.jsonl`, finished calls in the ledger: the same command
resumes. `--table` prints what is there and calls no model.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings
from autoevol.metrics import mean_interval
from autoevol.metrics.stats.intervals import wilson
from autoevol.program.search.teleprompters import quiet_thread
from benchmarks.programs.contest import SEARCHES, Models, Result, Sizes, contest
from benchmarks.programs.tasks import TASKS

_CONSOLE = Console(width=150)


def main() -> None:
    """Run the searches that are not there yet, then print a table for each task."""
    options = _options()
    logging.disable(logging.INFO)  # DSPy logs every evaluation
    options.folder.mkdir(parents=True, exist_ok=True)
    sizes = Sizes(**{field.name: getattr(options, field.name) for field in fields(Sizes)})
    for task in options.task:
        file = options.folder / f"{task}-{options.model.replace('/', '-')}.jsonl"
        missing = [
            (search, seed)
            for seed in options.seeds
            for search in options.search
            if (search, seed) not in {(r.search, r.seed) for r in _read(file)}
        ]
        if missing and not options.table:
            with _models(options) as models:
                for search, seed in missing:
                    _run((task, search), seed, sizes, models, file)
        _print(task, _read(file))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--search", nargs="*", default=list(SEARCHES), choices=list(SEARCHES))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--model", default="local/qwen2.5-coder-1.5b-instruct")
    parser.add_argument("--folder", type=Path, default=Path("runs/programs"))
    parser.add_argument("--table", action="store_true", help="print the finished searches alone")
    for field in fields(Sizes):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    return parser.parse_args()


@contextmanager
def _models(options: argparse.Namespace) -> Iterator[Models]:
    task = ModelSettings(options.model, role="evolver", temperature=0.0, max_tokens=300)
    optimizer = ModelSettings(
        options.model, role="optimizer", temperature=0.8, top_p=0.95, max_tokens=600
    )
    with open_models(
        {"evolver": task, "optimizer": optimizer},
        # At temperature 0 a prompt has one reply: equal prompts of two searches are paid once.
        ledger=LedgerSettings(options.folder / "ledger.sqlite", greedy_draws=False),
        budget=Budget(),
        on_part=lambda done, total: None,
        say=_CONSOLE.print,
    ) as models:
        yield Models(models.lms["evolver"], models.lms["optimizer"], task.in_flight)


def _run(names: tuple[str, str], seed: int, sizes: Sizes, models: Models, file: Path) -> None:
    with quiet_thread():
        result = contest(names, TASKS[names[0]], seed, sizes, models)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(result)) + "\n")


def _read(file: Path) -> list[Result]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [Result(**json.loads(line)) for line in lines]


def _print(task: str, results: Sequence[Result]) -> None:
    names = (
        "search",
        "runs",
        "held-out, initial",
        "held-out, final",
        "gain (95 %)",
        "won, lost",
        "worse than it began",
        "calls",
    )
    table = Table(*names, title=f"{task}: mean score of the held-out rows")
    for search in dict.fromkeys(result.search for result in results):
        table.add_row(*_cells(search, [r for r in results if r.search == search]))
    _CONSOLE.print(table)


def _cells(search: str, results: Sequence[Result]) -> list[str]:
    rows = len(results[0].final)
    # By row, over the runs: the rows are the same in all of them.
    initial = [_mean([r.initial[row] for r in results]) for row in range(rows)]
    final = [_mean([r.final[row] for r in results]) for row in range(rows)]
    gains = [after - before for before, after in zip(initial, final, strict=True)]
    # It fails more of the held-out rows than the program that it began with.
    worse = sum(r.lost > r.won for r in results)
    low, high = wilson(worse, len(results))
    return [
        search,
        str(len(results)),
        _interval(initial),
        _interval(final),
        _interval(gains, sign="+"),
        f"{sum(r.won for r in results)}, {sum(r.lost for r in results)}",
        f"{worse} of {len(results)} ({low:.0%}–{high:.0%})",
        f"{_mean([float(r.calls) for r in results]):.0f}",
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _interval(values: Sequence[float], sign: str = "") -> str:
    mean, low, high = mean_interval(values)
    return f"{mean:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


if __name__ == "__main__":
    main()
