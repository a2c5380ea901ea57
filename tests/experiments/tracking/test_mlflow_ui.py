"""What MLflow's UI shows of a run, seen by a real browser on the real server."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow import MlflowClient

from autoevol.experiments.tracking.links import compare_link, metric_link, run_link, ui_address
from tests.support.browser import BINARY, LONGEST_S, group, page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BINARY is None, reason="no Chromium here: apt-get install chromium"),
]
COMMAND = [sys.executable, "-m", "autoevol"]


@dataclass(frozen=True)
class Served:
    """Two runs in a store of their own, and the UI that shows it."""

    base: str
    client: Any
    experiment: str
    runs: dict[str, str]

    def artifacts(self, run_id: str) -> str:
        """Return where a run's artifacts lie."""
        return str(self.client.get_run(run_id).info.artifact_uri)

    def child(self, name: str, candidate: str) -> Any:
        """Return the run of a candidate method."""
        query = f"tags.`mlflow.parentRunId` = '{self.runs[name]}'"
        children = self.client.search_runs([self.experiment], query)
        return next(run for run in children if run.data.tags["candidate_id"] == candidate)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run two searches and start `autoevol ui`."""
    folder = tmp_path_factory.mktemp("ui")
    uri = f"sqlite:///{folder}/mlflow.db"
    (folder / "mlflow.yaml").write_text(yaml.safe_dump({"tracking_uri": uri}))
    lines = [{"instruction": f"List the {i} largest rivers of Europe."} for i in range(1, 31)]
    (folder / "seeds.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for name in ("first-search", "second-search"):
        _search(folder, name)
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("autoevol")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.run_kind = 'run'")
    names = {str(run.data.params["name"]): str(run.info.run_id) for run in runs}
    with _ui(folder) as base:
        yield Served(base, client, experiment.experiment_id, names)


def _search(folder: Path, name: str) -> None:
    tree = {
        "name": name,
        "seed": 3,  # the chart of a rate that is not 0
        "models": {"evolver": {"model": "scripted/world"}},
        "data": {"path": "seeds.jsonl", "train_size": 6, "dev_size": 12, "heldout_size": 8},
        "optimizer": {"steps": 2, "batch_size": 4, "candidates": 2, "headroom": False},
        "evolve": {"methods": ["weak"]},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(tree))
    # On a busy machine a run may end before MLflow has all of it; `track` logs what is missing.
    # Other tests of this process may have named MLflow a store and an experiment of their own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    for arguments in (["run", f"{name}.yaml"], ["track", f"runs/{name}"]):
        command = [*COMMAND, *arguments]
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)


@contextlib.contextmanager
def _ui(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*COMMAND, "ui", "--port", str(port)]
    with (folder / "ui.log").open("wb") as log:
        streams = {"stdout": log, "stderr": subprocess.STDOUT}
        with group(command, cwd=folder, **streams) as server:
            _wait(f"{ui_address(port)}/health", server, folder / "ui.log")
            yield ui_address(port)
    assert "#/experiments/1/runs?compareRunsMode=CHART" in (folder / "ui.log").read_text()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + LONGEST_S
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as reply:
            if reply.status == 200:
                return
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)


def seen(url: str, *needles: str, script: str = "true") -> str:
    """Open an address, wait for texts and for a script's truth; return all that is to be read."""

    async def look() -> str:
        async with page() as tab:
            await tab.open(url)
            await tab.until_text(*needles)
            await tab.until(script)
            return await tab.text()

    return asyncio.run(look())


def test_the_ui_lists_the_runs_by_name(served: Served) -> None:
    names = [f"{name} · runs" for name in served.runs]
    text = seen(f"{served.base}/#/experiments/{served.experiment}/runs", *names)
    assert "matching runs" in text


def test_the_links_open_the_comparison_and_the_chart_of_the_failure_rate(served: Served) -> None:
    ids = [*served.runs.values()]
    compared = seen(compare_link(ids, served.experiment, served.base), *served.runs)
    assert "Comparing 2 Runs" in compared
    lines = "document.querySelectorAll('.js-line').length >= 2"
    link = metric_link(ids, "failure_rate", served.experiment, served.base)
    chart = seen(link, *(f"{name} · runs (failure_rate)" for name in served.runs), script=lines)
    rate = served.client.get_run(ids[0]).data.metrics["failure_rate"]
    assert str(rate)[:5] in chart
    assert "(step=2)" in chart


def test_a_candidates_method_and_verdicts_open_as_artifacts(served: Served) -> None:
    candidate = served.child("first-search", "step-01-candidate-1").info.run_id
    text = mlflow.artifacts.load_text(f"{served.artifacts(candidate)}/method.md")
    address = run_link(candidate, served.experiment, served.base)
    seen(f"{address}/artifacts/method.md", "Path: ", text.strip().splitlines()[-1])
    seen(f"{address}/artifacts/dev_verdicts.json", "verdict", "row-0000")
