"""`autoevol compare`: runs side by side, and a judge between two of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import run_cli

WriteConfig = Callable[..., Path]
NO_SEARCH = {"optimizer": {"name": "none"}}


@pytest.fixture
def two_runs(write_config: WriteConfig) -> tuple[str, str]:
    """Return a run of one round and one of two, on the same seeds."""
    for name, rounds in (("short", 1), ("long", 2)):
        evolve = {"methods": ["weak"], "rounds": rounds}
        config = write_config(12, name=name, evolve=evolve, **NO_SEARCH)
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
    words = next(line for line in shown.splitlines() if "│ words" in line)
    assert "+0 (+0 to +0)" in words


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
