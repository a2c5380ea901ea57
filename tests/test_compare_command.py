"""`autoevol compare`: runs side by side, and a judge between two of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.compare_targets import Side, pairs_of
from experiments.comparison_tables import difference_table
from program.errors import ConfigError
from program.records import Row
from tests.command_line import run_cli

WriteConfig = Callable[..., Path]
NO_SEARCH = {"optimizer": {"name": "none"}}


@pytest.fixture
def two_runs(write_config: WriteConfig) -> tuple[str, str]:
    """Return a run of one round and one of two, on the same seeds."""
    for name, rounds in (("short", 1), ("long", 2)):
        evolve = {"methods": ["weak"], "rounds": rounds}
        config = write_config(40, name=name, evolve=evolve, **NO_SEARCH)
        run_cli("run", str(config), "--out", f"runs/{name}", expected=0)
    return "runs/short", "runs/long"


def test_runs_stand_side_by_side_with_their_differences(two_runs: tuple[str, str]) -> None:
    for run in two_runs:
        run_cli("score", run, "--scores", "length,neighbours", expected=0)
    shown = run_cli("compare", *two_runs, expected=0).out
    summaries = [json.loads(Path(run, "summary.json").read_text()) for run in two_runs]
    line = next(line for line in shown.splitlines() if "rows_out" in line)
    assert [int(cell) for cell in line.split("│")[2:4]] == [s["rows_out"] for s in summaries]
    assert "evolve: unchanged" in shown
    words = next(line for line in shown.splitlines() if "│ words, round 1" in line)
    assert int(words.split("│")[2]) == summaries[0]["rows_out"]
    assert "+0 (+0 to +0)" in words
    assert "round 0" not in shown


def test_a_judge_decides_between_the_rewrites_of_the_same_seed(
    two_runs: tuple[str, str],
) -> None:
    given = ("--judge", "scripted/world", "--what", "instructions")
    run_cli("compare", *two_runs, *given, expected=0)
    folder = Path("runs/compare-short-long-instructions")
    told = json.loads((folder / "comparison.json").read_text())
    pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]
    assert (
        told["tied"]
        == len(pairs)
        == json.loads(Path(two_runs[0], "summary.json").read_text())["rows_out"]
    )
    assert told["won"] == told["lost"] == told["unscored"] == 0


def test_rows_of_other_seeds_with_the_same_ids_are_no_pairs() -> None:
    ours = [Row("row-1.1", "row-1", "Compare two lakes.", origin="Name a lake.", round=1)]
    theirs = [Row("row-1.1", "row-1", "Sort two lists.", origin="Sort a list.", round=1)]
    sides = Side("a", Path("a"), ours), Side("b", Path("b"), theirs)
    with pytest.raises(ConfigError, match="no row of the one"):
        pairs_of(*sides, "instructions")
    assert difference_table(sides) is None


def test_answers_pair_only_where_the_whole_question_is_the_same() -> None:
    def side(name: str, *asked: tuple[str, str]) -> Side:
        rows = [
            Row(f"r{n}", f"r{n}", a, input=b, response="Yes.") for n, (a, b) in enumerate(asked)
        ]
        return Side(name, Path(name), rows)

    ours = side("a", ("What is 3 + 4?", ""), ("Translate it.", "eins"), ("Say  why.", ""))
    theirs = side("b", ("What is 3 - 4?", ""), ("Translate it.", "zwei"), ("Say why.", ""))
    assert [pair.id for pair in pairs_of(ours, theirs, "responses")] == ["r2"]


def test_scores_of_different_judges_are_not_held_against_each_other() -> None:
    rows = [Row("r.1", "r", "A.", round=1, scores={"words": 1.0, "complexity": 9.0})]
    sides = [Side(name, Path(name), rows, judges={"complexity": name}) for name in ("a", "b")]
    table = difference_table(sides)
    assert table is not None
    assert [*table.columns[0].cells] == ["words, round 1"]


def test_the_longer_answers_win_and_the_bias_is_said(workplace: Path) -> None:
    asked = [f"Name {n} rivers of Asia." for n in range(20)]
    for name, told in (("brief", "The Ob."), ("full", "The Ob, the Lena, the Yenisei.")):
        rows = [{"instruction": each, "output": told} for each in asked]
        Path(f"{name}.json").write_text(json.dumps(rows))
    shown = run_cli("compare", "full.json", "brief.json", "--judge", "scripted/world", expected=0)
    told = json.loads(Path("runs/compare-full-brief-responses/comparison.json").read_text())
    assert (told["won"], told["tied"], told["lost"]) == (20, 0, 0)
    assert told["longer_wins"]["value"] == told["win"]["value"] == 1.0
    assert told["conflicts"]["value"] == 0.0
    assert told["p_value"] < 0.001
    assert "full against brief" in shown.out


@pytest.mark.parametrize(
    ("arguments", "needle"),
    [
        (("a.json",), "name two"),
        (("a.json", "b.json"), "name a judge"),
        (("a.json", "none"), "none: there is no such folder or file"),
        (("a.json", "."), "no summary.json"),
        (("a.json", "b.json", "--judge", "scripted/world"), "no row of the one and the other"),
        (("a.json", "b.json", "--what", "answers"), "there are responses, instructions"),
        (("a.json", "b.json", "a.json", "--judge", "scripted/world"), "decides between two"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    arguments: tuple[str, ...], needle: str, workplace: Path
) -> None:
    Path("a.json").write_text('[{"instruction": "Name a river.", "output": "The Ob."}]')
    Path("b.json").write_text('[{"instruction": "Name a lake.", "output": "Baikal."}]')
    before = sorted(Path().rglob("*"))
    result = run_cli("compare", *arguments)
    assert result.code == 2, result.err
    assert needle in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before
