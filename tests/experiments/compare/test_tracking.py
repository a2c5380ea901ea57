"""A judge's verdicts on two runs are an MLflow run of their own, and a tag on both runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest

from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]
JUDGED = ("--judge", "scripted/world", "--what", "instructions")


@pytest.fixture
def two_runs(write_config: WriteConfig) -> tuple[str, str]:
    """Return two runs, of which one adds more words."""
    for name, method in (("short", "weak"), ("wi+de", "e0-direct")):
        config = write_config(20, optimizer={"name": "none"}, evolve={"methods": [method]})
        run_cli("run", str(config), "--out", f"runs/{name}", expected=0)
    return "runs/short", "runs/wi+de"


def runs_of(kind: str) -> list[Any]:
    client = mlflow.MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, f"tags.run_kind = '{kind}'"))


def test_a_verdict_is_a_run_that_names_both_sides(two_runs: tuple[str, str]) -> None:
    earlier = {run.info.run_id for run in runs_of("comparison")}
    run_cli("compare", *two_runs, *JUDGED, expected=0)
    run_cli("compare", *two_runs, *JUDGED, expected=0)

    (verdict,) = [run for run in runs_of("comparison") if run.info.run_id not in earlier]
    client = mlflow.MlflowClient()
    ours, theirs = (client.get_run(verdict.data.tags[side]) for side in ("ours", "theirs"))
    figures = verdict.data.metrics
    assert verdict.info.status == "FINISHED"
    assert verdict.info.run_name == "short against wi+de, instructions"
    assert verdict.data.params["judge"] == "scripted/world"
    assert figures["compare/won"] + figures["compare/tied"] + figures["compare/lost"] > 0
    assert figures["compare/tie_low"] <= figures["compare/tie"] <= figures["compare/tie_high"]
    assert len(client.get_metric_history(verdict.info.run_id, "compare/won")) == 1
    assert {file.path for file in client.list_artifacts(verdict.info.run_id)} >= {
        "comparison.json",
        "pairs.json",
    }
    won, tied, lost = (round(figures[f"compare/{name}"]) for name in ("won", "tied", "lost"))
    said = f"won {won}, tied {tied}, lost {lost}"
    assert ours.data.tags["compare.wi-de.instructions"] == f"{said} (by scripted/world)"
    assert theirs.data.tags["compare.short.instructions"].startswith(f"won {lost}")


def test_the_pages_of_the_ui_are_printed(two_runs: tuple[str, str]) -> None:
    shown = run_cli("compare", *two_runs, expected=0).out
    links = [word for word in shown.split() if word.startswith("http")]
    assert [link.split("?")[0].rpartition("/")[2] for link in links] == ["compare-runs"]
    assert all(run_id in links[0] for run_id in map(run_id_of, two_runs))


def run_id_of(folder: str) -> str:
    key = Path(folder, "run.json").read_text().split('"key": "')[1][:32]
    return next(str(r.info.run_id) for r in runs_of("run") if r.data.tags["run_key"] == key)


def test_runs_that_no_store_has_are_compared_without_it(two_runs: tuple[str, str]) -> None:
    Path("mlflow.yaml").write_text("tracking_uri: sqlite:///other.db")
    assert "http" not in run_cli("compare", *two_runs, *JUDGED, expected=0).out
