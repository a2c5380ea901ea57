"""`autoevol continue`: a finished run's rows, evolved further with what made them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import rows_of, run_cli

PLAIN = {"optimizer": {"name": "none"}, "failure": {"rules": []}}
RUN = Path("runs/test")


def rounds_of(folder: str) -> list[int]:
    return sorted({row["round"] for row in rows_of(Path(folder) / "evolved.jsonl")})


def test_a_run_that_is_continued_ends_like_one_that_had_more_rounds(
    finish: Callable[..., Path],
) -> None:
    evolve = {"methods": ["weak", "deepen"], "rounds": 1}
    finish(6, **PLAIN, evolve=evolve)
    run_cli("continue", str(RUN), "--rounds", "2", expected=0)
    whole = finish(6, **PLAIN, evolve={**evolve, "rounds": 3}, output={"dir": "whole"})
    run_cli("run", str(whole), expected=0)
    later = [row for row in rows_of(Path("whole/evolved.jsonl")) if row["round"] > 1]
    assert rows_of(Path("runs/test-round-2/evolved.jsonl")) == later
    run_cli("continue", "runs/test-round-2", expected=0)
    assert rounds_of("runs/test-round-4") == [4]


def test_a_search_is_not_repeated_and_its_method_goes_on(finish: Callable[..., Path]) -> None:
    finish()
    best = (RUN / "methods" / "best.md").read_text()
    run_cli("continue", str(RUN), expected=0)
    further = Path("runs/test-round-2")
    assert (further / "methods" / "best.md").read_text() == best
    assert "optimizer" not in json.loads((further / "summary.json").read_text())["calls_by_role"]
    assert rounds_of(str(further)) == [2]


def test_the_same_command_again_prints_the_finished_runs_summary(
    finish: Callable[..., Path],
) -> None:
    finish(4, **PLAIN)
    run_cli("continue", str(RUN), expected=0)
    before = (Path("runs/test-round-2") / "evolved.jsonl").read_bytes()
    again = run_cli("continue", str(RUN), expected=0)
    assert "rows in / out" in again.out
    assert (Path("runs/test-round-2") / "evolved.jsonl").read_bytes() == before


def test_keys_may_differ_and_a_plan_writes_nothing(finish: Callable[..., Path]) -> None:
    finish(4, **PLAIN)
    options = ("--set", "evolve.methods=[deepen]", "--out", "deeper")
    run_cli("continue", str(RUN), *options, "--dry-run", expected=0)
    assert not Path("deeper").exists()
    run_cli("continue", str(RUN), *options, expected=0)
    assert {row["method"] for row in rows_of(Path("deeper/evolved.jsonl"))} == {"deepen"}


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_what_is_no_finished_run_is_refused(folder: str, workplace: Path) -> None:
    refused = run_cli("continue", folder, expected=2)
    assert "no finished run" in refused.err


def test_koevols_tables_of_a_continued_run_name_the_first_seeds(
    finish: Callable[..., Path],
) -> None:
    """Also of breadth methods, whose rows begin lineages of our own."""
    finish(
        6,
        **PLAIN,
        evolve={"methods": ["breadth", "deepen"], "rounds": 2},
        output={"formats": ["koevol"], "with_seeds": True},
    )
    run_cli("continue", str(RUN), expected=0)
    table = json.loads(Path("runs/test-round-3/exports/koevol.json").read_text())
    origins = {values[table["columns"].index("origin")] for values in table["data"]}
    assert origins == {f"List the {n} largest rivers of Europe." for n in range(1, 7)}


def test_a_runs_folder_may_be_continued_and_converted_by_its_name(
    finish: Callable[..., Path],
) -> None:
    finish(4, **PLAIN)
    run_cli("convert", str(RUN), "rows.jsonl", expected=0)
    assert len(rows_of(Path("rows.jsonl"))) == len(rows_of(RUN / "evolved.jsonl"))
    run_cli("equalise", str(RUN), str(RUN), "--by", "rows", "--out", "equal", expected=2)


def test_a_run_with_a_target_goes_on_without_it(finish: Callable[..., Path]) -> None:
    finish(8, **PLAIN, evolve={"methods": ["weak"], "target": 3})
    run_cli("continue", str(RUN), expected=0)
    assert rounds_of("runs/test-round-2") == [2]


def test_a_run_that_is_continued_from_within_its_folder_gets_a_folder_beside_it(
    finish: Callable[..., Path], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(4, **PLAIN)
    monkeypatch.chdir(RUN)
    run_cli("continue", ".", expected=0)
    assert rounds_of(str(workplace / "runs/test-round-2")) == [2]
