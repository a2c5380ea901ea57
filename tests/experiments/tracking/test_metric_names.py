"""Which figures are metrics, in which section, and how many a run has at most."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow.utils.validation import _validate_metric_name

from autoevol.experiments.tracking.events import JOURNAL
from autoevol.experiments.tracking.naming.metrics import (
    MOST,
    bounded,
    candidate_metrics,
    heldout_points,
    score_points,
    summary_metrics,
    summary_tags,
)
from autoevol.experiments.tracking.naming.safe import safe_metrics
from tests.support.command_line import run_cli, summary_of

WriteConfig = Callable[..., Path]
SCORES = ("length", "lexical", "complexity", "difficulty", "growth", "quality", "keywords")


def sections(run: Any) -> set[str]:
    return {name.rpartition("/")[0] for name in run.data.metrics}


def test_a_run_and_its_candidates_have_few_metrics_in_sections(write_config: WriteConfig) -> None:
    config = write_config(40, scores={"names": [*SCORES]})
    run_cli("run", str(config), expected=0)
    summary, client = summary_of(Path("runs/test")), mlflow.MlflowClient()
    run = client.get_run(summary["mlflow_run_id"])
    metrics = run.data.metrics
    assert len(metrics) <= MOST
    assert sections(run) == {"", "dev", "heldout", "rows", "usage", "score"}
    assert {name for name in metrics if "/" not in name} == {"failure_rate"}
    assert metrics["failure_rate"] == metrics["dev/failure_rate"]
    assert metrics["failure_rate"] < metrics["dev/failure_rate_high"]
    assert metrics["rows/kept"] == summary["rows_out"]
    assert metrics["usage/calls"] == summary["calls"]
    heldout = client.get_metric_history(run.info.run_id, "heldout/failure_rate")
    assert [(point.step, point.value) for point in heldout] == [
        (0, summary["failure_rate_heldout_initial"]["rate"]),
        (summary["steps"], summary["failure_rate_heldout_best"]["rate"]),
    ]
    assert run.data.tags["summary.heldout_verdict"] == summary["heldout_verdict"]
    assert run.data.tags["summary.steps"] == str(summary["steps"])
    every = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/figures.json")
    assert every["calls_by_role.evolver"] == summary["calls_by_role"]["evolver"]

    query = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    children = client.search_runs([run.info.experiment_id], query)
    assert all(len(child.data.metrics) <= MOST for child in children)
    second = next(c for c in children if c.data.params["step"] == "2" and c.data.metrics)
    (point,) = client.get_metric_history(second.info.run_id, "dev/failure_rate")
    assert (point.step, point.value) == (2, second.data.metrics["failure_rate"])
    assert {*map(frozenset, map(sections, children))} <= {
        frozenset(),
        frozenset(("", "dev", "rows", "usage", "rules")),
        frozenset(("", "dev", "rows", "usage")),
    }


def track_elsewhere(experiment: str) -> str:
    """Let `mlflow.yaml` name another experiment, which knows no run; return its id."""
    settings = yaml.safe_load(Path("mlflow.yaml").read_text())
    Path("mlflow.yaml").write_text(yaml.safe_dump({**settings, "experiment": experiment}))
    return str(mlflow.MlflowClient().create_experiment(experiment))


def metrics_of(experiment: str) -> dict[str, dict[str, float]]:
    """Return the metrics of a run and of its candidates, by name."""
    runs = mlflow.MlflowClient().search_runs([experiment])
    return {run.info.run_name: dict(run.data.metrics) for run in runs if run.data.metrics}


def test_a_journal_is_logged_under_the_same_names_later(
    write_config: WriteConfig, workplace: Path
) -> None:
    """Journals keep the figures' own names, so those of older versions read the same."""
    first = track_elsewhere(f"live-{workplace}")
    run_cli("run", str(write_config()), expected=0)
    lines = [json.loads(line) for line in Path("runs/test", JOURNAL).read_text().splitlines()]
    candidates = [line["body"]["metrics"] for line in lines if line["kind"] == "candidate"]
    assert any("calls" in metrics for metrics in candidates)
    later = track_elsewhere(f"later-{workplace}")
    run_cli("track", "runs/test", expected=0)
    assert metrics_of(later) == metrics_of(first)
    assert len(metrics_of(later)) > 1


def test_a_run_logged_under_old_names_gets_the_new_ones_beside_them(
    write_config: WriteConfig, workplace: Path
) -> None:
    run_cli("run", str(write_config()), expected=0)
    summary, client = summary_of(Path("runs/test")), mlflow.MlflowClient()
    key = client.get_run(summary["mlflow_run_id"]).data.tags["run_key"]
    old = client.create_run(track_elsewhere(f"old-{workplace}"), tags={"run_key": key})
    client.log_metric(old.info.run_id, "summary.rows_out", summary["rows_out"])
    run_cli("track", "runs/test", expected=0)
    metrics = client.get_run(old.info.run_id).data.metrics
    assert metrics["summary.rows_out"] == metrics["rows/kept"] == summary["rows_out"]


def test_many_figures_are_cut_to_the_most_important() -> None:
    values = {f"eval/t{n}": 1.0 for n in range(20)}
    ends = {f"eval/t{n}_low": 0.5 for n in range(20)}
    assert [*bounded(values, ends)][:20] == [*values]
    assert len(bounded(values, ends)) == MOST
    rules = {f"failed.rule_{n:02d}": float(n) for n in range(60)}
    metrics = candidate_metrics({"failure_rate": 0.5, "calls": 3.0, **rules})
    assert len(metrics) == MOST
    assert metrics["usage/calls"] == 3
    assert "rules/rule_59" in metrics
    assert "rules/rule_00" not in metrics


def test_scores_that_are_added_later_share_the_bound() -> None:
    means = ("grade", "difficulty", "complexity", "chain", "reward", "growth", "confidence")
    first = {"1": {f"{name}.mean": 1.0 for name in means}}
    assert {*score_points(first, ())[1]} == {f"score/{name}" for name in means}
    existing = [f"score/{number}" for number in range(12)]
    assert [*score_points(first, [*existing, "score/chain"])[1]] == ["score/chain"]
    assert score_points({"0": {"difficulty.levels.hard": 3.0}}, ()) == {0: {}}


def test_a_summary_without_a_search_has_no_held_out_points() -> None:
    figures = {"rows_in": 3.0, "steps": 0.0, "calls_by_role.evolver": 3.0, "rows_surplus": 0.0}
    assert heldout_points(figures) == {}
    assert summary_metrics(figures) == {"rows/in": 3.0}
    assert summary_tags(figures, ()) == {}
    assert summary_tags({"calls_replayed": 1_234_567.0}, ()) == {
        "summary.calls_replayed": "1234567"
    }
    assert summary_tags(figures, ["summary.rows_surplus"]) == {"summary.rows_surplus": "0"}


@pytest.mark.parametrize("name", ["rules/a/b", "eval/../x", "x/", "a//b", "rules/" + "x" * 400])
def test_mlflow_takes_a_section_with_any_name(name: str) -> None:
    (safe,) = safe_metrics({name: 1.0})
    check: Callable[[str], object] = _validate_metric_name
    check(safe)
    assert safe.count("/") <= 1
