"""The funnel: which rule stopped which rows, where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import yaml

from autoevol.experiments.artifacts.funnel import EXAMPLES, counts_by_stage, funnel
from autoevol.experiments.report.run_figures import draw_funnel
from tests.support.command_line import run_cli


def failed(stage: str, *rules: str, round_number: int = 1) -> dict[str, Any]:
    reasons = [{"rule": rule, "evidence": "x"} for rule in rules]
    return {"failed_at": stage, "round": round_number, "reasons": reasons, "origin": "seed"}


ROWS = [
    failed("evolve", "answered"),
    failed("evolve", "answered", "unchanged"),
    failed("evolve", "answered", round_number=2),
    failed("evolve", "unchanged"),
    failed("respond", "refusal", round_number=2),
]


def test_rows_are_counted_by_stage_rule_and_round() -> None:
    entries = {(entry.stage, entry.rule): entry for entry in funnel(ROWS)}
    assert entries["evolve", "answered"].by_round == {1: 2, 2: 1}
    assert entries["evolve", "answered"].rows == 3
    assert entries["evolve", "answered"].alone == 2
    assert entries["evolve", "unchanged"].alone == 1
    assert entries["respond", "refusal"].by_round == {2: 1}


def test_the_evolve_stage_comes_first_and_the_largest_rule_leads() -> None:
    assert [entry.rule for entry in funnel(ROWS)] == ["answered", "unchanged", "refusal"]


def test_there_are_three_examples_of_each() -> None:
    (only,) = funnel([failed("evolve", "answered") for _ in range(9)])
    assert len(only.examples) == EXAMPLES
    assert only.rows == 9


def test_the_summary_counts_by_stage() -> None:
    counts = counts_by_stage(funnel(ROWS))
    assert counts == {"evolve": {"answered": 3, "unchanged": 2}, "respond": {"refusal": 1}}
    assert counts_by_stage([]) == {"evolve": {}, "respond": {}}


def test_the_picture_has_a_bar_for_each_rule_and_a_shade_for_each_round() -> None:
    (axes,) = draw_funnel(funnel(ROWS)).axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["answered (evolve)", "unchanged (evolve)", "refusal (respond)"]
    assert [[bar.get_width() for bar in bars] for bars in axes.containers] == [[2, 2, 0], [1, 0, 1]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["round 1", "round 2"]
    assert axes.get_xlabel() == "rows stopped"
    assert draw_funnel([]) is None


def test_a_run_shows_its_funnel_in_the_report_and_in_mlflow(
    write_config: Callable[..., Path],
) -> None:
    config = write_config(20, optimizer={"name": "none"}, evolve={"methods": ["weak"], "rounds": 2})
    run_cli("run", str(config), expected=0)
    summary = yaml.safe_load(Path("runs/test/summary.json").read_text())
    counts = summary["failures_by_rule"]["evolve"]
    page = Path("runs/test/report.html").read_text()
    client = mlflow.MlflowClient()
    uri = f"runs:/{summary['mlflow_run_id']}/figures.json"
    figures = mlflow.artifacts.load_dict(uri)
    artifacts = {file.path for file in client.list_artifacts(summary["mlflow_run_id"])}
    assert counts["no_request"] > 0
    assert "What stopped them" in page
    assert "round 2</th>" in page
    assert "No request is in sight" in page
    assert figures["failures_by_rule.evolve.no_request"] == counts["no_request"]
    assert "funnel.png" in artifacts
