"""The bulk phase against a plain script on the same endpoint, case by case.

Each case gets a server of its own, and each measurement a process of its own. The plain script runs
right before and right after, and its better time counts.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.cases import Case, cases
from benchmarks.server_process import ROOT, ServerProcess, serving

LONGEST_S = 3 * 3600.0
NARROWEST = 120
"""Columns that the table needs, for output that is no terminal."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out of a case.

    Attributes:
        kept: Rows that passed F.
        failed: Rows whose text F failed; the scripted world fails seven in ten under this method.
        lost: Rows that got no sound reply.
        plain_seconds: The better of the plain script's times; None where it did not run.
        plain_all: Those times, before and after.
        ratio: `seconds` by `plain_seconds`.
        requests: That the server saw of our run.
        in_flight_share: Mean calls in flight by the concurrency, from first to last arrival.
        server: The server's stats of our run.
    """

    case: str
    rows: int
    kept: int
    failed: int
    lost: int
    seconds: float
    plain_seconds: float | None
    plain_all: tuple[float, ...]
    ratio: float | None
    cpu_ms_per_row: float
    plain_cpu_ms_per_row: float | None
    peak_rss_mb: float
    requests: int
    rate_limited: int
    in_flight_share: float
    server: Mapping[str, Any]


def measured(case: Case) -> Figures:
    """Run a case.

    Raises:
        CalledProcessError: A process of it failed; its own words are on stderr.
    """
    with serving(**case.server) as server:
        plain = [_measurement("plain_script", case, server)] if case.has_limit else []
        ours = _measurement("generation", case, server)
        stats = server.stats()
        if case.has_limit:
            plain.append(_measurement("plain_script", case, server))
    return _figures(case, ours, plain, stats)


def main(
    only: Annotated[str, typer.Option(help="A case, or what the names of some begin with.")] = "",
    rows_large: Annotated[int, typer.Option(help="Rows of memory-large.")] = 100_000,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures there as well.")
    ] = None,
) -> None:
    """Measure the bulk phase and print a table."""
    found = list[Figures]()
    console = Console()
    console.width = max(console.width, NARROWEST)
    for case in _chosen(cases(rows_large), only):
        with console.status(case.name):
            found.append(measured(case))
        if json_file:
            content = [asdict(figures) for figures in found]
            json_file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    console.print(_table(found))


def _chosen(known: Sequence[Case], only: str) -> list[Case]:
    chosen = [case for case in known if case.name == only]
    chosen = chosen or [case for case in known if case.name.startswith(only)]
    if not chosen:
        names = ", ".join(case.name for case in known)
        raise typer.BadParameter(f"unknown case {only!r}; must be one of {names}")
    return chosen


def _measurement(module: str, case: Case, server: ServerProcess) -> dict[str, Any]:
    """Run one side of the case in a process of its own and return its figures."""
    server.reset()
    command = [sys.executable, "-m", f"benchmarks.{module}"]
    done = subprocess.run(
        [*command, server.url, str(case.rows), str(case.concurrency)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=LONGEST_S,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _figures(
    case: Case,
    ours: Mapping[str, Any],
    plain: Sequence[Mapping[str, Any]],
    stats: Mapping[str, Any],
) -> Figures:
    best = min(plain, key=lambda one: float(one["seconds"]), default=None)
    return Figures(
        case=case.name,
        rows=case.rows,
        kept=ours["kept"],
        failed=ours["failed"],
        lost=ours["lost"],
        seconds=ours["seconds"],
        plain_seconds=best["seconds"] if best else None,
        plain_all=tuple(one["seconds"] for one in plain),
        ratio=ours["seconds"] / best["seconds"] if best else None,
        cpu_ms_per_row=1000 * ours["cpu_seconds"] / case.rows,
        plain_cpu_ms_per_row=1000 * best["cpu_seconds"] / case.rows if best else None,
        peak_rss_mb=ours["peak_rss_mb"],
        requests=stats["requests"],
        rate_limited=stats["by_status"].get("429", 0),
        in_flight_share=stats["in_flight_mean"] / case.concurrency,
        server=stats,
    )


def _table(found: Sequence[Figures]) -> Table:
    table = Table("case")
    for title in ("kept/failed/lost", "s", "plain s", "ratio", "CPU ms/row", "RSS MB"):
        table.add_column(title, justify="right")
    for title in ("requests", "429s", "in flight"):
        table.add_column(title, justify="right")
    for one in found:
        table.add_row(
            one.case,
            f"{one.kept}/{one.failed}/{one.lost}",
            f"{one.seconds:.2f}",
            "–" if one.plain_seconds is None else f"{one.plain_seconds:.2f}",
            "–" if one.ratio is None else f"{one.ratio:.2f}",
            f"{one.cpu_ms_per_row:.2f}",
            f"{one.peak_rss_mb:.0f}",
            str(one.requests),
            str(one.rate_limited),
            f"{one.in_flight_share:.0%}",
        )
    return table


if __name__ == "__main__":
    typer.run(main)
