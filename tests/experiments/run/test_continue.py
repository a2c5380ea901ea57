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
