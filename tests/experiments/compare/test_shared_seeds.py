"""Runs on different seeds are not compared as if they had the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoevol.experiments.compare.shared_rows import rows_side_by_side
from autoevol.experiments.compare.sides import read_side
from tests.support.command_line import run_cli
from tests.support.html_pages import read_page

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


def test_the_page_shows_what_each_run_made_of_the_same_seeds(
    write_config: Callable[..., Path],
) -> None:
    strict = {**PLAIN, "failure": {"rules": ["strict"]}}
    run(write_config(10, **PLAIN), "plain")
    run(write_config(10, **strict), "strict", "--set", "data.limit=8")
    sides = [read_side(Path(name)) for name in ("plain", "strict")]
    seeds = rows_side_by_side(sides, count=20)
    assert len(seeds) == 8, "the seeds that both have"
    by_origin = {row.origin: row.instruction for row in sides[0].rows}
    kept = {row.origin for row in sides[1].rows}
    for seed in seeds:
        plain, checked = seed.fates
        assert "".join(piece.text for piece in plain.pieces) == by_origin[seed.text]
        assert bool(checked.pieces) == (seed.text in kept)
        assert bool(checked.lost_by) == (seed.text not in kept)
    assert 0 < len(kept) < 8

    run_cli("compare", "plain", "strict", "--out", "compared", expected=0)
    page = read_page(Path("compared/compare.html"))
    articles = page.all("article")
    assert len(articles) == 5
    assert all("plain" in article.text and "strict" in article.text for article in articles)


def test_files_have_no_seeds_to_show(workplace: Path) -> None:
    Path("a.jsonl").write_text('{"instruction": "Name a tree.", "output": "Oak"}\n')
    side = read_side(Path("a.jsonl"))
    assert rows_side_by_side([side, side]) == []
