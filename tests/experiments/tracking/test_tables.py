"""Tables in MLflow: the form that its UI and `mlflow.load_table` read, bounded, never doubled."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from autoevol.experiments.tracking.store import TABLE_ROWS, log_table
from autoevol.experiments.tracking.tables import sample_rows
from autoevol.program.records import Row
from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]


def loaded(run_id: str, file: str) -> Any:
    """Return a table as `mlflow.load_table` does in the run's experiment."""
    client = mlflow.MlflowClient()
    experiment = client.get_run(run_id).info.experiment_id
    return client.load_table(experiment, file, run_ids=[run_id])


def test_mlflow_reads_the_tables_of_a_run_and_of_its_candidates(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config()), expected=0)
    summary = json.loads(Path("runs/test/summary.json").read_text())
    run_id = summary["mlflow_run_id"]
    table = loaded(run_id, "rows.json")
    assert [*table.columns[:2]] == ["id", "verdict"]
    assert (table["verdict"] == "kept").sum() == summary["rows_out"]
    assert (table["verdict"] == "failed").sum() == summary["rows_failed"]
    assert [*table["seed_id"]] == [f"seed-{i}" for i in range(1, 31)]

    client = mlflow.MlflowClient()
    query = f"tags.`mlflow.parentRunId` = '{run_id}' and tags.candidate_id = 'initial'"
    (initial,) = client.search_runs([client.get_run(run_id).info.experiment_id], query)
    verdicts = loaded(initial.info.run_id, "dev_verdicts.json")
    assert len(verdicts) == 12
    failed = verdicts[verdicts["verdict"] == "failed"]
    assert len(failed) / 12 == initial.data.metrics["failure_rate"]
    assert all(failed["rules"])


def test_a_resumed_run_has_each_row_once(write_config: WriteConfig) -> None:
    config = str(write_config())
    run_cli("run", config, "--set", "budget.calls=100", expected=3)
    run_cli("run", config, expected=0)
    run_cli("run", config, "--set", "scores.names=[length]", expected=0)
    run_id = json.loads(Path("runs/test/summary.json").read_text())["mlflow_run_id"]
    table = loaded(run_id, "rows.json")
    assert len(table) == table["id"].nunique() == 30


def test_a_large_run_shows_what_came_of_its_first_seeds(tmp_path: Path) -> None:
    seeds = [Row(f"s{n}", f"s{n}", "Name it.") for n in range(2000)]
    evolved = [
        Row(f"s{n}.{r}", f"s{n}", "x", origin="x", round=r) for n in range(2000) for r in (1, 2)
    ]
    lines = [json.dumps(row.as_dict()) for row in reversed(evolved)]
    (tmp_path / "evolved.jsonl").write_text("\n".join(lines))
    (tmp_path / "failures.jsonl").write_text("")
    rows = sample_rows(tmp_path, [seed.id for seed in seeds])
    assert len(rows) == TABLE_ROWS
    assert [row["id"] for row in rows[:4]] == ["s0.1", "s0.2", "s1.1", "s1.2"]


@pytest.mark.usefixtures("workplace")
def test_a_table_takes_the_place_of_the_one_before() -> None:
    client = mlflow.MlflowClient()
    run = client.create_run("0")
    tables: list[list[dict[str, Any]]] = [
        [{"id": "a", "x": 1}, {"id": "b", "x": ["c"]}],
        [{"id": "c", "x": None}],
        [],
    ]
    for rows in tables:
        log_table(client, run.info.run_id, rows, "t.json")
    table = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/t.json")
    tag = json.loads(client.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"])
    assert table == {"columns": ["id", "x"], "data": [["c", None]]}
    assert tag == [{"path": "t.json", "type": "table"}]


def test_artifacts_lie_beside_the_database_wherever_a_run_was_started(
    write_config: WriteConfig, tmp_path: Path
) -> None:
    """By itself MLflow takes the folder of the first run, which another project may be."""
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "mlflow.yaml").write_text(
        yaml.safe_dump({"tracking_uri": f"sqlite:///{store}/own.db", "experiment": "a b"})
    )
    run_cli("run", str(write_config()), expected=0)
    client = mlflow.MlflowClient(f"sqlite:///{store}/own.db")
    experiment = client.get_experiment_by_name("a b")
    assert experiment is not None
    assert experiment.artifact_location == (store / "mlruns" / "a%20b").as_uri()
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert any((store / "mlruns").rglob("config.yaml"))
    assert not (tmp_path / "mlruns").exists()
