"""The addresses of MLflow's UI have the form that it reads."""

import json
from urllib.parse import parse_qs

from autoevol.experiments.tracking.links import (
    charts_link,
    compare_link,
    metric_link,
    pages_of,
    run_link,
    runs_link,
)

RUNS = ["0a", "1b"]


def query(link: str) -> dict[str, object]:
    return {key: values[0] for key, values in parse_qs(link.split("?", 1)[1]).items()}


def test_runs_and_experiment_are_json_in_the_query() -> None:
    link = compare_link(RUNS, "7")
    assert link.startswith("http://127.0.0.1:5000/#/compare-runs?runs=%5B%220a%22%2C%221b%22%5D&")
    assert query(link) == {"runs": json.dumps(RUNS, separators=(",", ":")), "experiments": '["7"]'}


def test_a_metrics_chart_names_the_metric_twice() -> None:
    link = metric_link(RUNS, "failure_rate", "7", "http://127.0.0.1:1")
    assert link.startswith("http://127.0.0.1:1/#/metric?")
    parts = query(link)
    assert parts["metric"] == '"failure_rate"'
    assert parts["plot_metric_keys"] == '["failure_rate"]'
    assert parts["x_axis"] == "step"


def test_other_pages() -> None:
    assert charts_link("7").endswith("/#/experiments/7/runs?compareRunsMode=CHART")
    assert runs_link("7").endswith("/#/experiments/7/runs?workflowType=machine_learning")
    assert run_link("0a", "7") == "#/experiments/7/runs/0a"
    assert run_link("0a", "7", "http://h") == "http://h/#/experiments/7/runs/0a"


def test_a_server_shows_its_own_pages_without_its_password() -> None:
    assert pages_of("sqlite:///mlflow.db", 7) == "http://127.0.0.1:7"
    assert pages_of("https://me:secret@mlflow.example.org:80/team/") == (
        "https://mlflow.example.org:80/team"
    )
