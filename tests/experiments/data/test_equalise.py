"""Two data sets become comparable; the originals stay as they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import run_cli


def write(name: str, *rows: dict[str, Any]) -> str:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("\n".join(map(json.dumps, rows)))
    return name


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def by_seed(*seeds: str, **more: Any) -> list[dict[str, Any]]:
    return [{"instruction": f"Row {n}", "seed_id": seed, **more} for n, seed in enumerate(seeds)]


def test_rows_whose_seed_is_in_both_stay(workplace: Path) -> None:
    write("a.jsonl", *by_seed("s1", "s2", "s2", "s3"))
    write("b.jsonl", *by_seed("s4", "s2", "s1", note="kept"))
    told = run_cli("equalise", "a.jsonl", "b.jsonl", "--by", "rows", expected=0).out
    assert [row["seed_id"] for row in read("a.equal.jsonl")] == ["s1", "s2", "s2"]
    assert [row["seed_id"] for row in read("b.equal.jsonl")] == ["s2", "s1"]
    assert read("b.equal.jsonl")[0]["note"] == "kept"
    assert "a.jsonl: 3 of 4 rows → a.equal.jsonl" in told
    assert len(read("a.jsonl")) == 4


def test_without_ids_the_seeds_texts_decide(workplace: Path) -> None:
    columns = ["instruction", "generation", "trace", "origin"]
    data = [["x", 1, "r1", "Why?"], ["y", 1, "r1", "Who?"]]
    Path("a.json").write_text(json.dumps({"columns": columns, "data": data}))
    auto = {"instruction": ["z"], "response": ["w"], "root": ["who? "], "reference": ["set"]}
    Path("b.json").write_text(json.dumps(auto))
    run_cli("equalise", "a.json", "b.json", "--by", "rows", expected=0)
    assert [row["origin"] for row in read("a.equal.jsonl")] == ["Who?"]
    assert [row["instruction"] for row in read("b.equal.jsonl")] == ["z"]


def test_a_larger_set_is_drawn_from(workplace: Path) -> None:
    write("a.jsonl", *({"instruction": str(n), "output": ""} for n in range(50)))
    write("b.jsonl", *({"instruction": str(n), "output": ""} for n in range(20)))
    for out, seed in (("x", "1"), ("y", "1"), ("z", "2")):
        options = ["--by", "count", "--seed", seed, "--out", out]
        run_cli("equalise", "a.jsonl", "b.jsonl", *options, expected=0)
    drawn = [[int(row["instruction"]) for row in read(f"{out}/a.equal.jsonl")] for out in "xyz"]
    assert len(set(drawn[0])) == 20
    assert drawn[0] == sorted(drawn[0])
    assert drawn[0] == drawn[1] != drawn[2]
    assert read("x/b.equal.jsonl") == read("b.jsonl")


def test_files_of_one_name_are_told_apart_by_their_folders(workplace: Path) -> None:
    for run in ("one", "two"):
        write(f"{run}/evolved.jsonl", *by_seed("s1"))
    both = ["one/evolved.jsonl", "two/evolved.jsonl", "--by", "rows"]
    run_cli("equalise", *both, "--out", "out", expected=0)
    run_cli("equalise", *both, expected=0)
    names = {path.as_posix() for path in Path().rglob("*.equal.jsonl")}
    assert names == {
        "out/one-evolved.equal.jsonl",
        "out/two-evolved.equal.jsonl",
        "one/evolved.equal.jsonl",
        "two/evolved.equal.jsonl",
    }


@pytest.mark.parametrize(
    ("first", "second", "by", "needles"),
    [
        pytest.param(
            by_seed("s", origin="Why?"),
            by_seed("s", origin="Who?"),
            "rows",
            ["b.jsonl: seed_id", "'s'", "another seed in a.jsonl"],
            id="ids of different runs",
        ),
        pytest.param(by_seed("s"), by_seed("t"), "rows", ["no seed in common"], id="disjoint"),
        pytest.param(
            [{"instruction": "x", "output": "y"}],
            by_seed("s"),
            "rows",
            ["a.jsonl:1", "seed_id", "--by count"],
            id="no seeds",
        ),
        pytest.param(
            [{"instruction": "x", "origin": "y"}],
            by_seed("s"),
            "rows",
            ["b.jsonl row 1", "no text of its seed"],
            id="texts against ids",
        ),
        pytest.param(by_seed("s"), by_seed("s"), "size", ["--by size", "count"], id="way"),
        pytest.param([], by_seed("s"), "count", ["a.jsonl", "no rows"], id="empty"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    workplace: Path,
    first: list[dict[str, Any]],
    second: list[dict[str, Any]],
    by: str,
    needles: list[str],
) -> None:
    write("a.jsonl", *first)
    write("b.jsonl", *second)
    before = sorted(Path().rglob("*"))
    refused = run_cli("equalise", "a.jsonl", "b.jsonl", "--by", by, expected=2)
    assert all(needle in refused.err for needle in needles), refused.err
    assert sorted(Path().rglob("*")) == before


def test_an_earlier_result_is_not_overwritten(workplace: Path) -> None:
    write("a.jsonl", *by_seed("s"))
    write("b.jsonl", *by_seed("s"))
    write("b.equal.jsonl", {"mine": 1})
    refused = run_cli("equalise", "a.jsonl", "b.jsonl", "--by", "rows", expected=2)
    assert "b.equal.jsonl: exists already" in refused.err
    assert not Path("a.equal.jsonl").exists()
