"""Whole runs through the command line: scripted model, real Optuna, real MLflow on SQLite."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import dspy
import mlflow
import pytest
from dspy.utils.exceptions import ContextWindowExceededError, LMTransportError

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.models.transports.scripted import HARM, SAFEGUARD, world
from tests.support.command_line import rows_of, run_cli, summary_of
from tests.support.counting import counting

WriteConfig = Callable[..., Path]


def test_the_search_finds_the_method_that_truly_fails_less(write_config: WriteConfig) -> None:
    config = write_config(60)

    assert run_cli("run", str(config)).code == 0

    summary = summary_of(Path("runs/test"))
    best = Path("runs/test/methods/best.md").read_text()
    assert SAFEGUARD in best
    assert summary["accepted_steps"] >= 1
    assert (
        summary["failure_rate_heldout_best"]["rate"]
        < summary["failure_rate_heldout_initial"]["rate"]
    )
    assert summary["heldout_verdict"] == "the best method is better"


def test_the_incumbent_stays_when_every_candidate_is_worse(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def harmful(messages: Sequence[Message], draw: int) -> str:
        if messages[0]["content"].startswith("You improve a method"):
            return f"You rewrite instructions, variant {draw}. {HARM}"
        return world(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "harmful", harmful)
    search = {"steps": 2, "batch_size": 4, "candidates": 4, "operators": ["rewrite"]}
    config = write_config(models={"evolver": {"model": "scripted/harmful"}}, optimizer=search)

    assert run_cli("run", str(config)).code == 0

    summary = summary_of(Path("runs/test"))
    assert summary["accepted_steps"] == 0
    assert summary["failure_rate_best"] == summary["failure_rate_initial"]
    assert summary["heldout_verdict"] == "the initial method stays"
    assert "weak" in Path("runs/test/methods/best.md").read_text()


def test_every_row_is_accounted_for(write_config: WriteConfig) -> None:
    config = write_config(evolve={"methods": ["weak"], "rounds": 2, "attempts": 2})

    run_cli("run", str(config))

    folder = Path("runs/test")
    summary, evolved = summary_of(folder), rows_of(folder / "evolved.jsonl")
    failed = rows_of(folder / "failures.jsonl")
    first, second = summary["rounds"]
    assert first["entered"] == summary["rows_in"] == 30
    assert second["entered"] == first["kept"]
    for count in (first, second):
        assert count["entered"] == count["kept"] + count["failed"] + count["unscored"]
    assert len(evolved) == summary["rows_out"] == first["kept"] + second["kept"]
    assert len(failed) == summary["rows_failed"] == first["failed"] + second["failed"]
    assert len({row["id"] for row in evolved}) == len(evolved)
    assert all(row["reasons"] and row["failed_at"] for row in failed)
    assert all(row["origin"] and row["seed_id"] and row["parent_id"] for row in evolved + failed)


def test_the_folder_holds_what_the_contract_names(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(output={"formats": ["alpaca", "messages", "sharegpt"]})))

    names = {path.relative_to("runs/test").as_posix() for path in Path("runs/test").rglob("*")}
    assert names >= {
        "config.yaml",
        "evolved.jsonl",
        "failures.jsonl",
        "methods/step-01.md",
        "methods/best.md",
        "program.json",
        "ledger.sqlite",
        "summary.json",
        "report.html",
        "exports/alpaca.jsonl",
        "exports/messages.jsonl",
        "exports/sharegpt.jsonl",
    }
    assert "unscored.jsonl" not in names


def test_mlflow_shows_a_parent_and_a_child_for_each_candidate(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config()))

    summary = summary_of(Path("runs/test"))
    client = mlflow.MlflowClient()
    parent = client.get_run(summary["mlflow_run_id"])
    children = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    points = client.get_metric_history(parent.info.run_id, "failure_rate")
    ids = {child.data.tags["candidate_id"] for child in children}
    evaluated = [child for child in children if "failure_rate" in child.data.metrics]
    artifacts = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert parent.info.status == "FINISHED"
    assert parent.data.params["models.evolver.model"] == "scripted/world"
    assert parent.inputs
    assert parent.inputs.dataset_inputs
    assert ids == {"initial"} | {
        f"step-{s:02d}-candidate-{c}" for s in range(1, summary["steps"] + 1) for c in range(1, 5)
    }
    assert all(child.info.status == "FINISHED" for child in children)
    names = {child.data.tags["candidate_id"]: child.info.run_name for child in children}
    assert names["initial"] == "initial"
    assert names["step-01-candidate-2"].startswith("1.2 ")
    assert evaluated
    assert {"method.md", "dev_verdicts.json"} <= {
        file.path for file in client.list_artifacts(evaluated[0].info.run_id)
    }
    assert [point.step for point in points] == list(range(summary["steps"] + 1))
    assert {"report.html", "failure_rate.png", "evolved.jsonl", "rows.json"} <= artifacts


def test_the_best_method_is_in_the_prompt_registry(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(name="registry check")), expected=2)
    run_cli("run", str(write_config(name="registry.check")))

    best = mlflow.genai.load_prompt("prompts:/autoevol-registry.check@best")
    assert best.template == Path("runs/registry.check/methods/best.md").read_text()


def test_a_finished_run_prints_its_summary_and_calls_nothing(write_config: WriteConfig) -> None:
    config = write_config()
    run_cli("run", str(config))
    before = Path("runs/test/summary.json").stat().st_mtime_ns

    again = run_cli("run", str(config))

    assert again.code == 0
    assert "rows in / out" in again.out
    assert Path("runs/test/summary.json").stat().st_mtime_ns == before


@pytest.mark.usefixtures("_listening_to_ctrl_c")
@pytest.mark.parametrize("how", ["budget", "Ctrl-C"])
def test_an_interrupted_run_goes_on_and_pays_no_call_twice(
    how: str, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    interrupt_at = 60 if how == "Ctrl-C" else None
    monkeypatch.setitem(scripted.SCRIPTS, "counted", counting(calls, interrupt_at=interrupt_at))
    cap = {"calls": 60} if how == "budget" else {}
    config = write_config(models={"evolver": {"model": "scripted/counted"}}, budget=cap)

    stopped = run_cli("run", str(config))

    assert stopped.code == 3
    assert "resumes" in stopped.err
    assert not Path("runs/test/summary.json").exists()
    assert 60 <= len(calls) <= 60 + 16

    run_cli("run", str(config), "--set", "budget.calls=null", expected=0)

    summary = summary_of(Path("runs/test"))
    points = mlflow.MlflowClient().get_metric_history(summary["mlflow_run_id"], "failure_rate")
    assert summary["resumed"]
    assert summary["calls"] == len(calls)
    assert len({point.step for point in points}) == len(points) == summary["steps"] + 1
    assert mlflow.get_run(summary["mlflow_run_id"]).info.status == "FINISHED"


def test_unscored_rows_are_counted_listed_and_tried_again(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outage(messages: Sequence[Message], draw: int) -> str:
        if Path("outage").exists() and "List the 7" in messages[-1]["content"]:
            raise LMTransportError("the line is dead")
        return world(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "outage", outage)
    config = write_config(models={"evolver": {"model": "scripted/outage", "attempts": 1}})
    Path("outage").touch()

    run_cli("run", str(config), expected=0)
    before = summary_of(Path("runs/test"))
    listed = rows_of(Path("runs/test/unscored.jsonl"))
    Path("outage").unlink()
    run_cli("run", str(config), expected=0)

    after = summary_of(Path("runs/test"))
    figures = mlflow.get_run(after["mlflow_run_id"]).data.metrics
    assert before["rows_unscored"] == len(listed) == 1
    assert listed[0]["seed_id"] == "seed-7"
    assert after["rows_unscored"] == 0
    assert after["rows_out"] + after["rows_failed"] == after["rows_in"] == 30
    assert not Path("runs/test/unscored.jsonl").exists()
    assert figures["rows/unscored"] == 0


def test_a_dead_proposal_is_a_rejected_candidate(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(messages: Sequence[Message], draw: int) -> str:
        if messages[0]["content"].startswith("You improve"):
            raise ContextWindowExceededError(message="the prompt exceeds the context")
        return world(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "silent", silent)
    search = {"steps": 2, "batch_size": 4, "candidates": 4, "operators": ["rewrite"]}
    config = write_config(models={"evolver": {"model": "scripted/silent"}}, optimizer=search)
    run_cli("run", str(config), expected=0)
    assert summary_of(Path("runs/test"))["accepted_steps"] == 0
    assert "the call failed" in Path("runs/test/report.html").read_text()


def test_line_separators_in_a_row_break_no_file(write_config: WriteConfig) -> None:
    config = write_config(optimizer={"name": "none"}, failure={"rules": []})
    Path("seeds.jsonl").write_text(json.dumps({"instruction": "Name trees\u2028and\u0085why."}))
    run_cli("run", str(config), expected=0)
    assert summary_of(Path("runs/test"))["rows_out"] == 1


def test_fresh_keeps_the_old_folder(write_config: WriteConfig) -> None:
    config = write_config()
    run_cli("run", str(config))

    run_cli("run", str(config), "--fresh")

    assert len([path for path in Path("runs").iterdir() if path.name.startswith("test")]) == 2
    assert not summary_of(Path("runs/test"))["resumed"]


def test_program_json_loads_into_a_plain_predictor(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config()))

    predictor = dspy.Predict("instruction -> evolved_instruction")
    predictor.load("runs/test/program.json")

    best = Path("runs/test/methods/best.md").read_text()
    assert predictor.signature.instructions in best
    assert list(predictor.signature.input_fields) == ["instruction"]
    assert list(predictor.signature.output_fields) == ["evolved_instruction"]


def test_the_stepwise_program_loads_with_its_two_outputs(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(optimizer={"name": "none"}, evolve={"methods": ["e0"]})))

    predictor = dspy.Predict("instruction -> thinking, evolved_instruction")
    predictor.load("runs/test/program.json")

    fields = predictor.signature.output_fields
    assert "Step 4:" in predictor.signature.instructions
    assert "never an answer" in fields["evolved_instruction"].json_schema_extra["desc"]


def test_optimize_then_evolve_uses_the_method_found(write_config: WriteConfig) -> None:
    config = write_config(60)
    assert run_cli("optimize", str(config)).code == 0
    method = Path("runs/test/methods/best.md")

    applied = run_cli("evolve", str(config), "--method", str(method), "--out", "runs/applied")

    assert applied.code == 0
    assert SAFEGUARD in Path("runs/applied/methods/best.md").read_text()
    assert summary_of(Path("runs/applied"))["steps"] == 0


def test_a_dry_run_writes_nothing_and_prints_the_estimate(write_config: WriteConfig) -> None:
    config = write_config()

    dry = run_cli("run", str(config), "--dry-run")

    assert dry.code == 0
    assert "optimizer" in dry.out
    assert not Path("runs").exists()


def test_after_a_first_try_the_estimate_knows_what_calls_use(write_config: WriteConfig) -> None:
    config = str(write_config(budget={"calls": 60}))
    before = run_cli("run", config, "--dry-run", expected=0)
    run_cli("run", config, expected=3)
    after = run_cli("run", config, "--dry-run", expected=0)

    assert "shorter than max_tokens" in before.out
    assert "average of the calls" in after.out
    assert tokens_out(after.out) < 0.1 * tokens_out(before.out)


def tokens_out(table: str) -> int:
    """Return the sum of the column "tokens out"."""
    rows = [line.split("│") for line in table.splitlines() if line.startswith("│")]
    return sum(int(cells[6].replace(",", "")) for cells in rows if cells[6].strip())


def test_limit_makes_a_small_trial_in_a_folder_of_its_own(write_config: WriteConfig) -> None:
    sizes = {"steps": 9, "candidates": 9, "batch_size": 9, "patience": 9}
    config = write_config(optimizer={"policy": "paper", **sizes})

    run_cli("run", str(config), "--limit", "6", expected=0)

    summary = summary_of(Path("runs/test-limit-6"))
    assert summary["rows_in"] == 6
    assert summary["steps"] == 2
    assert summary["calls_by_role"]["optimizer"] == 2 * 2 * 2
    assert summary["failure_rate_initial"]["scored"] == 2
    assert run_cli("run", str(config), "--set", "optimizer.steps=1").code == 0


@pytest.mark.parametrize("folder", ["runs/mine/", "../apart"])
def test_a_trial_leaves_the_folder_of_the_whole_run_alone(
    folder: str, write_config: WriteConfig, workplace: Path
) -> None:
    plain = {"optimizer": {"name": "none"}, "failure": {"rules": []}}
    config = str(write_config(9, **plain, output={"dir": folder}))
    run_cli("run", config, "--limit", "3", expected=0)
    run_cli("run", config, expected=0)
    trial = f"{Path(folder).resolve()}-limit-3"
    assert [summary_of(Path(f))["rows_in"] for f in (trial, folder)] == [3, 9]
    # A folder that the command names is the trial's own.
    run_cli("run", config, "--limit", "3", "--out", "runs/small", expected=0)
    assert summary_of(Path("runs/small"))["rows_in"] == 3
    run_cli("continue", folder, "--limit", "2", expected=0)
    further = f"{Path(folder).resolve()}-round-2"
    assert summary_of(Path(f"{further}-limit-2"))["rows_in"] == 2
    assert not Path(further).exists()


def test_without_rules_and_responses_a_method_is_just_applied(write_config: WriteConfig) -> None:
    config = write_config(
        optimizer={"name": "none"},
        evolve={"methods": ["e0-direct"], "respond": False},
        failure={"rules": []},
    )

    run_cli("run", str(config))

    summary = summary_of(Path("runs/test"))
    assert summary["calls_by_role"] == {"evolver": 30}
    assert summary["rows_out"] == 30
