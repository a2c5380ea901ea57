"""`autoevol score`: figures by round, on disk and in MLflow; nothing paid twice."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
import yaml

from autoevol.experiments.scores.target import ScoreRequest, find_target
from tests.support.command_line import rows_of, run_cli

WriteConfig = Callable[..., Path]
RUN = Path("runs/test")
JUDGED = "length,complexity,difficulty,chain,tags,grade"
NO_SEARCH = {"optimizer": {"name": "none"}, "evolve": {"methods": ["weak"], "rounds": 2}}


def ledger_calls() -> int:
    with sqlite3.connect(RUN / "ledger.sqlite") as db:
        return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])


def test_a_run_gets_figures_by_round_and_by_row(finish: WriteConfig) -> None:
    finish(12, **NO_SEARCH)
    before = ledger_calls()

    shown = run_cli("score", str(RUN), "--scores", JUDGED, expected=0).out

    rounds = json.loads((RUN / "scores.json").read_text())["rounds"]
    assert [figures["round"] for figures in rounds] == [0, 1, 2]
    words, complexity = rounds[0]["length"]["words"], rounds[0]["complexity"]
    assert complexity["mean"] == words == 7.0
    assert complexity["interval"] == [7.0, 7.0]
    assert rounds[1]["complexity"]["mean"] == rounds[1]["length"]["words"] > words
    assert rounds[0]["difficulty"]["levels"]["very easy"] == 12
    assert rounds[0]["grade"] == {"unscored": 12, "length_correlation": None}
    assert rounds[1]["grade"]["unscored"] == 0
    assert rounds[0]["tags"]["complexity"] == 3.0
    assert "complexity.mean" in shown
    assert ledger_calls() > before

    evolved = rows_of(RUN / "evolved.jsonl")
    assert all(row["scores"]["complexity"] == row["scores"]["words"] for row in evolved)
    assert {row["id"] for row in rows_of(RUN / "scores.jsonl")} > {row["id"] for row in evolved}


def test_scoring_again_pays_nothing_and_adds_no_point(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(12, **NO_SEARCH)), expected=0)
    run_cli("score", str(RUN), "--scores", "complexity", expected=0)
    first, calls = (RUN / "scores.json").read_bytes(), ledger_calls()
    run_cli("score", str(RUN), "--scores", "complexity", expected=0)

    assert (RUN / "scores.json").read_bytes() == first
    assert ledger_calls() == calls
    store = yaml.safe_load(Path("mlflow.yaml").read_text())["tracking_uri"]
    client = mlflow.MlflowClient(store, store)
    run_id = json.loads((RUN / "summary.json").read_text())["mlflow_run_id"]
    points = client.get_metric_history(run_id, "score/complexity")
    assert [point.step for point in points] == [0, 1, 2]
    assert "scores.json" in {artifact.path for artifact in client.list_artifacts(run_id)}


@pytest.mark.parametrize(
    ("file", "content"),
    [("steps.json", "{"), ("failures.jsonl", None), ("summary.json", "{}")],
)
def test_scores_stay_where_a_damaged_folder_allows_no_report(
    file: str, content: str | None, finish: WriteConfig
) -> None:
    finish(8, **NO_SEARCH)
    report = (RUN / "report.html").read_bytes()
    if content is None:
        (RUN / file).unlink()
    else:
        (RUN / file).write_text(content)
    result = run_cli("score", str(RUN), "--scores", "length", expected=0)
    assert "length.words" in result.out
    assert result.err.count("the scores are kept") == 1
    assert file in result.err
    assert json.loads((RUN / "scores.json").read_text())["rounds"]
    assert (RUN / "report.html").read_bytes() == report


@pytest.mark.parametrize("content", [b"{", b"{}", b"\xff"])
def test_damaged_scores_are_refused_before_any_call(content: bytes, finish: WriteConfig) -> None:
    finish(8, **NO_SEARCH)
    (RUN / "scores.json").write_bytes(content)
    calls = ledger_calls()
    result = run_cli("score", str(RUN), "--scores", "complexity", expected=2)
    assert "scores.json: " in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert ledger_calls() == calls


def test_a_sample_takes_the_same_seeds_in_every_round(finish: WriteConfig) -> None:
    finish(20, **NO_SEARCH)
    options = ("--scores", "complexity", "--set", "scores.sample=5")
    run_cli("score", str(RUN), *options, expected=0)

    scored = [row for row in rows_of(RUN / "scores.jsonl") if "complexity" in row.get("values", {})]
    by_round = {n: {r["id"].split(".")[0] for r in scored if r["round"] == n} for n in (0, 1, 2)}
    assert len(by_round[0]) == 5
    alive = {r["id"].split(".")[0] for r in rows_of(RUN / "evolved.jsonl") if r["round"] == 1}
    assert by_round[1] == by_round[0] & alive


def test_a_file_is_scored_in_a_folder_of_its_own(workplace: Path) -> None:
    rows = [{"instruction": f"Name {n} rivers.", "output": "The Danube."} for n in range(6)]
    Path("mine.json").write_text(json.dumps(rows))
    options = ("--scores", "neighbours,overlap,complexity", "--judge", "scripted/world")
    run_cli("score", "mine.json", *options, expected=0)

    figures = json.loads(Path("runs/score-mine/scores.json").read_text())["rounds"][0]
    assert figures["complexity"]["scored"] == 6
    assert figures["overlap"]["rows"] == 6
    assert figures["neighbours"]["mnd"] > 0
    assert json.loads(Path("mine.json").read_text()) == rows


def test_a_grade_that_follows_length_is_said_to(workplace: Path) -> None:
    rows = [{"instruction": "Go on.", "output": "word " * n} for n in (1, 20, 40, 60)]
    Path("mine.json").write_text(json.dumps(rows))
    options = ("--scores", "grade", "--judge", "scripted/world")
    run_cli("score", "mine.json", *options, expected=0)
    figures = json.loads(Path("runs/score-mine/scores.json").read_text())["rounds"][0]["grade"]
    assert figures["scored"] == 4
    assert figures["length_correlation"] == pytest.approx(1.0)


@pytest.mark.parametrize("names", ["length", "solver", "ifd", None])
def test_a_judge_that_no_score_asks_is_refused(names: str | None, finish: WriteConfig) -> None:
    finish(8, **NO_SEARCH)
    Path("one.jsonl").write_text('{"instruction": "Name a river.", "response": "The Ob."}\n')
    options = ("--scores", names) if names else ()
    for target in (str(RUN), "one.jsonl"):
        result = run_cli("score", target, *options, "--judge", "scripted/world", expected=2)
        assert (
            result.err.strip()
            == "--judge: has no effect, since no score asks a judge; leave it out"
        )
    assert not (RUN / "scores.json").exists()


def test_without_a_word_the_free_scores_are_made(workplace: Path) -> None:
    Path("one.jsonl").write_text('{"instruction": "Name a river."}\n')
    shown = run_cli("score", "one.jsonl", expected=0).out
    assert "lexical.distinct_1" in shown
    figures = json.loads(Path("runs/score-one/scores.json").read_text())["rounds"][0]
    assert figures["neighbours"]["mnd"] is None


SOLVERS = {
    "evolver": {"model": "scripted/world"},
    "solver": {"model": "scripted/world", "temperature": 0.7},
    "strong_solver": {"model": "scripted/world", "temperature": 0.8},
}


def test_solvers_try_each_row_and_a_band_keeps_what_they_solve_at_times(
    write_config: WriteConfig,
) -> None:
    config = write_config(
        10,
        **NO_SEARCH,
        models=SOLVERS,
        scores={"names": ["solver"], "samples": 4},
        filters=[{"band": {"score": "solver", "low": 0.0, "high": 0.75}}],
    )
    run_cli("run", str(config), expected=0)

    rounds = json.loads((RUN / "scores.json").read_text())
    assert rounds["settings"]["solver"]["judge"] == "scripted/world, scripted/world"
    figures = rounds["rounds"][1]["solver"]
    assert 0.5 < figures["mean"] <= 1.0
    assert {"strong_solver", "solver_gap"} < set(figures)
    evolved = rows_of(RUN / "evolved.jsonl")
    assert all(0 <= row["scores"]["solver"] <= 1 for row in evolved)
    kept = [row["scores"]["solver"] <= 0.75 for row in evolved]
    assert [row["filtered_by"] is None for row in evolved] == kept
    calls = json.loads((RUN / "summary.json").read_text())["calls_by_role"]
    assert calls["solver"] == calls["strong_solver"] == 4 * (10 + len(evolved))


def test_a_file_is_solved_by_a_model_that_is_named(workplace: Path) -> None:
    Path("one.jsonl").write_text('{"instruction": "How many legs have two hens?"}\n' * 6)
    solver = "models.solver={model: scripted/world, temperature: 1}"
    options = ("--scores", "solver", "--set", solver, "--set", "scores.samples=2")
    run_cli("score", "one.jsonl", *options, expected=0)
    figures = json.loads(Path("runs/score-one/scores.json").read_text())["rounds"][0]
    assert figures["solver"]["scored"] == 6


@pytest.mark.parametrize(
    ("arguments", "needle"),
    [
        (("one.jsonl", "--scores", "solver"), "models.solver: must be set"),
        (
            (
                "one.jsonl",
                "--scores",
                "solver",
                "--set",
                "models.solver={model: a, temperature: 0}",
            ),
            "models.solver.temperature: is 0",
        ),
        (
            (
                *("one.jsonl", "--scores", "solver"),
                *("--set", "models.solver={model: a}", "--set", "models.strong_solver={model: a}"),
            ),
            "models.strong_solver: is the same as models.solver",
        ),
        (("nowhere",), "nowhere: there is no such folder or file"),
        ((".",), "no evolved.jsonl"),
        (("one.jsonl", "--scores", "complexty"), "did you mean 'complexity'?"),
        (("one.jsonl", "--scores", "tags"), "name one with --judge"),
        (("one.jsonl", "--set", "scores.sampel=3"), "'sample'"),
        (("one.jsonl", "--set", "scores.embedding=no/model"), "scores.embedding: no/model"),
        (("one.jsonl", "--set", "scores.benchmarks=[none.jsonl]"), "none.jsonl"),
        (("empty.jsonl",), "holds no rows"),
        (("broken.jsonl",), "broken.jsonl:1"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    arguments: tuple[str, ...], needle: str, workplace: Path
) -> None:
    Path("one.jsonl").write_text('{"instruction": "Name a river."}\n')
    Path("empty.jsonl").write_text("")
    Path("broken.jsonl").write_text('{"instruction": 3}\n')
    before = sorted(Path().rglob("*"))
    result = run_cli("score", *arguments)
    assert result.code == 2, result.err
    assert needle in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before


def test_a_config_can_ask_for_scores_at_the_end_of_a_run(write_config: WriteConfig) -> None:
    scores = {"names": ["length", "complexity"], "sample": 6}
    config = write_config(12, **NO_SEARCH, scores=scores)
    run_cli("run", str(config), expected=0)

    summary = json.loads((RUN / "summary.json").read_text())
    rounds = json.loads((RUN / "scores.json").read_text())["rounds"]
    assert summary["scores"] == rounds
    assert rounds[0]["complexity"]["scored"] == 6
    assert summary["calls_by_role"]["judge"] == sum(
        figures["complexity"]["scored"] + figures["complexity"]["unscored"] for figures in rounds
    )
    store = yaml.safe_load(Path("mlflow.yaml").read_text())["tracking_uri"]
    client = mlflow.MlflowClient(store, store)
    assert {"score_means.png", "score_words.png"} <= {path.name for path in RUN.iterdir()}
    artifacts = {artifact.path for artifact in client.list_artifacts(summary["mlflow_run_id"])}
    assert {"score_means.png", "score_words.png"} <= artifacts
    assert (RUN / "report.html").read_text().count('alt="Scores by round"') == 2
    points = client.get_metric_history(summary["mlflow_run_id"], "score/words")
    assert [point.value for point in points] == [figures["length"]["words"] for figures in rounds]


def test_an_embedding_that_is_not_there_stops_a_run_before_its_first_call(
    write_config: WriteConfig,
) -> None:
    config = write_config(12, **NO_SEARCH, scores={"names": ["neighbours"], "embedding": "no/one"})
    result = run_cli("run", str(config), expected=2)
    assert "scores.embedding: no/one" in result.err
    assert not RUN.exists()


def test_scores_made_one_after_the_other_all_stay(finish: WriteConfig) -> None:
    finish(12, **NO_SEARCH)
    run_cli("score", str(RUN), "--scores", "length,overlap", expected=0)
    run_cli("score", str(RUN), "--scores", "complexity", expected=0)

    stored = json.loads((RUN / "scores.json").read_text())
    assert {"length", "overlap", "complexity"} <= set(stored["rounds"][1])
    assert stored["settings"]["complexity"]["judge"] == "scripted/world"
    evolved = rows_of(RUN / "evolved.jsonl")
    assert all({"words", "copies", "complexity", "added_words"} <= {*r["scores"]} for r in evolved)


def test_figures_of_an_earlier_judge_do_not_stay_beside_the_new_ones(
    finish: WriteConfig,
) -> None:
    finish(12, **NO_SEARCH)
    run_cli("score", str(RUN), "--scores", "complexity", expected=0)
    few = ("--scores", "complexity", "--set", "scores.sample=2")
    run_cli("score", str(RUN), *few, expected=0)
    held = [row for row in rows_of(RUN / "evolved.jsonl") if "complexity" in row["scores"]]
    scored = [row for row in rows_of(RUN / "scores.jsonl") if "complexity" in row.get("values", {})]
    assert {row["id"] for row in held} == {row["id"] for row in scored if row["round"]}


def test_a_finished_run_of_before_a_score_had_its_keys_stays_finished(
    finish: WriteConfig,
) -> None:
    config = str(finish(12, **NO_SEARCH, scores={"names": ["length"]}))
    kept = yaml.safe_load((RUN / "config.yaml").read_text())
    kept["scores"] = {"names": ["length"]}
    (RUN / "config.yaml").write_text(yaml.safe_dump(kept))
    before = (RUN / "scores.json").stat().st_mtime_ns
    run_cli("run", config, expected=0)
    assert (RUN / "scores.json").stat().st_mtime_ns == before


def test_a_run_whose_filters_go_by_a_score_can_be_scored_otherwise(
    write_config: WriteConfig,
) -> None:
    band = {"band": {"score": "complexity", "low": 0, "high": 99}}
    config = write_config(12, **NO_SEARCH, scores={"names": ["complexity"]}, filters=[band])
    run_cli("run", str(config), expected=0)
    run_cli("score", str(RUN), "--scores", "length", expected=0)


def test_another_judge_takes_the_whole_place_of_the_configs(finish: WriteConfig) -> None:
    models = {
        "evolver": {"model": "scripted/world", "concurrency": 4},
        "judge": {"model": "hosted_vllm/old", "api_base": "http://localhost:9"},
    }
    finish(12, **NO_SEARCH, models=models)
    target = find_target(ScoreRequest(RUN, ("complexity",), judge="scripted/world"))
    judge = target.models["judge"]
    assert (judge.model, judge.api_base) == ("scripted/world", None)


def test_seeds_that_have_moved_or_changed_are_left_out_with_a_word(
    finish: WriteConfig,
) -> None:
    finish(12, **NO_SEARCH)
    Path("seeds.jsonl").rename("elsewhere.jsonl")
    moved = run_cli("score", str(RUN), "--scores", "length", expected=0)
    assert "without the seeds" in moved.err
    assert [r["round"] for r in json.loads((RUN / "scores.json").read_text())["rounds"]] == [1, 2]
    changed = Path("elsewhere.jsonl").read_text().replace("List", "Name")
    Path("seeds.jsonl").write_text(changed)
    again = run_cli("score", str(RUN), "--scores", "length", expected=0)
    assert "seed-1 has changed" in " ".join(again.err.split())


def test_rows_that_were_answered_as_they_are_are_counted_once(write_config: WriteConfig) -> None:
    evolve = {"methods": ["weak"], "rounds": 0}
    config = write_config(
        10,
        optimizer={"name": "none"},
        evolve=evolve,
        filters=["dedup"],
        scores={"names": ["overlap", "grade"]},
    )
    run_cli("run", str(config), expected=0)
    (figures,) = json.loads((RUN / "scores.json").read_text())["rounds"]
    assert figures["overlap"] == {"rows": 10, "copies": 0}
    assert figures["grade"]["scored"] == 10
    assert json.loads((RUN / "summary.json").read_text())["rows_filtered"] == {"dedup": 0}


def test_two_files_of_one_name_do_not_share_a_folder(workplace: Path) -> None:
    for folder in ("one", "two"):
        Path(folder).mkdir()
        Path(folder, "rows.jsonl").write_text('{"instruction": "Name a river."}\n')
    run_cli("score", "one/rows.jsonl", "--scores", "length", expected=0)
    run_cli("score", "one/rows.jsonl", "--scores", "lexical", expected=0)
    before = Path("runs/score-rows/scores.json").read_bytes()
    refused = run_cli("score", "two/rows.jsonl", "--scores", "length", expected=2)
    assert "one/rows.jsonl; choose another folder (--out)" in refused.err
    assert Path("runs/score-rows/scores.json").read_bytes() == before
    run_cli("score", "two/rows.jsonl", "--scores", "length", "--out", "runs/two", expected=0)


def test_a_sample_of_rewrites_whose_seeds_have_moved(write_config: WriteConfig) -> None:
    evolve = {"methods": ["weak"], "children": 2}
    config = write_config(5, optimizer={"name": "none"}, evolve=evolve, failure={"rules": []})
    run_cli("run", str(config), expected=0)
    data = Path(yaml.safe_load((RUN / "config.yaml").read_text())["data"]["path"])
    data.rename(data.with_suffix(".gone"))
    run_cli("score", str(RUN), "--scores", "complexity", "--set", "scores.sample=6", expected=0)
    figures = json.loads((RUN / "scores.json").read_text())["rounds"]
    assert [line["complexity"]["scored"] for line in figures] == [figures[0]["rows"]]
