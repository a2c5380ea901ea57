"""`verify` in the config of a run: the rows that the run kept go through the nine stages."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.sandbox import bubblewrap
from tests.support.batch_provider import batch_provider
from tests.support.command_line import run_cli
from tests.support.verifying import SMALL, verifier

STAGES = ("You invent constraints", "You write a Python function", "You read a Python function")
calls: list[str] = []


def both(messages: Sequence[Message], draw: int) -> str:
    """Evolve as the scripted world does; answer the stages and their tasks as `verifier` does."""
    system, user = messages[0]["content"], messages[-1]["content"]
    calls.append(system)
    is_task = "the word " in user and " at least twice" in user
    is_stage = system.startswith((*STAGES, "You compare two orders", "You grade an answer"))
    return (verifier if is_stage or is_task else scripted.world)(messages, draw)


@pytest.fixture(autouse=True)
def _scripted(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "both", both)
    calls.clear()
    lines = [json.dumps({"id": f"q{n}", "instruction": f"Name {n} fruits."}) for n in range(1, 9)]
    (workplace / "seeds.jsonl").write_text("\n".join(lines) + "\n")
    (workplace / "constraints.txt").write_text("Use the word fig at least twice.\n")


def _config(verify: dict[str, Any] | None = None, **sections: Any) -> str:
    own = {
        **SMALL,
        "proposals": 0,
        "queries": 3,
        "responses": 6,
        **(verify or {}),
    }
    config = {
        "name": "whole",
        "models": {"evolver": {"model": "scripted/both"}},
        "data": {"path": "seeds.jsonl"},
        "optimizer": {"name": "none"},
        "verify": own,
        **sections,
    }
    Path("whole.yaml").write_text(yaml.safe_dump(config))
    return "whole.yaml"


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("runs/whole", name).read_text("utf-8").splitlines()]


def test_the_rows_that_a_run_kept_are_verified() -> None:
    run_cli("run", _config(), expected=0)
    kept = {row["id"]: row["instruction"] for row in _lines("evolved.jsonl")}
    verified = _lines("verified/verified.jsonl")
    assert verified
    for row in verified:
        assert row["seed_id"] in kept
        assert row["instruction"].startswith(kept[row["seed_id"]])
    funnel = json.loads(Path("runs/whole/verified/funnel.json").read_text("utf-8"))
    assert {count["stage"]: count["left"] for count in funnel}["join"] == min(3, len(kept))


def test_a_finished_run_is_verified_by_the_same_command_without_a_call() -> None:
    config = _config()
    run_cli("run", config, expected=0)
    rows = Path("runs/whole/verified/verified.jsonl").read_bytes()
    Path("runs/whole/verified/verified.jsonl").unlink()
    calls.clear()
    run_cli("run", config, expected=0)
    assert not calls
    assert Path("runs/whole/verified/verified.jsonl").read_bytes() == rows


def test_other_stages_make_no_other_run() -> None:
    run_cli("run", _config(), expected=0)
    calls.clear()
    run_cli("run", _config({"responses": 7}), expected=0)
    stages = [system for system in calls if not system.startswith("You grade")]
    assert 0 < len(stages) <= 3  # one more answer to each task


def test_a_small_trial_is_small_in_all_stages() -> None:
    lines = [f"Use the word {word} at least twice.\n" for word in ("fig", "plum", "pear", "nut")]
    Path("constraints.txt").write_text("".join(lines))
    run_cli("run", _config({"kinds": 9, "proposals": 5}), "--limit", "3", expected=0)
    funnel = json.loads(Path("runs/whole-limit-3/verified/funnel.json").read_text("utf-8"))
    proposed = next(count for count in funnel if count["stage"] == "propose")
    assert proposed["entered"] == 3 + 5  # three seeds, and one call that names five
    lines = Path("runs/whole-limit-3/verified/constraints.jsonl").read_text().splitlines()
    assert sum('"shipped"' in line for line in lines) == 2


def test_stages_in_batches_make_the_set_of_single_calls() -> None:
    batch = {"max_requests": 10, "max_wait": 0.3, "min_rows": 2, "poll": 0.1}
    sets = []
    with batch_provider(script=both) as provider:
        for options in ({}, {"batch": batch}):
            evolver = {"model": "openai/m", "api_base": provider.url, **options}
            run_cli("run", _config(models={"evolver": evolver}), "--fresh", "--yes", expected=0)
            sets.append(sorted(row["instruction"] for row in _lines("verified/verified.jsonl")))
    assert sets[0] == sets[1]
    assert sets[0]
    assert {*provider.paid.values()} == {1}
    shown = run_cli("batches", "runs/whole", expected=0).out
    assert "fetched" in shown


def test_mlflow_has_the_set_under_its_run() -> None:
    run_cli("run", _config(), expected=0)
    client = mlflow.MlflowClient()
    parent = json.loads(Path("runs/whole/summary.json").read_text("utf-8"))["mlflow_run_id"]
    experiment = client.get_run(parent).info.experiment_id
    (run,) = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
    assert run.data.tags["run_kind"] == "verify"


def test_a_dry_run_prints_the_calls_of_both() -> None:
    shown = run_cli("run", _config(), "--dry-run", expected=0).out
    assert "then verified data" in shown
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("verify", "sections", "words"),
    [
        ({"constraints": "missing.txt"}, {}, "verify.constraints"),
        ({"constraints": "x" * 300}, {}, "verify.constraints"),
        ({"nli": "no/such-folder-of-mine"}, {}, "verify.nli"),
        ({"sandbox": "none"}, {}, "`autoevol verify` allows it"),
        ({}, {"matrix": {"seed": [1, 2]}}, "verify: a matrix"),
    ],
)
def test_a_wrong_setting_is_one_line_before_the_first_call(
    verify: dict[str, Any],
    sections: dict[str, Any],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = run_cli("run", _config(verify, **sections), expected=2)
    assert words in result.err
    assert not calls
    assert not Path("runs").exists()


def test_a_run_that_kept_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "both", lambda messages, draw: "")
    shown = run_cli("run", _config(), expected=0).out
    assert _lines("evolved.jsonl") == []
    assert "kept no single instruction" in shown


def test_a_sandbox_that_is_not_there_is_found_before_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bubblewrap, "_program", lambda: None)
    result = run_cli("run", _config({"sandbox": "bwrap"}), expected=2)
    assert "whole.yaml: verify.sandbox" in result.err
    assert not calls


def test_seeds_with_checks_make_queries() -> None:
    checks = [{"kind": "no_commas"}]
    lines = [
        json.dumps({"id": f"q{n}", "instruction": f"Name {n} fruits.", "checks": checks})
        for n in range(1, 9)
    ]
    Path("seeds.jsonl").write_text("\n".join(lines) + "\n")
    run_cli("run", _config(), expected=0)
    assert _lines("verified/verified.jsonl")


def test_a_run_whose_rows_all_have_checks_says_so() -> None:
    shown = run_cli("run", _config(evolve={"checks": 1}), expected=0).out
    assert "kept no single instruction" in shown


def test_conversations_alone_are_refused_before_the_first_call() -> None:
    turns = [("user", "Hi."), ("assistant", "Hello."), ("user", "And?"), ("assistant", "Fine.")]
    messages = [{"role": role, "content": content} for role, content in turns]
    Path("seeds.jsonl").write_text(json.dumps({"id": "c", "messages": messages}) + "\n")
    assert "no single instruction" in run_cli("run", _config(), expected=2).err
    assert not calls
