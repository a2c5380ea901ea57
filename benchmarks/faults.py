"""Runs that are killed with kill -9 at random moments of every phase, and started again.

`python -m benchmarks.faults --seeds 20` prints a table. It exits with 1 if a run that was started
again ends with other results than a run without a kill, or repeats a call that was not in flight at
the kill.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from mlflow import MlflowClient
from rich.console import Console
from rich.table import Table

from benchmarks.server_process import serving
from tests.support import kills

OWN = {"wall_s", "mlflow_run_id", "resumed", "calls_replayed", "method_tokens_cached"}
"""Figures of a summary that belong to the process or to the try, not to the run."""

_ROW = ("id", "instruction", "response", "reasons", "usage")


@dataclass(frozen=True, slots=True)
class Reference:
    """A run without a kill: when each of its phases can be hit, its results, its MLflow store."""

    spans: list[kills.Span]
    account: dict[str, Any]
    store: Path


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one kill; a hit is a kill that came before the phase was over."""

    phase: str
    seed: int
    is_hit: bool
    in_flight: int
    repeated: int
    violations: list[str]


def reference_in(folder: Path, workload: kills.Workload = kills.SEARCH) -> Reference:
    """Make the run that the others are compared with."""
    with serving(latency=kills.LATENCY_S) as server:
        place = kills.lay_out(folder, server, workload=workload)
        spans = kills.spans_of(place)
        return Reference(spans, account(place, server.stats()), folder / "mlflow.db")


def account(place: kills.Place, stats: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of a finished run that every run on these seeds must share."""
    summary = json.loads((place.run / "summary.json").read_text())
    return {
        "evolved.jsonl": _rows(place.run / "evolved.jsonl"),
        "failures.jsonl": _rows(place.run / "failures.jsonl"),
        "rows that are lost": _lost(summary),
        "summary": [json.dumps([k, v], sort_keys=True) for k, v in summary.items() if k not in OWN],
        "calls in the ledger": place.calls_kept(),
        "sound replies, each call once": stats["good"] - stats["repeated_good"],
        **_tracked(place),
    }


def violations(tried: kills.Tried, expected: Mapping[str, Any]) -> list[str]:
    """Return the differences between a run that was started again and the reference."""
    if tried.code != 0:
        return [f"exit code {tried.code}: {(tried.place.folder / 'err').read_text().strip()}"]
    actual = account(tried.place, tried.stats)
    wrong = [
        f"{name}: {_difference(actual.get(name), value)}"
        for name, value in expected.items()
        if actual.get(name) != value
    ]
    repeated, lost = tried.stats["repeated_good"], tried.in_flight
    if not repeated <= lost <= kills.CONCURRENCY:
        wrong.append(f"{repeated} sound calls repeated, {lost} in flight")
    return wrong


def _rows(file: Path) -> list[str]:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return sorted(json.dumps([row.get(key) for key in _ROW]) for row in rows)


def _lost(summary: Mapping[str, Any]) -> int:
    """Return the number of rows that no round counts, or that have no verdict."""
    per_round = [r["entered"] - r["kept"] - r["failed"] for r in summary["rounds"]]
    in_all = summary["rows_in"] - summary["rows_out"] - summary["rows_failed"]
    return max(abs(int(rows)) for rows in (*per_round, in_all, summary["rows_unscored"]))


def _tracked(place: kills.Place) -> dict[str, Any]:
    """Return what MLflow holds: one parent, its points and figures, and its children."""
    uri, name = f"sqlite:///{place.folder}/mlflow.db", place.folder.name
    client = MlflowClient(uri, uri)
    experiments = client.search_experiments(filter_string=f"name = '{name}'")
    key = json.loads((place.run / "run.json").read_text())["key"]
    runs = client.search_runs([experiment.experiment_id for experiment in experiments])
    parents = [run for run in runs if run.data.tags.get("run_key") == key]
    if not parents:
        return {"parent runs": []}
    parent = parents[0].info.run_id
    figures = parents[0].data.metrics.items()
    points = client.get_metric_history(parent, "failure_rate")
    return {
        "parent runs": [run.info.status for run in parents],
        "child runs": sorted(_child(client, parent, run) for run in runs if run not in parents),
        "points": sorted((point.step, point.value) for point in points),
        "figures": sorted((k, v) for k, v in figures if k != "usage/seconds"),
        "prompt": client.get_prompt_version_by_alias(f"autoevol-{name}", "best").version,
    }


def _child(client: MlflowClient, parent: str, run: Any) -> tuple[str, str, bool, int]:
    """Return a child run's candidate, status, whether it has the right parent, and its points."""
    tags, history = run.data.tags, client.get_metric_history(run.info.run_id, "failure_rate")
    is_ours = tags.get("mlflow.parentRunId") == parent
    return tags.get("candidate_id", "?"), run.info.status, is_ours, len(history)


def _difference(actual: Any, expected: Any) -> str:
    if not isinstance(actual, list):
        return f"{actual!r} instead of {expected!r}"
    extra, missing = Counter(actual) - Counter(expected), Counter(expected) - Counter(actual)
    return f"missing {list(missing)}, extra {list(extra)}"


def findings(folder: Path, seeds: int, workers: int) -> Iterator[Finding]:
    """Kill `seeds` runs in every phase; the folder of a run without violations is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    reference = reference_in(folder / "reference")
    drawn = [(phase, seed) for seed in range(seeds) for phase in kills.PHASES]

    def killed(at: tuple[str, int]) -> kills.Tried:
        place = folder / "-".join(map(str, at)).replace(" ", "-")
        return kills.killed_run(place, reference.store, kills.moment(reference.spans, *at))

    with ThreadPoolExecutor(workers) as pool:
        for (phase, seed), tried in zip(drawn, pool.map(killed, drawn), strict=True):
            wrong = violations(tried, reference.account)
            if not wrong:
                shutil.rmtree(tried.place.folder)
            repeated = tried.stats["repeated_good"]
            yield Finding(phase, seed, tried.is_hit, tried.in_flight, repeated, wrong)


def table(findings: Sequence[Finding]) -> Table:
    """Return one line for each phase."""
    columns = ("phase", "kills", "same account", "in flight", "repeated", "violations")
    drawn = Table(*columns, caption="in flight, repeated: calls, mean (max)")
    for phase in (*kills.PHASES, "all"):
        killed = [f for f in findings if phase in (f.phase, "all")]
        hits = [f for f in killed if f.is_hit]
        flown, again = _spread(f.in_flight for f in hits), _spread(f.repeated for f in hits)
        same, wrong = sum(not f.violations for f in hits), sum(bool(f.violations) for f in killed)
        drawn.add_row(phase, str(len(hits)), str(same), flown, again, str(wrong))
    return drawn


def _spread(values: Iterable[int]) -> str:
    numbers = list(values)
    return f"{fmean(numbers):.1f} ({max(numbers)})" if numbers else "-"


def main() -> None:
    """Kill, print the table, and name every violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="kills in each phase")
    parser.add_argument("--workers", type=int, default=2, help="runs side by side")
    parser.add_argument("--json", type=Path, metavar="FILE", help="takes every finding")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="takes the runs that differ")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for finding in findings(options.keep or Path(folder), options.seeds, options.workers):
            results.append(finding)
            for line in finding.violations:
                sys.stderr.write(f"{finding.phase}, seed {finding.seed}: {line}\n")
    Console().print(table(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(finding) for finding in results], indent=1))
    raise SystemExit(any(finding.violations for finding in results))


if __name__ == "__main__":
    main()
