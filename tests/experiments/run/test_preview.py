"""`autoevol preview`: a few rows before and after; the run does not pay them again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import rows_of, run_cli, summary_of

RUN = Path("runs/test")
PLAIN = {"optimizer": {"name": "none"}}


def test_the_ledger_alone_is_written_and_its_calls_are_the_runs(
    write_config: Callable[..., Path],
) -> None:
    config = str(write_config(8, **PLAIN, evolve={"methods": ["weak"], "rounds": 2}))
    shown = run_cli("preview", config, "--rows", "2", expected=0).out
    assert {file.name for file in RUN.iterdir()} == {"ledger.sqlite", "run.lock"}
    run_cli("run", config, expected=0)
    summary = summary_of(RUN)
    assert summary["rows_in"] == 8
    assert not summary["resumed"]
    assert summary["calls_replayed"] > 0
    run_cli("run", config, "--out", "whole", expected=0)
    assert summary["calls"] == summary_of(Path("whole"))["calls"], "a call was paid twice"
    rows = rows_of(RUN / "evolved.jsonl")
    assert rows == rows_of(Path("whole/evolved.jsonl"))
    for row in rows:
        if row["seed_id"] in ("seed-1", "seed-2"):
            assert row["instruction"].split()[-1] in shown


def test_a_folder_with_a_ledger_alone_is_a_new_runs_whatever_its_config_says_by_then(
    write_config: Callable[..., Path],
) -> None:
    config = write_config(8, **PLAIN)
    run_cli("preview", str(config), expected=0)
    changed = ("--set", "seed=5", "--set", "evolve.rounds=2")
    run_cli("run", str(config), *changed, expected=0)
    assert summary_of(RUN)["rows_in"] == 8


def test_of_a_search_the_start_method_is_shown(write_config: Callable[..., Path]) -> None:
    shown = run_cli("preview", str(write_config()), expected=0).out
    assert "the run will search; this is its start, weak" in shown
    assert " · weak · " in shown


def test_witnesses_are_not_asked_before_their_exam(write_config: Callable[..., Path]) -> None:
    config = write_config(4, **PLAIN, failure={"rules": ["strict+judge"]})
    shown = run_cli("preview", str(config), expected=0).out
    assert "not asked here: nothing_added, impossible" in " ".join(shown.split())


@pytest.mark.parametrize("name", ["other.txt", "config.yaml"])
def test_a_folder_of_something_else_is_left_alone(
    name: str, write_config: Callable[..., Path]
) -> None:
    config = write_config(4, **PLAIN)
    RUN.mkdir(parents=True)
    (RUN / name).touch()
    run_cli("preview", str(config), expected=2)
    assert [file.name for file in RUN.iterdir()] == [name]
