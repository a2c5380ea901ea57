"""Runs on different seeds are not compared as if they had the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.command_line import run_cli

PLAIN: dict[str, Any] = {"optimizer": {"name": "none"}, "failure": {"rules": []}}


def compared(*names: str) -> tuple[str, dict[str, Any]]:
    printed = run_cli("compare", *names, "--out", "compared", expected=0).out
    tables = json.loads(Path("compared/comparison.json").read_text())["tables"]
    return printed, {table["title"]: table for table in tables}


def run(config: Path, name: str, *options: str) -> None:
    run_cli("run", str(config), "--out", name, *options, expected=0)


def test_the_figures_on_shared_seeds_stand_beside_a_warning(
    write_config: Callable[..., Path],
) -> None:
    run(write_config(10, **PLAIN), "a")
    run(write_config(10, **PLAIN), "b", "--set", "data.limit=4", "--set", "evolve.rounds=2")
    printed, tables = compared("a", "b")
    assert "the runs have different seeds" in printed
    lines = {line[0]: line[1:] for line in tables["The runs have different seeds"]["lines"]}
    assert lines["of the run"] == ["10", "4"]
    assert lines["that all runs have"] == ["4", "4"]
    assert lines["loss rate on those"][0].startswith("0.0%")


def test_runs_without_a_shared_seed_say_so(write_config: Callable[..., Path]) -> None:
    run(write_config(4, **PLAIN), "a")
    Path("other.jsonl").write_text('{"id": "seed-1", "instruction": "Name a tree."}\n')
    run(write_config(4, **PLAIN), "b", "--set", "data.path=other.jsonl")
    _, tables = compared("a", "b")
    assert tables["The runs have different seeds"]["lines"][1][1:] == ["0", "0"]


def test_runs_on_the_same_seeds_are_compared_without_a_warning(
    write_config: Callable[..., Path],
) -> None:
    strict = {**PLAIN, "failure": {"rules": ["strict"]}}
    run(write_config(10, **PLAIN), "a")
    run(write_config(10, **strict), "b")
    printed, tables = compared("a", "b")
    assert "different seeds" not in printed
    assert "The runs have different seeds" not in tables
