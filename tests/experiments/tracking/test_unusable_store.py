"""MLflow is a listener: whatever is wrong with its store, a run ends as if it were not there.

`autoevol track`, or the same command again, logs the run later, and nothing of it twice.
"""

import contextlib
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from autoevol.experiments.tracking import database
from autoevol.experiments.tracking import run as tracked_run
from tests.conftest import REPOSITORY
from tests.support.browser import group
from tests.support.command_line import Result, run_cli, summary_of
from tests.support.loopback import loopback, openai_reply

RUN = Path("runs/test")
SEARCH = {"steps": 1, "batch_size": 4, "candidates": 2, "headroom": False}
WriteConfig = Callable[..., Path]


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with its tables and the experiment; a new one takes seconds."""
    file = tmp_path_factory.mktemp("created") / "mlflow.db"
    uri = f"sqlite:///{file}"
    MlflowClient(uri, uri).create_experiment("autoevol", str(file.with_name("artifacts")))
    return file


def use_store(uri: str) -> None:
    Path("mlflow.yaml").write_text(yaml.safe_dump({"tracking_uri": uri}))


def use_database(name: str, copied_from: Path | None = None) -> Path:
    """Name a database of this test's own, since MLflow keeps those open that it has seen."""
    file = Path(name).absolute()
    if copied_from:
        shutil.copy(copied_from, file)
    use_store(f"sqlite:///{file}")
    return file


def logged(database_file: Path) -> dict[str, Any]:
    """Return what the store holds of the run: its status, points, figures, and child runs."""
    uri = f"sqlite:///{database_file}"
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("autoevol")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if run.data.tags.get("run_kind") == "run"]
    children = [run for run in runs if run.data.tags.get("run_kind") == "candidate"]
    points = client.get_metric_history(parent.info.run_id, "failure_rate")
    return {
        "id": parent.info.run_id,
        "status": parent.info.status,
        "points": [(point.step, point.value, point.timestamp) for point in points],
        "rows_out": parent.data.metrics["rows/kept"],
        "params": len(parent.data.params),
        "seeds": len(parent.inputs.dataset_inputs) if parent.inputs else 0,
        "artifacts": sorted(f.path for f in client.list_artifacts(parent.info.run_id)),
        "children": sorted(
            (child.data.tags["candidate_id"], child.info.status, child.info.start_time)
            for child in children
        ),
        "histories": sorted(
            (
                child.data.tags["candidate_id"],
                len(client.get_metric_history(child.info.run_id, "failure_rate")),
            )
            for child in children
        ),
        "best": client.get_prompt_version_by_alias("autoevol-test", "best").version,
        "prompts": len(client.search_prompt_versions("autoevol-test")),
        "traces": len(client.search_traces([experiment.experiment_id], max_results=500)),
    }


def assert_finished_untracked(result: Result) -> None:
    assert result.code == 0
    assert "not tracked: " in result.out
    assert f"`autoevol track {RUN}`" in result.out
    summary = summary_of(RUN)
    assert summary["mlflow_run_id"] is None
    assert summary["rows_out"] + summary["rows_failed"] == 30
    assert (RUN / "report.html").is_file()


def assert_logged_once(database_file: Path) -> None:
    """Log the run as a user would, and then again in both ways."""
    run_cli("track", str(RUN), expected=0)
    first = logged(database_file)
    assert first["id"] == summary_of(RUN)["mlflow_run_id"]
    assert (first["status"], first["seeds"]) == ("FINISHED", 1)
    assert (first["best"], first["prompts"]) == (2, 2)  # the initial method, an accepted one
    assert [step for step, *_ in first["points"]] == [0, 1]
    assert [name for name, *_ in first["children"]] == [
        "initial",
        "step-01-candidate-1",
        "step-01-candidate-2",
    ]
    assert {status for _, status, _ in first["children"]} == {"FINISHED"}
    assert {"report.html", "evolved.jsonl", "rows.json"} <= {*first["artifacts"]}
    assert first["traces"] > 0
    again = run_cli("run", "test.yaml", expected=0)
    run_cli("track", str(RUN), expected=0)
    assert "track" not in again.out
    assert logged(database_file) == first


def broken(kind: str, file: Path, created: Path) -> None:
    if kind == "garbage":
        file.write_text("This is no database. " * 100)
        return
    shutil.copy(created, file)
    with closing(sqlite3.connect(file)) as db, db:
        if kind == "newer schema":
            db.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        elif kind == "deleted experiment":
            db.execute("UPDATE experiments SET lifecycle_stage = 'deleted'")


@pytest.mark.parametrize("kind", ["garbage", "newer schema", "deleted experiment"])
def test_a_run_does_without_a_store_that_cannot_be_used(
    kind: str, write_config: WriteConfig, created: Path
) -> None:
    config = write_config(optimizer=SEARCH)
    file = use_database("broken.db")
    broken(kind, file, created)

    assert_finished_untracked(run_cli("run", str(config)))
    refused = run_cli("track", str(RUN), expected=2)
    assert refused.err.startswith("mlflow.yaml: tracking_uri: ")

    assert_logged_once(use_database("mended.db", created))


def test_the_same_command_logs_a_finished_run_that_was_not_tracked(
    write_config: WriteConfig, created: Path
) -> None:
    config = write_config(optimizer=SEARCH)
    broken("garbage", use_database("broken.db"), created)
    assert_finished_untracked(run_cli("run", str(config)))
    assert "not tracked: " in run_cli("run", str(config), expected=0).out

    file = use_database("mended.db", created)
    assert "logged in MLflow" in run_cli("run", str(config), expected=0).out
    assert logged(file)["id"] == summary_of(RUN)["mlflow_run_id"]
    assert_logged_once(file)


def test_a_locked_database_holds_no_run(
    write_config: WriteConfig, created: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_S", 0.1)
    config = write_config(optimizer=SEARCH)
    file = use_database("locked.db", created)
    with closing(sqlite3.connect(file)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert_finished_untracked(run_cli("run", str(config)))
        db.rollback()
    assert_logged_once(file)


def test_a_database_that_is_deleted_while_a_run_uses_it_is_reported(
    write_config: WriteConfig, created: Path
) -> None:
    file = use_database("deleted.db", created)
    models = {"model": "hosted_vllm/m", "concurrency": 1}

    def answer(number: int) -> tuple[int, Any]:
        if number == 5:
            # By then MLflow has opened it: the calls go one after the other.
            wait_for_runs(file)
            file.unlink()
        return 200, openai_reply(f"Name the {number} longest rivers of Europe, with their length.")

    with loopback(answer) as server:
        config = write_config(
            optimizer={"name": "none"}, models={"evolver": {**models, "api_base": server.url}}
        )
        result = run_cli("run", str(config), "--set", "failure.rules=[]", expected=0)
    assert f"not tracked: {file} was deleted" in result.out
    assert summary_of(RUN)["mlflow_run_id"] is None


def wait_for_runs(file: Path) -> None:
    for _ in range(600):
        with closing(sqlite3.connect(file)) as db:
            if db.execute("SELECT count(*) FROM runs").fetchone()[0]:
                return


def test_a_server_that_is_down_holds_no_run(write_config: WriteConfig, created: Path) -> None:
    config = write_config(optimizer=SEARCH)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    use_store(f"http://user:secret@127.0.0.1:{port}")

    result = run_cli("run", str(config))

    assert_finished_untracked(result)
    assert "secret" not in result.out + result.err
    assert_logged_once(use_database("mended.db", created))


def test_a_server_that_never_answers_holds_no_run(
    write_config: WriteConfig, created: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracked_run, "FINISHING_S", 1.0)
    config = write_config(optimizer=SEARCH)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_store(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert_finished_untracked(run_cli("run", str(config)))
    assert_logged_once(use_database("mended.db", created))


@contextmanager
def mlflow_server(file: Path) -> Iterator[str]:
    """Serve a database as a team's tracking server does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{file}"]
    command += ["--no-serve-artifacts", "--default-artifact-root", str(file.with_name("served"))]
    with group(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        url = f"http://127.0.0.1:{port}"
        for _ in range(1200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
                break
            time.sleep(0.1)
        yield url


@pytest.mark.faults
def test_a_server_that_dies_in_the_middle_of_a_run_holds_no_run(
    write_config: WriteConfig, tmp_path: Path
) -> None:
    file = (tmp_path / "served.db").absolute()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(mlflow_server(file))
        use_store(url)
        # A server shows its own pages: nothing is started beside it.
        assert f"MLflow at {url}: the store is a server" in run_cli("ui", expected=0).out

        def answer(number: int) -> tuple[int, Any]:
            if number == 5:
                wait_for_runs(file)
                stack.close()
            return 200, openai_reply(f"Name the {number} longest rivers of Asia, with lengths.")

        with loopback(answer) as models:
            model = {"model": "hosted_vllm/m", "concurrency": 1, "api_base": models.url}
            config = write_config(optimizer={"name": "none"}, models={"evolver": model})
            result = run_cli("run", str(config), "--set", "failure.rules=[]", expected=0)
    assert "not tracked: " in result.out
    assert summary_of(RUN)["mlflow_run_id"] is None

    uri = f"sqlite:///{file}"
    use_store(uri)
    run_cli("track", str(RUN), expected=0)
    run = MlflowClient(uri, uri).get_run(summary_of(RUN)["mlflow_run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["rows/kept"] == 30


def test_three_first_starts_at_once_share_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    lines = [{"instruction": f"List the {n} largest rivers of Asia."} for n in range(5)]
    (tmp_path / "seeds.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for name in "abc":
        tree = {
            "name": name,
            "models": {"evolver": {"model": "scripted/world"}},
            "data": {"path": "seeds.jsonl"},
            "optimizer": {"name": "none"},
            "evolve": {"methods": ["weak"]},
        }
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(tree))
    command = [sys.executable, "-m", "autoevol", "run"]
    started = [
        subprocess.Popen(
            [*command, f"{name}.yaml"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        for name in "abc"
    ]
    texts = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert [text for text in texts if "not tracked" in text] == []
    ids = {summary_of(tmp_path / "runs" / name)["mlflow_run_id"] for name in "abc"}
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri, uri)
    assert {client.get_run(run_id).info.experiment_id for run_id in ids} == {"1"}


def test_an_old_folder_is_logged_from_its_files_alone(workplace: Path, created: Path) -> None:
    shutil.copytree(REPOSITORY / "tests/fixtures/format-1/finished", workplace / "old")
    summary = json.loads((workplace / "old/summary.json").read_text())
    file = use_database("own.db", created)
    for _ in range(2):
        run_cli("track", "old", expected=0)
    uri = f"sqlite:///{file}"
    client = MlflowClient(uri, uri)
    runs = client.search_runs(["1"])
    (parent,) = [run for run in runs if run.data.tags["run_kind"] == "run"]
    points = client.get_metric_history(parent.info.run_id, "failure_rate")
    assert [point.step for point in points] == [0, 1, 2]
    assert points[0].value == summary["failure_rate_initial"]["rate"]
    assert parent.data.metrics["rows/kept"] == summary["rows_out"]
    assert parent.data.metrics["score/words"] > 0
    assert len([run for run in runs if run.data.tags["run_kind"] == "candidate"]) > 0
    table = json.loads(Path(client.download_artifacts(parent.info.run_id, "rows.json")).read_text())
    assert len(table["data"]) == summary["rows_out"] + summary["rows_failed"]


def test_a_folder_that_holds_no_run_is_refused(workplace: Path) -> None:
    (workplace / "empty").mkdir()
    assert "no run.json" in run_cli("track", "empty", expected=2).err
    Path("mlflow.yaml").unlink()


def test_a_matrix_and_later_commands_do_without_a_store(
    write_config: WriteConfig, created: Path
) -> None:
    broken("garbage", use_database("broken.db"), created)
    matrix = {"evolve.methods": [["weak"], ["e0-direct"]]}
    config = write_config(6, optimizer={"name": "none"}, matrix=matrix)
    done = run_cli("run", str(config), expected=0)
    cells = sorted(path.parent for path in Path("runs").rglob("summary.json"))
    assert len(cells) == 2
    assert "the matrix is not tracked: " in done.out
    assert all(summary_of(cell)["mlflow_run_id"] is None for cell in cells)

    first, second = map(str, cells)
    for arguments in (["score", first, "--scores", "length"], ["report", first]):
        assert "not tracked: " in run_cli(*arguments, expected=0).err
    run_cli("compare", first, second, expected=0)

    file = use_database("mended.db", created)
    run_cli("track", first, expected=0)
    run_cli("run", str(config), expected=0)
    uri = f"sqlite:///{file}"
    runs = MlflowClient(uri, uri).search_runs(["1"])
    (parent,) = [run for run in runs if run.data.tags["run_kind"] == "matrix"]
    children = [run for run in runs if run.data.tags["run_kind"] == "cell"]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert {run.info.run_id for run in children} == {
        summary_of(cell)["mlflow_run_id"] for cell in cells
    }
    assert parent.info.status == "FINISHED"
    assert "In MLflow" in run_cli("compare", first, second, expected=0).out


CHANGES = (
    "create_run",
    "log_inputs",
    "log_batch",
    "log_text",
    "log_dict",
    "log_artifact",
    "set_tag",
    "set_terminated",
    "register_prompt",
    "set_prompt_alias",
)
"""Calls of MLflow's client that change a store."""


class DiedError(Exception):
    """Stands for a death of the process right after a call."""


def dying_after(method: Callable[..., Any]) -> Callable[..., Any]:
    calls: list[None] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        calls.append(None)
        if len(calls) == 1:
            raise DiedError
        return result

    return call


def test_a_death_after_any_call_adds_nothing_twice(
    write_config: WriteConfig, created: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(optimizer=SEARCH)
    broken("garbage", use_database("broken.db"), created)
    assert_finished_untracked(run_cli("run", str(config)))

    def tracked(name: str) -> dict[str, Any]:
        run_cli("track", str(RUN), expected=0)
        return {key: value for key, value in logged(Path(name)).items() if key != "id"}

    use_database("whole.db", created)
    expected = tracked("whole.db")
    for name in CHANGES:
        use_database(f"{name}.db", created)
        with monkeypatch.context() as patch:
            patch.setattr(MlflowClient, name, dying_after(getattr(MlflowClient, name)))
            assert run_cli("track", str(RUN)).code != 0, name
        assert tracked(f"{name}.db") == expected, name
