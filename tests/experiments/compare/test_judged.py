"""`autoevol compare`: runs side by side, and a judge between two of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.compare.request import folder_of, with_distinct_names
from autoevol.experiments.compare.sides import Side, pairs_of, read_side
from autoevol.experiments.compare.tables import difference_table
from autoevol.experiments.models.transports import scripted
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row
from tests.support.command_line import run_cli
from tests.support.html_pages import read_page

WriteConfig = Callable[..., Path]
NO_SEARCH = {"optimizer": {"name": "none"}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for two finished runs and their seeds, which the first test makes."""
    return tmp_path_factory.mktemp("finished")


@pytest.fixture
def two_runs(write_config: WriteConfig, finished: Path) -> tuple[str, str]:
    """Return a run of one round and one of two, on the same seeds."""
    if not (finished / "runs").exists():
        for name, rounds in (("short", 1), ("long", 2)):
            evolve = {"methods": ["weak"], "rounds": rounds}
            data = {"path": str(finished / "seeds.jsonl")}
            config = write_config(40, name=name, evolve=evolve, data=data, **NO_SEARCH)
            shutil.copy("seeds.jsonl", finished)
            run_cli("run", str(config), "--out", f"runs/{name}", expected=0)
        shutil.copytree("runs", finished / "runs")
    else:
        shutil.copytree(finished / "runs", "runs")
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
    options = ("--judge", "scripted/world", "--what", "instructions")
    run_cli("compare", *two_runs, *options, expected=0)
    folder = Path("runs/compare-short-long-instructions")
    data = json.loads((folder / "comparison.json").read_text())
    pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]
    assert (
        data["tied"]
        == len(pairs)
        == json.loads(Path(two_runs[0], "summary.json").read_text())["rows_out"]
    )
    assert data["won"] == data["lost"] == data["unscored"] == 0


def test_rows_of_other_seeds_with_the_same_ids_are_no_pairs() -> None:
    ours = [Row("row-1.1", "row-1", "Compare two lakes.", origin="Name a lake.", round=1)]
    theirs = [Row("row-1.1", "row-1", "Sort two lists.", origin="Sort a list.", round=1)]
    sides = Side("a", Path("a"), ours), Side("b", Path("b"), theirs)
    with pytest.raises(ConfigError, match="no two rows come from the same seed"):
        pairs_of(*sides, "instructions")
    assert difference_table(sides) is None


def test_answers_pair_only_where_the_whole_question_is_the_same() -> None:
    def side(name: str, *questions: tuple[str, str]) -> Side:
        rows = [
            Row(f"r{n}", f"r{n}", a, input=b, response="Yes.") for n, (a, b) in enumerate(questions)
        ]
        return Side(name, Path(name), rows)

    ours = side("a", ("What is 3 + 4?", ""), ("Translate it.", "eins"), ("Say  why.", ""))
    theirs = side("b", ("What is 3 - 4?", ""), ("Translate it.", "zwei"), ("Say why.", ""))
    assert [pair.id for pair in pairs_of(ours, theirs, "responses")] == ["r2"]


def test_scores_of_different_judges_are_not_held_against_each_other() -> None:
    rows = [Row("r.1", "r", "A.", round=1, scores={"words": 1.0, "complexity": 9.0})]
    sides = [
        Side(name, Path(name), rows, score_settings={"complexity": {"judge": name}})
        for name in ("a", "b")
    ]
    table = difference_table(sides)
    assert table is not None
    assert [*table.columns[0].cells] == ["words, round 1"]


def test_scores_of_other_settings_are_not_held_against_each_other() -> None:
    def table_of(ours: dict[str, Any], theirs: dict[str, Any]) -> Any:
        rows = [Row("r.1", "r", "A.", round=1, scores={"solver": 0.5})]
        sides = [
            Side(name, Path(name), rows, score_settings={"solver": {"judge": "m", **more}})
            for name, more in (("a", ours), ("b", theirs))
        ]
        return difference_table(sides)

    assert table_of({"check": "agreement"}, {"check": "response"}) is None
    assert table_of({"samples": 4}, {"samples": 8}) is None
    assert table_of({"samples": 4}, {"samples": 4}) is not None


def test_a_run_knows_the_settings_of_its_figures(two_runs: tuple[str, str]) -> None:
    options = ("--scores", "length,neighbours,complexity", "--set", "scores.sample=5")
    run_cli("score", two_runs[0], *options, expected=0)
    side = read_side(Path(two_runs[0]))
    assert side.score_settings["words"] == {}
    assert side.score_settings["mnd"] == {"judge": "static"}
    assert side.score_settings["complexity"] == {"judge": "scripted/world"}
    assert side.judges == {"mnd": "static", "complexity": "scripted/world"}


def test_the_longer_answers_win_and_the_bias_is_said(workplace: Path) -> None:
    questions = [f"Name {n} rivers of Asia." for n in range(20)]
    for name, answer in (("brief", "The Ob."), ("full", "The Ob, the Lena, the Yenisei.")):
        rows = [{"instruction": question, "output": answer} for question in questions]
        Path(f"{name}.json").write_text(json.dumps(rows))
    shown = run_cli("compare", "full.json", "brief.json", "--judge", "scripted/world", expected=0)
    data = json.loads(Path("runs/compare-full-brief-responses/comparison.json").read_text())
    assert (data["won"], data["tied"], data["lost"]) == (20, 0, 0)
    assert data["longer_wins"]["value"] == data["win"]["value"] == 1.0
    assert data["conflicts"]["value"] == 0.0
    assert data["p_value"] < 0.001
    assert "full against brief" in shown.out


@pytest.mark.parametrize(
    ("arguments", "needle"),
    [
        (("a.json",), "name two"),
        (("a.json", "b.json"), "name a judge"),
        (("a.json", "none"), "none: there is no such folder or file"),
        (("a.json", "."), "no summary.json"),
        (
            ("a.json", "b.json", "--judge", "scripted/world"),
            "no two rows answer the same instruction",
        ),
        (("a.json", "b.json", "--what", "answers"), "must be one of responses, instructions"),
        (("a.json", "b.json", "a.json", "--judge", "scripted/world"), "decides between two sets"),
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


def test_a_comparison_leaves_a_page_and_its_data(two_runs: tuple[str, str]) -> None:
    for run in two_runs:
        run_cli("score", run, "--scores", "length,difficulty,complexity", expected=0)
    shown = run_cli("compare", *two_runs, expected=0).out
    folder = Path("runs/compare-short-long")
    assert f"{folder}/compare.html: comparison" in shown.splitlines()
    page, data = read_page(folder / "compare.html"), data_of(folder)
    assert [run["name"] for run in data["runs"]] == ["short", "long"]
    summaries = [json.loads(Path(run, "summary.json").read_text()) for run in two_runs]
    assert [run["summary"] for run in data["runs"]] == summaries
    (rows,) = [line[1:] for line in data["tables"][0]["lines"] if line[0] == "rows_out"]
    assert rows == [str(summary["rows_out"]) for summary in summaries]
    labels = {line[0] for line in data["tables"][0]["lines"]}
    assert {"time", "loss rate", "loss rate, difference to short"} <= labels
    (side,) = [t.text for t in page.all("table") if t.text.startswith("short long rows in")]
    assert f"rows out {rows[0]} {rows[1]}" in side
    names = [image.attributes["alt"] for image in page.all("img")]
    assert [name.split()[0] for name in names] == ["What", "Share", "Quality", "Mean", "Levels"]
    assert "The same method." in page.text
    (differing,) = [t.text for t in page.all("table") if t.text.startswith("key short long")]
    assert "evolve.rounds 1 2" in differing
    assert "won" not in data


def test_the_page_holds_what_the_judge_said_with_examples(workplace: Path) -> None:
    questions = [f"Name {n} rivers <of> Asia." for n in range(9)]
    for name, answer in (
        ("brief", "The Ob."),
        ("full", "<script>x()</script> The Ob and the Lena."),
    ):
        rows = [
            {"instruction": question, "output": answer if n else "Ob"}
            for n, question in enumerate(questions)
        ]
        Path(f"{name}.json").write_text(json.dumps(rows))
    options = ("--judge", "scripted/world", "--out", "side by side")
    shown = run_cli("compare", "full.json", "brief.json", *options, expected=0).out
    assert "side by side/compare.html: comparison" in shown
    page, data = read_page(Path("side by side/compare.html")), data_of(Path("side by side"))
    assert (data["won"], data["tied"]) == (8, 1)
    assert data["runs"][0] == {"name": "full", "path": "full.json", "rows": 9}
    examples = page.all("article")
    assert len(examples) == 3
    assert all("<script>x()</script> The Ob and the Lena." in example.text for example in examples)
    assert "Name 1 rivers <of> Asia." in examples[0].text
    assert (
        "full shown first: full preferred · brief shown first: full preferred" in examples[0].text
    )
    assert [image.attributes["alt"] for image in page.all("img")] == [
        "Wins, ties and losses of full"
    ]


def test_verdicts_that_turn_with_the_order_are_shown(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "first", lambda messages, draw: "first")
    for name in ("a", "b"):
        rows = [{"instruction": f"Name {n} lakes.", "output": f"Lake {name}."} for n in range(4)]
        Path(f"{name}.json").write_text(json.dumps(rows))
    run_cli("compare", "a.json", "b.json", "--judge", "scripted/first", expected=0)
    folder = Path("runs/compare-a-b-responses")
    page = read_page(folder / "compare.html")
    assert data_of(folder)["conflicts"]["value"] == 1.0
    assert [h.text for h in page.all("h3")] == ["In conflict: the verdict turned with the order"]
    assert "a shown first: a preferred · b shown first: b preferred" in page.text


def test_methods_and_a_damaged_run_are_told(two_runs: tuple[str, str]) -> None:
    method = Path(two_runs[1], "methods", "best.md")
    method.write_text(method.read_text() + "Say <why> each time.\n")
    run_cli("compare", *two_runs, expected=0)
    page = read_page(Path("runs/compare-short-long/compare.html"))
    assert [line.text for line in page.all("span", "plus")] == ["+Say <why> each time."]
    method.write_text("---\nthinking: never\n---\nRewrite.")
    shutil.rmtree("runs/compare-short-long")
    result = run_cli("compare", *two_runs, expected=2)
    assert "best.md: thinking must be one of" in result.err
    assert not Path("runs/compare-short-long").exists()


@pytest.mark.parametrize(
    ("file", "content", "needle"),
    [
        ("config.yaml", b"", "config.yaml: must be a mapping"),
        ("config.yaml", b"a: [", "config.yaml: is not valid YAML"),
        ("summary.json", b"{", "summary.json: is not valid JSON"),
        ("summary.json", b"{}", "summary.json: rows_in must be a number"),
        ("summary.json", b"[]", "summary.json: must be an object"),
        ("scores.json", b"{}", "scores.json: holds no scores"),
        ("scores.json", b"\xff", "scores.json: cannot be read"),
        ("scores.json", b'{"rounds": [], "settings": {"length": 1}}', "scores.json: holds no"),
    ],
)
def test_a_damaged_file_of_a_run_is_named_in_one_line(
    file: str, content: bytes, needle: str, two_runs: tuple[str, str]
) -> None:
    Path(two_runs[1], file).write_bytes(content)
    result = run_cli("compare", *two_runs, expected=2)
    assert needle in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert not Path("runs/compare-short-long").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(two_runs: tuple[str, str]) -> None:
    Path("taken").write_text("mine")
    result = run_cli("compare", *two_runs, "--out", "taken", expected=2)
    assert "--out: taken is a file" in result.err
    assert Path("taken").read_text() == "mine"


def test_the_names_of_many_sides_are_cut() -> None:
    sides = [Side(name, Path(name), []) for name in "abcdefg"]
    folder = folder_of(sides, None)
    assert folder.name.startswith("compare-a-b-c-d-3-more-")
    assert folder_of([*sides[:-1], Side("h", Path("h"), [])], None) != folder
    assert folder_of(sides[:3], None) == Path("runs/compare-a-b-c")
    long = [Side(name * 150, Path(name * 150), []) for name in "ab"]
    assert len(folder_of(long, None).name) < 220


def side_at(path: str) -> Side:
    return Side(Path(path).name, Path(path), [])


def test_names_that_repeat_are_told_apart_by_their_paths() -> None:
    def names(*paths: str) -> list[str]:
        return [side.name for side in with_distinct_names([side_at(path) for path in paths])]

    assert names("A/x", "B/x", "B/y") == ["A/x", "B/x", "y"]
    assert names("p/A/x", "q/A/x", "q/B/x") == ["p/A/x", "q/A/x", "B/x"]
    assert names("A/x", "A/x") == ["x", "x"]


def test_every_comparison_has_a_folder_of_its_own() -> None:
    pairs = [
        *(("A/x", "B/x"), ("C/x", "D/x"), ("B/x", "A/x")),
        *(("A/x", "A/y"), ("B/x", "B/y"), ("runs/x", "runs/y")),
    ]
    folders = [
        folder_of(with_distinct_names([side_at(path) for path in pair]), None) for pair in pairs
    ]
    assert len({*folders}) == len(pairs)
    assert all(folder.parent == Path("runs") for folder in folders)
    assert folders[-1] == Path("runs/compare-x-y")
    assert folders[0].name.startswith("compare-x-x-")


def test_two_runs_of_one_name_are_two_columns(two_runs: tuple[str, str]) -> None:
    for number, path in enumerate(two_runs):
        Path(path).rename(Path(path).with_name(f"m{number}"))
        Path(f"runs/{number}").mkdir()
        Path(f"runs/m{number}").rename(f"runs/{number}/x")
        run_cli("score", f"runs/{number}/x", "--scores", "complexity", expected=0)
    shown = run_cli("compare", "runs/0/x", "runs/1/x", expected=0).out
    assert "1/x − 0/x" in shown
    (folder,) = Path("runs").glob("compare-x-x-*")
    assert [run["name"] for run in data_of(folder)["runs"]] == ["0/x", "1/x"]


def data_of(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "comparison.json").read_text())
    return data
