"""What a run waits for its tracker: the tracker's methods, and the end, when MLflow catches up.

`python -m benchmarks.tracking` runs a search and a bulk phase against an endpoint that answers
after a second: without MLflow, with it, and with traces, each in a process of its own. The share is
the time inside the tracker's methods, which block the rest of the run, over wall time. MLflow
itself works on another thread; its CPU time is in the column of the process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from rich.console import Console
from rich.table import Table

from benchmarks.server_process import ROOT, serving
from benchmarks.stopwatch import Stopwatch

VARIANTS: Mapping[str, float | None] = {"no MLflow": None, "MLflow": 0.0, "traced": 0.05}
"""Values of `trace_sampling`; None: nothing is tracked."""

METHODS = ("on_step", "on_choice", "on_scores", "finish")


def main() -> None:
    """Measure all variants, or one in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds until a reply")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--one", metavar="CONFIG", help="run this config here and report it")
    options = parser.parse_args()
    if options.one:
        _measure(options.one)
        return
    console, table = (
        Console(width=120),
        Table("variant", "calls", "time, s", "CPU time, s", *_PARTS),
    )
    for name, sampling in VARIANTS.items():
        with serving(latency=options.latency) as server, tempfile.TemporaryDirectory() as folder:
            _lay_out(Path(folder), server.url, sampling, options)
            table.add_row(name, *_cells(_run(Path(folder)), server.stats()))
    console.print(table)


def _lay_out(folder: Path, url: str, sampling: float | None, options: argparse.Namespace) -> None:
    lines = [{"instruction": f"List the {n} largest rivers of Asia."} for n in range(options.rows)]
    (folder / "seeds.jsonl").write_text("\n".join(map(json.dumps, lines)))
    model = {"model": "hosted_vllm/world", "api_base": url, "concurrency": options.concurrency}
    tree = {
        "name": "tracking",
        "models": {"evolver": model},
        "data": {"path": "seeds.jsonl", "train_size": 40, "dev_size": 50, "heldout_size": 50},
        "optimizer": {"steps": 3, "candidates": 4},
        "evolve": {"methods": ["weak"]},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(tree))
    uri = f"sqlite:///{folder}/mlflow.db"
    if sampling is not None:
        (folder / "mlflow.yaml").write_text(
            yaml.safe_dump({"tracking_uri": uri, "trace_sampling": sampling})
        )
        MlflowClient(uri).search_experiments()  # creates the store, outside the measured time


def _run(folder: Path) -> dict[str, Any]:
    """Run the config in a process of its own and return its report."""
    command = [sys.executable, "-m", "benchmarks.tracking", "--one", "run.yaml"]
    path = {**os.environ, "PYTHONPATH": str(ROOT), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run(command, cwd=folder, env=path, check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


_PARTS = ("opening s", "steps s", "end s", "closing s", "share", "share after opening")


def _cells(report: Mapping[str, Any], stats: Mapping[str, Any]) -> list[str]:
    spent, wall = report["spent"], report["seconds"]
    end = sum(spent.get(name, 0.0) for name in ("on_scores", "finish"))
    steps = spent.get("on_step", 0.0) + spent.get("on_choice", 0.0)
    parts = (spent.get("opening", 0.0), steps, end, spent.get("closing", 0.0))
    times = [f"{seconds:.2f}" for seconds in (wall, report["cpu_seconds"], *parts)]
    shares = [f"{sum(parts) / wall:.1%}", f"{sum(parts[1:]) / wall:.1%}"]
    return [str(stats["requests"]), *times, *shares]


def _measure(config: str) -> None:
    """Run a config with clocks around all calls of MLflow, and report the times."""
    from autoevol.experiments.cli import run as cli
    from autoevol.experiments.run import command, runner
    from autoevol.experiments.run.request import RunRequest
    from autoevol.experiments.tracking import config as tracking_config
    from autoevol.experiments.tracking import run as tracking

    spent: dict[str, float] = {}
    for name in METHODS:
        setattr(tracking.Tracker, name, _timed(getattr(tracking.Tracker, name), name, spent))
    setattr(runner, "tracked", _timed_context(tracking.tracked, spent))  # noqa: B010
    if not Path(tracking_config.SETTINGS_FILE).is_file():
        # Without a file in this folder, the run would read the project's own mlflow.yaml.
        setattr(command, "load_tracking", lambda: None)  # noqa: B010
    clock = Stopwatch()
    cli.run_config(RunRequest("all", Path(config), fresh=False, yes=True))
    clock.stop()
    clock.report(spent=spent)


def _timed(method: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*arguments, **named)
        finally:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - began

    return timed


def _timed_context(opened: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    @contextmanager
    def timed(*arguments: Any) -> Iterator[Any]:
        context = opened(*arguments)
        began = time.perf_counter()
        tracker = context.__enter__()
        spent["opening"] = time.perf_counter() - began
        yield tracker
        began = time.perf_counter()
        context.__exit__(None, None, None)
        spent["closing"] = time.perf_counter() - began

    return timed


if __name__ == "__main__":
    main()
