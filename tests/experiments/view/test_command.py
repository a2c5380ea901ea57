"""`autoevol view` itself: bad input, Ctrl-C, runs that go on, and assessments in MLflow."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from autoevol.experiments.artifacts.labels.file import KINDS
from autoevol.experiments.tracking.again import log_marks
from autoevol.experiments.tracking.config import TrackingConfig, load_tracking
from autoevol.experiments.tracking.traces import MOST
from autoevol.experiments.view.filters import RowFilter
from autoevol.experiments.view.labels import MarkRequest
from autoevol.experiments.view.run_rows import RunRows
from tests.support.command_line import rows_of, run_cli, summary_of
from tests.support.viewing import Client, outcome, serving, write_run

WriteConfig = Callable[..., Path]
RUN = Path("runs/test")
EVOLVE = {"optimizer": {"name": "none"}, "evolve": {"methods": ["weak"]}}
NO_KINDS: dict[str, list[str]] = {name: [] for name in KINDS}


def keys_of(rows: RunRows) -> dict[str, str]:
    """Return the keys of a run's rows by their ids."""
    return {row["id"]: row["key"] for row in rows.page(RowFilter(limit=200))["rows"]}


def mark(rows: RunRows, identity: str, label: Any, **kinds: list[str]) -> None:
    rows.mark(MarkRequest(keys_of(rows)[identity], label, {**NO_KINDS, **kinds}))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone", "gone: does not exist"),
        ("empty", "empty: is no run's folder: no run.json"),
        ("file", "file: is no run's folder: no run.json"),
        ("damaged", "run.json"),
        ("newer", "format 999"),
        ("fifo", "evolved.jsonl: is a pipe (FIFO)"),
        ("labels", "labels.jsonl: is a folder"),
        ("x" * 300, "RUN_FOLDER"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_run_is_refused_in_a_line(name: str, problem: str, workplace: Path) -> None:
    Path("empty").mkdir()
    Path("file").touch()
    for folder in ("damaged", "newer", "fifo", "labels"):
        write_run(Path(folder), [])
    Path("damaged/run.json").write_text("{")
    identity = json.loads(Path("newer/run.json").read_text())
    Path("newer/run.json").write_text(json.dumps({**identity, "format": 999}))
    Path("fifo/evolved.jsonl").unlink()
    os.mkfifo("fifo/evolved.jsonl")
    Path("labels/labels.jsonl").mkdir()
    refused = run_cli("view", name, expected=2)
    assert problem in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert refused.out == ""


def test_a_port_in_use_is_refused_in_a_line(workplace: Path) -> None:
    write_run(Path("run"), [])
    with serving(Path("run")) as client:
        port = client.host.partition(":")[2]
        refused = run_cli("view", "run", "--port", port, expected=2)
    assert refused.err.strip() == (
        f"--port {port}: is in use by another program; choose another port, or leave --port out"
    )


def viewed(folder: Path, label: str) -> list[str]:
    """Run `autoevol view`, mark the first row, press Ctrl-C, and return what was printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "autoevol", "view", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A process in the background starts with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout
    assert process.stderr
    with process:
        try:
            client = Client(process.stdout.readline().strip())
            row = client.get("rows").tree["rows"][0]
            assert client.post({"key": row["key"], "label": label}).status == 200
            process.send_signal(signal.SIGINT)
            # Not by `communicate`, which leaves out what `readline` has read ahead.
            out, err = process.stdout.read(), process.stderr.read()
            assert (process.wait(), err) == (0, "")
        finally:
            process.kill()
    assert [line["label"] for line in rows_of(folder / "labels.jsonl")] == [label]
    return out.splitlines()


def test_it_prints_the_address_and_ctrl_c_ends_it(workplace: Path) -> None:
    write_run(Path("run"), [outcome(1)])
    assert viewed(Path("run"), "good") == [
        "g: good, b: bad, ?: help; marks go to run/labels.jsonl; Ctrl-C ends it",
        "1 row marked",
        "`autoevol export run --overwrite` and `autoevol train` leave out the bad ones",
        # Nothing says that the run is over.
        "`autoevol track run` logs the marks in MLflow once the run is over",
    ]


def test_marks_outlive_whatever_the_run_does(write_config: WriteConfig) -> None:
    """A finished run, one that is made again, one that is longer, and a fresh one."""
    config = str(write_config(30, **{**EVOLVE, "evolve": {"methods": ["weak"], "rounds": 2}}))
    run_cli("run", config, "--set", "budget.calls=40", expected=3)
    rows = RunRows(RUN)
    first = next(iter(keys_of(rows)))
    mark(rows, first, "good")
    labels = (RUN / "labels.jsonl").read_bytes()

    run_cli("run", config, expected=0)
    assert rows.counts()["mark"]["good"] == 1
    before = keys_of(rows)
    run_cli("run", config, expected=0)
    (RUN / "evolved.jsonl").write_text("")
    assert "made again" in run_cli("run", config, expected=0).out
    # The same rows have the same keys, so the marks are theirs again.
    assert keys_of(rows) == before
    assert rows.counts()["mark"]["good"] == 1
    run_cli("score", str(RUN), expected=0)
    assert keys_of(rows) == before
    assert (RUN / "labels.jsonl").read_bytes() == labels

    run_cli("run", config, "--fresh", expected=0)
    assert not (RUN / "labels.jsonl").exists()
    [aside] = Path("runs").glob("test-*")
    assert (aside / "labels.jsonl").read_bytes() == labels


def test_rows_are_marked_while_the_run_is_at_work(write_config: WriteConfig) -> None:
    config = str(write_config(400, **EVOLVE))
    process = subprocess.Popen(
        [sys.executable, "-m", "autoevol", "run", config],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    rows, keys, is_over = RunRows(RUN), set[str](), False
    with process:
        while not is_over:
            is_over = process.poll() is not None
            for row in rows.page(RowFilter(mark="unmarked", status="kept", limit=3))["rows"]:
                rows.mark(MarkRequest(row["key"], "good", NO_KINDS))
                keys.add(row["key"])
    assert process.returncode == 0
    assert keys
    page = rows.page(RowFilter(mark="good", limit=200))
    assert page["remarks"] == []
    assert page["total"] == len(keys)
    assert {line["key"] for line in rows_of(RUN / "labels.jsonl")} == keys
    # The folder is that of a finished run, whose command prints its summary.
    assert "rows in / out" in run_cli("run", config, expected=0).out


@pytest.fixture
def traced(workplace: Path, store: Path) -> TrackingConfig:
    """Track with the default settings."""
    uri = f"sqlite:///{store}/mlflow.db"
    (workplace / "mlflow.yaml").write_text(yaml.safe_dump({"tracking_uri": uri}))
    config = load_tracking()
    assert config
    return config


def assessments() -> dict[str, list[tuple[Any, ...]]]:
    """Return what MLflow shows of a reader on each trace of the run, by the trace's name."""
    client = mlflow.MlflowClient()
    run_id = summary_of(RUN)["mlflow_run_id"]
    experiment = client.get_run(run_id).info.experiment_id
    shown: dict[str, list[tuple[Any, ...]]] = {}
    for trace in client.search_traces(locations=[experiment], run_id=run_id, max_results=MOST):
        for said in trace.info.assessments:
            content = (said.name, said.feedback.value, said.source.source_type, said.rationale)
            shown.setdefault(trace.info.tags["mlflow.traceName"], []).append(content)
    return shown


def test_mlflow_shows_marks_where_the_row_was_traced(
    write_config: WriteConfig, traced: TrackingConfig
) -> None:
    run_cli("run", str(write_config(30, **EVOLVE)), expected=0)
    rows = RunRows(RUN)
    for identity in keys_of(rows):
        mark(rows, identity, "good")
    logged = log_marks(RUN, traced)
    # Three rewrites, three answers, and up to three failures of each rule are traced.
    assert 0 < logged < 30
    first = assessments()
    assert first["evolver"]
    assert first["responder"]
    assert {said for said_of in first.values() for said in said_of} == {
        ("label", "good", "HUMAN", None)
    }

    # Again, by the command for runs that are over: nothing twice.
    run_cli("track", str(RUN), expected=0)
    assert log_marks(RUN, traced) == logged
    assert assessments() == first

    for identity in keys_of(rows):
        mark(rows, identity, "bad", kinds=["easier"], response_kinds=["echo"])
    run_cli("track", str(RUN), expected=0)
    said = {said for said_of in assessments().values() for said in said_of}
    assert said == {("label", "bad", "HUMAN", "easier, echo")}
    assert sum(map(len, assessments().values())) == sum(map(len, first.values()))

    for identity in keys_of(rows):
        mark(rows, identity, None)
    assert log_marks(RUN, traced) == 0
    assert assessments() == {}


def test_marks_of_a_run_that_was_not_traced_are_no_assessments(
    write_config: WriteConfig, workplace: Path
) -> None:
    run_cli("run", str(write_config(6, **EVOLVE)), expected=0)
    rows = RunRows(RUN)
    mark(rows, next(iter(keys_of(rows))), "good")
    config = load_tracking()
    assert config
    assert log_marks(RUN, config) == 0
    run_cli("track", str(RUN), expected=0)


def test_mlflow_that_is_down_costs_no_mark(write_config: WriteConfig, workplace: Path) -> None:
    config = str(write_config(6, **EVOLVE))
    (workplace / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    (workplace / "mlflow.db").write_text("no database")
    run_cli("run", config, expected=0)
    last = viewed(RUN, "good")[-1]
    assert last.startswith("not tracked: ")
    assert last.endswith(f"the marks are saved, and `autoevol track {RUN}` tries again")
