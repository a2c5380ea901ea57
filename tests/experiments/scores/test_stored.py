"""Figures of an earlier scoring that stay, and those that a later one replaces."""

import json
from pathlib import Path
from typing import Any

from autoevol.experiments.scores.results import ScoreResults, SetScores
from autoevol.experiments.scores.stored import write_score_files
from autoevol.program.records import Row

SEED = Row("a", "a", "Name a river.")
FIRST = Row("a.1", "a", "Name two rivers.", round=1)


def results_of(rounds: dict[int, list[Row]], name: str, figures: dict[int, Any]) -> ScoreResults:
    results = ScoreResults(rounds, {number: {"rows": len(rows)} for number, rows in rounds.items()})
    rows = [row for number in figures for row in rounds[number]]
    results.add_set(name, SetScores(figures, {row.id: {name: 1.0} for row in rows}))
    return results


def stored(folder: Path) -> tuple[dict[int, Any], dict[str, Any]]:
    rounds = json.loads((folder / "scores.json").read_text())["rounds"]
    lines = map(json.loads, (folder / "scores.jsonl").read_text().splitlines())
    return {figures["round"]: figures for figures in rounds}, {line["id"]: line for line in lines}


def test_a_score_that_is_made_anew_leaves_no_round_of_the_one_before(tmp_path: Path) -> None:
    rounds = {0: [SEED], 1: [FIRST]}
    first = results_of(rounds, "ifd", {0: {"ifd": 0.5}, 1: {"ifd": 0.7}})
    write_score_files(tmp_path, first, {"ifd": {"judge": "a"}})
    second = results_of(rounds, "ifd", {0: {"ifd": 0.6}})
    write_score_files(tmp_path, second, {"ifd": {"judge": "b"}})
    by_round, by_row = stored(tmp_path)
    assert by_round[0]["ifd"] == {"ifd": 0.6}
    assert "ifd" not in by_round[1]
    assert "values" not in by_row["a.1"]


def test_figures_of_seeds_that_have_moved_stay(tmp_path: Path) -> None:
    grades = results_of({0: [SEED], 1: [FIRST]}, "grade", {0: {"mean": 3}, 1: {"mean": 4}})
    write_score_files(tmp_path, grades, {"grade": {"judge": "a"}})
    lengths = results_of({1: [FIRST]}, "length", {1: {"words": 3}})
    write_score_files(tmp_path, lengths, {"length": {}})
    by_round, by_row = stored(tmp_path)
    assert by_round[0]["grade"] == {"mean": 3}
    assert by_round[1]["grade"] == {"mean": 4}
    assert by_round[1]["length"] == {"words": 3}
    assert by_row["a"]["values"] == {"grade": {"grade": 1.0}}
    assert by_row["a.1"]["values"] == {"grade": {"grade": 1.0}, "length": {"length": 1.0}}
