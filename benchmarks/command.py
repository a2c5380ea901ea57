"""The whole command with its default settings against a plain script: CPU a row, and a start.

`python -m benchmarks.command` runs `autoevol run` on an endpoint that answers after 200 ms, with
rules off, on 20 and on 5,000 rows: not tracked, tracked with the settings of the shipped
`mlflow.yaml`, and not tracked from a ledger that holds all calls. The plain script asks the same in
the same turn. CPU a row is the slope between the two sizes, of the whole process and its children.
A start is what is left of the small run.

Ratios of CPU time compare on any machine; wall time is shown and compares on a quiet one only.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import yaml
from mlflow import MlflowClient
from rich.console import Console
from rich.table import Table

from benchmarks.cases import LATENCY
from benchmarks.plain_script import MAX_TOKENS, METHOD, seed_text
from benchmarks.server_process import ROOT, ServerProcess, serving

FEW, MANY = 20, 5000
CONCURRENCY = 256
UNTRACKED = """
import sys
from autoevol.__main__ import main
from autoevol.experiments.run import command
from autoevol.experiments.tracking import config
# Without a file in its folder, a run in a checkout reads the project's own mlflow.yaml.
config.load_tracking = command.load_tracking = lambda: None
main()
"""
VARIANTS: Mapping[str, Sequence[str]] = {
    "plain script": ("-m", "benchmarks.plain_script"),
    "not tracked": ("-c", UNTRACKED),
    "tracked": ("-m", "autoevol"),
    "replay": ("-c", UNTRACKED),
}
AIMS = (
    "aims: tracked at most 3 times the plain script, 1.1 times not tracked; a start at most 4 s; "
    "a replay from the ledger at most half of the plain script"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took.

    Attributes:
        cpu_s: CPU seconds, those of its children included.
        wall_s: Seconds from its start to its end.
    """

    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a variant costs, from its medians of both sizes."""

    few: Usage
    many: Usage

    @property
    def row_ms(self) -> float:
        """CPU milliseconds of a further row."""
        return 1000 * (self.many.cpu_s - self.few.cpu_s) / (MANY - FEW)

    @property
    def start_s(self) -> float:
        """CPU seconds of a run without rows."""
        return self.few.cpu_s - FEW * self.row_ms / 1000


def main(
    repeats: Annotated[int, typer.Option(help="Turns; the medians count.")] = 3,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures there as well.")
    ] = None,
) -> None:
    """Measure all variants in turn and print a table."""
    usages: dict[tuple[str, int], list[Usage]] = {}
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder, serving(latency=LATENCY) as server:
        store = _new_store(Path(folder))
        for turn in range(repeats):
            for name in VARIANTS:
                for rows in (FEW, MANY):
                    place = Path(folder) / f"{name.replace(' ', '-')}-{rows}-{turn}"
                    with console.status(place.name):
                        usage = _measured(name, rows, server, place, store)
                    usages.setdefault((name, rows), []).append(usage)
    costs = {
        name: Cost(_median(usages[name, FEW]), _median(usages[name, MANY])) for name in VARIANTS
    }
    console.print(_table(costs))
    if json_file:
        tree = {
            name: {"row_ms": cost.row_ms, "start_s": cost.start_s} for name, cost in costs.items()
        }
        json_file.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")


def _new_store(folder: Path) -> str:
    """Create a store, as the first run in a clone does once; it is no cost of a command."""
    uri = f"sqlite:///{folder}/mlflow.db"
    MlflowClient(uri, uri).create_experiment("autoevol")
    return uri


def _measured(name: str, rows: int, server: ServerProcess, place: Path, store: str) -> Usage:
    """Run a variant in a process of its own."""
    server.reset()
    place.mkdir()
    if name == "plain script":
        arguments = [server.url, str(rows), str(CONCURRENCY)]
    else:
        arguments = ["run", str(_configured(place, rows, server.url, store))]
    command = [sys.executable, *VARIANTS[name], *arguments]
    if name == "replay":
        # A finished run without its summary is made again from its ledger, without a call.
        _usage(command, place)
        (place / "runs/command/summary.json").unlink()
    return _usage(command, place)


def _configured(place: Path, rows: int, url: str, store: str) -> Path:
    seeds = [{"instruction": seed_text(number)} for number in range(1, rows + 1)]
    (place / "seeds.jsonl").write_text("\n".join(map(json.dumps, seeds)))
    # The shipped settings, in a store of the benchmark's own.
    shipped = yaml.safe_load((ROOT / "mlflow.yaml").read_text())
    (place / "mlflow.yaml").write_text(yaml.safe_dump({**shipped, "tracking_uri": store}))
    model = {"model": "hosted_vllm/world", "api_base": url, "max_tokens": MAX_TOKENS}
    tree = {
        "name": "command",
        "models": {"evolver": {**model, "concurrency": CONCURRENCY}},
        "data": {"path": "seeds.jsonl"},
        "failure": {"rules": []},
        "optimizer": {"name": "none"},
        "evolve": {"methods": [METHOD], "respond": False},
    }
    file = place / "command.yaml"
    file.write_text(yaml.safe_dump(tree))
    return file


def _usage(command: Sequence[str], place: Path) -> Usage:
    """Run a command to its end.

    Raises:
        CalledProcessError: It failed; its own words are on stderr.
    """
    path = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=place, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    # `wait4` has taken the status, which Popen would wait for without end.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - began)


def _median(usages: Sequence[Usage]) -> Usage:
    return Usage(
        statistics.median(usage.cpu_s for usage in usages),
        statistics.median(usage.wall_s for usage in usages),
    )


def _table(costs: Mapping[str, Cost]) -> Table:
    table = Table("variant", caption=AIMS)
    for title in ("CPU ms/row", "to plain", "to not tracked", "start, CPU s"):
        table.add_column(title, justify="right")
    table.add_column(f"{MANY:,} rows, CPU s", justify="right")
    table.add_column("wall s", justify="right")
    plain, untracked = costs["plain script"].row_ms, costs["not tracked"].row_ms
    for name, cost in costs.items():
        table.add_row(
            name,
            f"{cost.row_ms:.2f}",
            f"{cost.row_ms / plain:.2f}",
            f"{cost.row_ms / untracked:.2f}",
            f"{cost.start_s:.2f}",
            f"{cost.many.cpu_s:.2f}",
            f"{cost.many.wall_s:.2f}",
        )
    return table


if __name__ == "__main__":
    typer.run(main)
