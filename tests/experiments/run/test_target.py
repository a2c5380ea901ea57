"""`evolve.target`: the first N rows that are kept, filters included, and an account of the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import rows_of, run_cli, summary_of

RUN = Path("runs/test")
PLAIN: dict[str, Any] = {"optimizer": {"name": "none"}}
STRICT = {"failure": {"rules": ["strict"]}}


def evolve(**more: Any) -> dict[str, Any]:
    return {**PLAIN, **STRICT, "evolve": {"methods": ["weak"], **more}}


def counted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["filtered_by"] is None and row["response"]]


def account_holds(summary: dict[str, Any]) -> bool:
    return all(
        count["entered"] == count["kept"] + count["failed"] + count["unscored"]
        for count in summary["rounds"]
    ) and summary["rows_out"] + summary["rows_surplus"] == sum(
        count["kept"] for count in summary["rounds"]
    )


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param(evolve(target=7), id="one round"),
        pytest.param(evolve(target=7, rounds=2, children=2), id="rounds and children"),
        pytest.param({**evolve(target=7), "filters": ["dedup"]}, id="a filter"),
        pytest.param(
            {
                **evolve(target=7),
                "scores": {"names": ["length"]},
                "filters": [{"band": {"score": "words", "low": 0, "high": 18}}],
            },
            id="a filter by a score",
        ),
    ],
)
def test_the_rows_are_the_first_of_the_whole_run(
    sections: dict[str, Any], write_config: Callable[..., Path]
) -> None:
    config = str(write_config(60, **sections))
    printed = run_cli("run", config, expected=0).out
    summary = summary_of(RUN)
    rows = rows_of(RUN / "evolved.jsonl")
    assert len(counted(rows)) == 7
    assert account_holds(summary)
    assert summary["rounds"][0]["entered"] < 60 * sections["evolve"].get("children", 1)
    surplus = rows_of(RUN / "surplus.jsonl") if summary["rows_surplus"] else []
    assert len(surplus) == summary["rows_surplus"]
    assert ("surplus.jsonl" in printed) is bool(surplus)
    run_cli("run", config, "--set", "evolve.target=null", "--out", "whole", expected=0)
    whole = [row["id"] for row in rows_of(Path("whole/evolved.jsonl"))]
    ids = [row["id"] for row in [*rows, *surplus]]
    assert ids == whole[: len(ids)]


def test_waves_are_sized_by_what_was_kept_and_the_same_command_is_done(
    write_config: Callable[..., Path],
) -> None:
    config = str(write_config(60, **evolve(target=10)))
    printed = run_cli("run", config, expected=0).out
    assert "of 10 rows from 10 seeds" in printed
    before = (RUN / "evolved.jsonl").read_bytes()
    again = run_cli("run", config, expected=0)
    assert "rows in / out" in again.out
    assert (RUN / "evolved.jsonl").read_bytes() == before


def test_a_larger_target_goes_on_where_the_smaller_one_stopped(
    write_config: Callable[..., Path],
) -> None:
    config = str(write_config(60, **evolve(target=5)))
    run_cli("run", config, expected=0)
    first = rows_of(RUN / "evolved.jsonl")
    run_cli("run", config, "--set", "evolve.target=12", expected=0)
    rows = rows_of(RUN / "evolved.jsonl")
    assert len(counted(rows)) == 12
    assert [row["id"] for row in rows[: len(first)]] == [row["id"] for row in first]
    assert summary_of(RUN)["calls_replayed"] > 0


def test_seeds_that_give_too_few_rows_end_with_3_and_all_is_written(
    write_config: Callable[..., Path],
) -> None:
    config = str(write_config(8, **evolve(target=500)))
    for _ in range(2):
        missed = run_cli("run", config, expected=3)
        kept = len(counted(rows_of(RUN / "evolved.jsonl")))
        assert f"evolve.target: {kept} of 500 rows, and the seeds are used up" in missed.err
        assert "the same command resumes" not in missed.err
    assert summary_of(RUN)["rounds"][0]["entered"] == 8


def test_a_cap_on_candidates_holds(write_config: Callable[..., Path]) -> None:
    sections = evolve(target=50, max_candidates=9)
    run_cli("run", str(write_config(60, **sections)), expected=3)
    assert summary_of(RUN)["rounds"][0]["entered"] == 9


def test_rows_that_are_answered_as_they_are_count_as_well(
    write_config: Callable[..., Path],
) -> None:
    run_cli("run", str(write_config(30, **evolve(target=6, rounds=0))), expected=0)
    assert len(rows_of(RUN / "evolved.jsonl")) == 6


@pytest.mark.parametrize(
    ("more", "needle"),
    [
        ({"target": 5, "choice": "bandit"}, "choice: bandit learns from all"),
        ({"max_candidates": 5}, "set target"),
        ({"target": 0}, "evolve.target"),
    ],
)
def test_what_does_not_go_together_is_refused(
    more: dict[str, Any], needle: str, write_config: Callable[..., Path]
) -> None:
    assert needle in run_cli("run", str(write_config(8, **evolve(**more))), expected=2).err


def test_a_killed_run_ends_as_if_it_had_not_been(write_config: Callable[..., Path]) -> None:
    config = str(write_config(60, **evolve(target=10)))
    run_cli("run", config, "--set", "budget.calls=15", expected=3)
    run_cli("run", config, "--set", "budget.calls=null", expected=0)
    run_cli("run", config, "--out", "whole", expected=0)
    for name in ("evolved.jsonl", "failures.jsonl"):
        assert (RUN / name).read_bytes() == (Path("whole") / name).read_bytes(), name
    assert summary_of(RUN)["rounds"] == summary_of(Path("whole"))["rounds"]


def test_a_smaller_target_cuts_the_finished_set(write_config: Callable[..., Path]) -> None:
    config = str(write_config(60, **evolve(target=12)))
    run_cli("run", config, expected=0)
    before = rows_of(RUN / "evolved.jsonl")
    run_cli("run", config, "--set", "evolve.target=4", expected=0)
    assert len(counted(rows_of(RUN / "evolved.jsonl"))) == 4
    assert rows_of(RUN / "evolved.jsonl") == before[:4]


def test_without_a_target_no_surplus_stays_behind(write_config: Callable[..., Path]) -> None:
    config = str(write_config(20, **evolve(target=3, children=2)))
    run_cli("run", config, expected=0)
    run_cli("run", config, "--set", "evolve.target=null", expected=0)
    assert not (RUN / "surplus.jsonl").exists()
    assert summary_of(RUN)["rows_surplus"] == 0


def test_marks_are_of_rows_that_stay(write_config: Callable[..., Path]) -> None:
    config = str(write_config(60, **{**evolve(target=7, children=3), "filters": ["dedup"]}))
    run_cli("run", config, expected=0)
    ids = {row["id"] for row in rows_of(RUN / "evolved.jsonl")}
    marks = rows_of(RUN / "filtered.jsonl")
    assert {mark["id"] for mark in marks} <= ids
    assert len(marks) == sum(summary_of(RUN)["rows_filtered"].values())
