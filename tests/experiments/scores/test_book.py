"""What a second scoring leaves of the first one's figures."""

import json
from pathlib import Path
from typing import Any

from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.scores.set_scores import SetScores
from autoevol.program.records import Row

SEED = Row("a", "a", "Name a river.")
FIRST = Row("a.1", "a", "Name two rivers.", round=1)


def book(rounds: dict[int, list[Row]], name: str, figures: dict[int, Any]) -> ScoreResults:
    made = ScoreResults(rounds, {number: {"rows": len(rows)} for number, rows in rounds.items()})
    rows = [row for number in figures for row in rounds[number]]
    made.add_set(name, SetScores(figures, {row.id: {name: 1.0} for row in rows}))
    return made


def told(folder: Path) -> tuple[dict[int, Any], dict[str, Any]]:
    rounds = json.loads((folder / "scores.json").read_text())["rounds"]
    lines = map(json.loads, (folder / "scores.jsonl").read_text().splitlines())
    return {each["round"]: each for each in rounds}, {each["id"]: each for each in lines}


def test_a_score_that_is_made_anew_leaves_no_round_of_the_one_before(tmp_path: Path) -> None:
    rounds = {0: [SEED], 1: [FIRST]}
    book(rounds, "ifd", {0: {"ifd": 0.5}, 1: {"ifd": 0.7}}).write(tmp_path, {"ifd": {"judge": "a"}})
    book(rounds, "ifd", {0: {"ifd": 0.6}}).write(tmp_path, {"ifd": {"judge": "b"}})
    by_round, by_row = told(tmp_path)
    assert by_round[0]["ifd"] == {"ifd": 0.6}
    assert "ifd" not in by_round[1]
    assert "values" not in by_row["a.1"]


def test_figures_of_seeds_that_have_moved_stay(tmp_path: Path) -> None:
    book({0: [SEED], 1: [FIRST]}, "grade", {0: {"mean": 3}, 1: {"mean": 4}}).write(
        tmp_path, {"grade": {"judge": "a"}}
    )
    book({1: [FIRST]}, "length", {1: {"words": 3}}).write(tmp_path, {"length": {}})
    by_round, by_row = told(tmp_path)
    assert by_round[0]["grade"] == {"mean": 3}
    assert by_round[1]["grade"] == {"mean": 4}
    assert by_round[1]["length"] == {"words": 3}
    assert by_row["a"]["values"] == {"grade": {"grade": 1.0}}
    assert by_row["a.1"]["values"] == {"grade": {"grade": 1.0}, "length": {"length": 1.0}}
