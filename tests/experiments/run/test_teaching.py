"""Runs whose F asks what a row teaches: accounts, scores, open tasks, and what reaches a solver."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autoevol
from tests.support.command_line import rows_of, run_cli, summary_of

WORLD = {"model": "scripted/world", "concurrency": 4}
MODELS = {
    "evolver": WORLD,
    "solver": {"model": "scripted/weak", "temperature": 0.7},
    "strong_solver": {**WORLD, "temperature": 0.7},
}
TEACH = {"rules": ["strict"], "teach": ["learnable"]}
NONE = {"name": "none"}
RUN = Path("runs/test")


def test_a_row_that_teaches_nothing_fails_at_its_own_stage(
    write_config: Callable[..., Path],
) -> None:
    config = write_config(30, models=MODELS, failure=TEACH, optimizer=NONE)
    run_cli("run", str(config), expected=0)

    summary, (count,) = summary_of(RUN), summary_of(RUN)["rounds"]
    failed = [row for row in rows_of(RUN / "failures.jsonl") if row["failed_at"] == "teach"]
    kept = rows_of(RUN / "evolved.jsonl")
    assert count["entered"] == 30 == count["kept"] + count["failed"] + count["unscored"]
    assert sum(summary["failures_by_rule"]["teach"].values()) == len(failed) > 0
    assert {row["reasons"][0]["rule"] for row in failed} <= {"too_easy", "too_hard", "no_gap"}
    assert all(row["response"] for row in failed)
    for row in kept:
        scores = row["scores"]
        assert scores["weak_rate"] <= 0.5
        assert scores["strong_rate"] >= 0.65
        assert scores["rate_gap"] >= 0.2


def test_a_row_that_failed_before_reaches_no_solver(write_config: Callable[..., Path]) -> None:
    config = write_config(30, models=MODELS, failure=TEACH, optimizer=NONE)
    run_cli("run", str(config), expected=0)

    failures = rows_of(RUN / "failures.jsonl")
    early = [row for row in failures if row["failed_at"] != "teach"]
    reached = 30 - len(early)
    calls = summary_of(RUN)["calls_by_role"]
    assert {row["usage"]["calls"] for row in early} <= {1, 2}
    # Five of the row and five of its parent; the look at the seeds made some of the latter.
    assert calls["solver"] <= 10 * reached
    assert calls["strong_solver"] <= 10 * reached + 24


def test_calls_stay_below_the_estimate(write_config: Callable[..., Path]) -> None:
    from autoevol.experiments.config.experiment import load_config
    from autoevol.experiments.run.planning.estimate import estimate
    from autoevol.experiments.run.planning.plan import make_plan

    config = write_config(30, models=MODELS, failure=TEACH)
    bounds = estimate(make_plan(load_config(config), str(config)))
    run_cli("run", str(config), "--force", expected=0)

    for role, calls in summary_of(RUN)["calls_by_role"].items():
        assert calls <= sum(bound.calls for bound in bounds if bound.role == role)


OPEN = [{"id": f"p{i}", "instruction": f"Write a poem about the {i} tides."} for i in range(9)]


def with_open_seeds(write_config: Callable[..., Path], **sections: Any) -> str:
    Path("open.jsonl").write_text("\n".join(map(json.dumps, OPEN)) + "\n")
    return str(write_config(models=MODELS, optimizer=NONE, data={"path": "open.jsonl"}, **sections))


def test_without_results_and_a_judge_the_other_rules_decide(
    write_config: Callable[..., Path],
) -> None:
    failure = {"rules": ["strict"], "teach": ["learnable", "-demands_no_more"]}
    result = run_cli("run", with_open_seeds(write_config, failure=failure), expected=0)
    assert "failure.teach abstains: none of 9 seeds has a result" in " ".join(result.out.split())
    assert "teach" not in summary_of(RUN)["failures_by_rule"]
    assert "none of 9 seeds has a result" in summary_of(RUN)["teach_abstains"]
    assert "failure.teach abstained: none of 9 seeds" in (RUN / "report.html").read_text("utf-8")


def test_where_nothing_would_decide_nothing_is_paid(write_config: Callable[..., Path]) -> None:
    failure = {"rules": [], "teach": ["learnable", "-demands_no_more"]}
    result = run_cli("run", with_open_seeds(write_config, failure=failure), expected=2)
    assert "test.yaml: failure.teach" in result.err
    assert not (RUN / "evolved.jsonl").exists()


def test_an_admitted_judge_decides_open_rows(write_config: Callable[..., Path]) -> None:
    evolve = {"methods": ["weak"], "attempts": 4}
    run_cli("run", with_open_seeds(write_config, failure=TEACH, evolve=evolve), expected=0)
    summary = summary_of(RUN)
    kept = rows_of(RUN / "evolved.jsonl")
    assert any(row["scores"].get("demands_more") == 1 for row in kept)
    assert summary["rows_unknown"] == sum("unknown" in row for row in kept)


def test_a_weak_solver_that_is_the_evolver_is_named_wherever_a_run_starts(
    write_config: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    models = {**MODELS, "solver": {**WORLD, "temperature": 0.9}}
    sections = {"models": models, "failure": TEACH, "optimizer": NONE}
    for matrix in (None, {"seed": [1, 2]}):
        config = str(write_config(30, **sections, matrix=matrix))
        out = " ".join(run_cli("run", config, "--dry-run", expected=0).out.split())
        assert out.count("judges its own work") == 1, "once, whatever the cells"
    seeds = ["What is 12 times 7?", "What is 15 plus 9?"]
    autoevol.evolve(seeds, model=models, method="weak", failure=TEACH)
    assert "judges its own work" in caplog.text


@pytest.mark.parametrize("responds", [True, False])
def test_rows_that_are_not_answered_teach_as_well(
    responds: bool, write_config: Callable[..., Path]
) -> None:
    evolve = {"methods": ["weak"], "respond": responds}
    config = write_config(12, models=MODELS, failure=TEACH, optimizer=NONE, evolve=evolve)
    run_cli("run", str(config), expected=0)
    assert all("weak_rate" in row["scores"] for row in rows_of(RUN / "evolved.jsonl"))


def test_the_terminal_and_the_report_count_what_nobody_could_tell(
    write_config: Callable[..., Path],
) -> None:
    rivers = {"id": "r", "instruction": "List the 3 largest rivers of Europe."}
    Path("mixed.jsonl").write_text("\n".join(map(json.dumps, [*OPEN, rivers])) + "\n")
    failure = {"rules": [], "teach": ["learnable", "-demands_no_more"]}
    config = write_config(
        models=MODELS,
        optimizer=NONE,
        data={"path": "mixed.jsonl"},
        failure=failure,
        evolve={"methods": ["weak"], "attempts": 6},
    )
    result = run_cli("run", str(config), expected=0)

    unknown = summary_of(RUN)["rows_unknown"]
    assert unknown == sum("unknown" in row for row in rows_of(RUN / "evolved.jsonl")) > 0
    assert f"kept, unknown if they teach │ {unknown} " in " ".join(result.out.split())
    report = (RUN / "report.html").read_text("utf-8")
    assert f"of {unknown} of the kept rows nobody could tell what they teach" in report


def test_a_preview_asks_no_solver(write_config: Callable[..., Path]) -> None:
    config = write_config(12, models=MODELS, failure=TEACH, optimizer=NONE)
    result = run_cli("preview", str(config), expected=0)
    words = " ".join(result.out.split())
    assert "not asked here: too_hard, too_easy, no_gap, demands_no_more" in words
    assert "nobody" not in words


def test_another_solver_makes_another_run(write_config: Callable[..., Path]) -> None:
    config = write_config(12, models=MODELS, failure=TEACH, optimizer=NONE)
    run_cli("run", str(config), expected=0)
    result = run_cli("run", str(config), "--set", "models.solver.temperature=1.3", expected=2)
    assert "holds a run with another models.solver.temperature" in " ".join(result.err.split())


def test_the_answer_to_a_row_of_an_earlier_round_is_no_known_result(
    write_config: Callable[..., Path],
) -> None:
    evolve = {"methods": ["weak"], "rounds": 2, "attempts": 4}
    config = write_config(20, models=MODELS, failure=TEACH, optimizer=NONE, evolve=evolve)
    run_cli("run", str(config), expected=0)
    second = [row for row in rows_of(RUN / "evolved.jsonl") if row["round"] == 2]
    first = {row["id"]: row for row in rows_of(RUN / "evolved.jsonl") if row["round"] == 1}
    # The world's answers state no result that its solvers find, so as known ones all would be 0.
    for row in second:
        if "parent_rate" in row["scores"]:
            assert row["scores"]["parent_rate"] == first[row["parent_id"]]["scores"]["weak_rate"]


def test_a_filter_goes_by_the_rates(write_config: Callable[..., Path]) -> None:
    band = {"name": "band", "score": "weak_rate", "low": -1, "high": 0.1}
    config = write_config(20, models=MODELS, failure=TEACH, optimizer=NONE, filters=[band])
    run_cli("run", str(config), expected=0)
    for row in rows_of(RUN / "evolved.jsonl"):
        assert (row["filtered_by"] == "band") == (row["scores"]["weak_rate"] > 0.1)


def test_judge_check_examines_the_question_of_what_demands_more(workplace: Path) -> None:
    result = run_cli("judge-check", "scripted/world", "--rule", "demands_no_more", "--json")
    figures = json.loads(result.out)
    assert figures["demands_no_more"]["is_fit"]
