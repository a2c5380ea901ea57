"""Searches through the command line: every optimiser, headroom, and what is kept without a gain."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlflow
import optuna
import pytest

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.models.transports.scripted import SAFEGUARD, world
from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]
SMALL = {"steps": 2, "batch_size": 4, "candidates": 4}


def summary_of(folder: str = "runs/test") -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((Path(folder) / "summary.json").read_text())
    return summary


@pytest.mark.parametrize("name", ["auto_evol", "paper", "gepa", "miprov2"])
def test_every_optimiser_writes_the_same_records(name: str, write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(optimizer={"name": name, **SMALL})), expected=0)

    summary = summary_of()
    assert summary["steps"] >= 1
    assert summary["failure_rate_initial"]["scored"] == 12
    assert summary["failure_rate_heldout_best"]["scored"] == 12
    client = mlflow.MlflowClient()
    parent = client.get_run(summary["mlflow_run_id"])
    children = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    assert parent.data.params["optimizer.name"] == name
    assert {child.data.params["operator"] for child in children if "operator" in child.data.params}
    assert len(client.get_metric_history(parent.info.run_id, "failure_rate")) == (
        summary["steps"] + 1
    )
    assert "The search" in Path("runs/test/report.html").read_text()


def test_the_paper_measures_every_candidate_on_every_row(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(optimizer={"name": "paper", **SMALL})), expected=0)
    page = Path("runs/test/report.html").read_text()
    assert "stopped after" not in page
    assert "Confirmation on fresh rows" not in page


@pytest.mark.parametrize("is_checked", [True, False])
def test_accepted_methods_are_shown_on_rows_that_did_not_choose_them(
    is_checked: bool, write_config: WriteConfig
) -> None:
    search = {"name": "auto_evol", **SMALL, "steps": 4, "check_accepted": is_checked}
    data = {"path": "seeds.jsonl", "dev_size": 12, "heldout_size": 12, "fresh_size": 6}
    run_cli("run", str(write_config(40, optimizer=search, data=data)), expected=0)

    summary = summary_of()
    first, *accepted = summary["accepted_methods"]
    assert len(accepted) == summary["accepted_steps"] >= 1
    assert first["dev"] == summary["failure_rate_initial"]
    assert first["heldout"] == summary["failure_rate_heldout_initial"]
    assert [line["step"] for line in accepted] == sorted({line["step"] for line in accepted})
    assert accepted[-1]["dev"]["scored"] == 12
    if is_checked:
        rates = [
            line[name] for line in summary["accepted_methods"] for name in ("fresh", "heldout")
        ]
        assert all(rate["scored"] for rate in rates)
    assert "Accepted methods on rows that did and did not choose them" in (
        Path("runs/test/report.html").read_text()
    )


def faultless(messages: Sequence[Message], draw: int) -> str:
    """Play the world with a method that never fails."""
    guarded = [{**messages[0], "content": f"{messages[0]['content']} {SAFEGUARD}"}, *messages[1:]]
    is_evolver = messages[0]["content"].startswith("You rewrite instructions")
    return world(guarded if is_evolver else messages, 5 if is_evolver else draw)


def test_a_search_that_could_tell_nothing_is_skipped_unless_forced(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "faultless", faultless)
    config = str(write_config(models={"evolver": {"model": "scripted/faultless"}}))

    done = run_cli("run", config, expected=0)

    summary = summary_of()
    assert "must win 4 of them" in summary["search_skipped"]
    assert summary["steps"] == 0
    assert "skipped" in done.out
    assert summary["rows_in"] == 30
    calls = summary["calls"]

    run_cli("run", config, "--force", expected=0)

    forced = summary_of()
    assert forced["steps"] >= 1
    assert forced["search_skipped"] is None
    assert forced["calls_replayed"] >= calls - 1, "what was paid is not paid again"


def indifferent(messages: Sequence[Message], draw: int) -> str:
    """Play a world in which the method makes no difference."""
    system = messages[0]["content"]
    if system.startswith("You improve a method"):
        return f"You rewrite instructions, harder, variant {draw}."
    if not system.startswith("You rewrite instructions"):
        return world(messages, draw)
    return world([{"role": "system", "content": "The same for all."}, *messages[1:]], draw)


@pytest.mark.parametrize(("choice", "kept"), [("keep_initial", "weak"), ("keep_best", "step-01")])
def test_what_is_applied_when_held_out_rows_show_no_gain(
    choice: str, kept: str, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "indifferent", indifferent)
    settings = {"name": "paper", "on_no_gain": choice, **SMALL, "incumbent": False, "steps": 1}
    model = {"model": "scripted/indifferent", "concurrency": 4}
    config = write_config(models={"evolver": model}, optimizer=settings)

    done = run_cli("run", str(config), expected=0)

    summary = summary_of()
    before, after = (summary[f"failure_rate_heldout_{k}"] for k in ("initial", "best"))
    assert after == before
    assert f"name: {kept}" in Path("runs/test/methods/best.md").read_text()
    assert ("(optimizer.on_no_gain)" in done.out) == (choice == "keep_initial")


def test_the_study_can_be_looked_at_and_is_written_anew_on_resume(
    write_config: WriteConfig,
) -> None:
    config = str(write_config(optimizer={**SMALL, "storage": "sqlite:///study.db"}))

    for budget in (40, 10_000):
        run_cli("run", config, "--set", f"budget.calls={budget}")

    study = optuna.load_study(study_name="test", storage="sqlite:///study.db")
    states = [trial.state.name for trial in study.trials]
    assert {trial.user_attrs["step"] for trial in study.trials} == {0, 1}
    assert sum(state != "FAIL" for state in states) <= 8
    assert "RUNNING" not in states


def test_a_storage_that_cannot_be_opened_is_one_line(write_config: WriteConfig) -> None:
    config = str(write_config(optimizer={**SMALL, "storage": "sqlite:////nowhere/study.db"}))
    done = run_cli("run", config, expected=2)
    assert "optimizer.storage" in done.err
    assert done.err.count("\n") == 1


def test_a_paper_config_may_change_single_settings(write_config: WriteConfig) -> None:
    config = write_config(optimizer={"name": "paper", "pruner": "halving", **SMALL})
    run_cli("run", str(config), expected=0)
    resolved = Path("runs/test/config.yaml").read_text()
    assert "pruner: halving" in resolved
    assert "acceptance: lowest" in resolved


def test_gepa_follows_our_search_in_one_run(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "indifferent", indifferent)
    model = {"model": "scripted/indifferent", "concurrency": 4}
    search = {**SMALL, "then": "gepa", "headroom": False}
    run_cli("run", str(write_config(models={"evolver": model}, optimizer=search)), expected=0)
    steps = json.loads(Path("runs/test/steps.json").read_text("utf-8"))["steps"]
    operators = [{p["operator"] for p in step["proposals"]} for step in steps]
    assert len(operators) > SMALL["steps"]
    assert all(names == {"gepa"} for names in operators[SMALL["steps"] :])
    assert not any("gepa" in names for names in operators[: SMALL["steps"]])


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"name": "paper", "then": "gepa"}, "then is for auto_evol, not for paper"),
        ({"pruner": "mcnemer"}, "optimizer.pruner"),
        ({"operators": []}, "optimizer.operators"),
        ({"race_worth": 0.4}, "optimizer.race_worth"),
        ({"accept_level": 1}, "optimizer.accept_level"),
        ({"operators": ["rewrite", "pray"]}, "optimizer.operators"),
    ],
)
def test_a_mistake_in_a_strategy_is_one_line(
    settings: dict[str, Any], key: str, write_config: WriteConfig
) -> None:
    done = run_cli("run", str(write_config(optimizer=settings)), expected=2)
    assert key in done.err
    assert not Path("runs").exists()
