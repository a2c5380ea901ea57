"""Files of any format become one, each instruction once and each id once."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import run_cli


def write(name: str, *rows: dict[str, Any]) -> str:
    Path(name).write_text("\n".join(map(json.dumps, rows)))
    return name


def merged(*names: str) -> tuple[list[dict[str, Any]], str]:
    told = run_cli("merge", "out.jsonl", *names, expected=0).out
    return [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()], told


def evolved(seed_id: str, origin: str, instruction: str, **more: Any) -> dict[str, Any]:
    given = {"id": f"{seed_id}.1", "seed_id": seed_id, "parent_id": seed_id, "round": 1, **more}
    return {"origin": origin, "instruction": instruction, **given}


def test_rows_keep_their_order_and_their_round(workplace: Path) -> None:
    write("a.jsonl", {"id": "a", "instruction": "Why?"}, evolved("a", "Why?", "Why so?"))
    write("b.jsonl", evolved("b", "Who?", "Who else?", round=2, id="b.2", parent_id="b.1"))
    rows, _ = merged("a.jsonl", "b.jsonl")
    assert [(row["id"], row["round"]) for row in rows] == [("a", 0), ("a.1", 1), ("b.2", 2)]


def test_formats_may_differ(workplace: Path) -> None:
    write("a.jsonl", {"instruction": "Add.", "input": "1", "output": "2"})
    write("b.jsonl", {"messages": [{"role": "user", "content": "Why?"}]})
    rows, told = merged("a.jsonl", "b.jsonl")
    assert [row["instruction"] for row in rows] == ["Add.", "Why?"]
    assert "a.jsonl: 1 row in Alpaca form" in told
    assert "b.jsonl: 1 row in OpenAI's form of messages" in told
    assert "a.jsonl: 0 of 1 rows are duplicates" in told


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        pytest.param({"instruction": "Why so?"}, {"instruction": " why\n SO? "}, True, id="case"),
        pytest.param(
            {"instruction": "caf\u00e9"}, {"instruction": "cafe\u0301"}, True, id="Unicode form"
        ),
        pytest.param(
            {"instruction": "Why?", "response": "x"},
            {"instruction": "Why?", "response": "y"},
            True,
            id="response",
        ),
        pytest.param(
            {"instruction": "Add.", "input": "1"},
            {"instruction": "Add.", "input": "2"},
            False,
            id="input",
        ),
        pytest.param({"instruction": "Why?"}, {"instruction": "Why"}, False, id="mark"),
        pytest.param(
            {"instruction": "Hi", "turns": ["Hi", "a"], "answers": ["x", "y"]},
            {"instruction": "Hi", "turns": ["Hi", "b"], "answers": ["x", "y"]},
            False,
            id="turns",
        ),
    ],
)
def test_a_duplicate_asks_the_same(
    workplace: Path, first: dict[str, Any], second: dict[str, Any], is_same: bool
) -> None:
    write("a.jsonl", {"id": "a", **first})
    write("b.jsonl", {"id": "b", **second})
    rows, told = merged("a.jsonl", "b.jsonl")
    assert len(rows) == (1 if is_same else 2)
    assert f"b.jsonl: {int(is_same)} of 1 rows are duplicates" in told


def test_a_clash_of_ids_gets_a_suffix_and_takes_its_lineage_along(workplace: Path) -> None:
    for name, text in (("a", "Why?"), ("b", "Who?")):
        deep = evolved("s", text, f"{text} Deep.", id="s.2", parent_id="s.1", round=2)
        seed = {"id": "s", "instruction": text}
        write(f"{name}.jsonl", seed, evolved("s", text, f"{text} More."), deep)
    rows, told = merged("a.jsonl", "b.jsonl")
    assert [(row["id"], row["seed_id"], row["parent_id"]) for row in rows] == [
        ("s", "s", None),
        ("s.1", "s", "s"),
        ("s.2", "s", "s.1"),
        ("s-2", "s-2", None),
        ("s.1-2", "s-2", "s-2"),
        ("s.2-2", "s-2", "s.1-2"),
    ]
    assert "3 ids were taken by other rows or seeds: s became s-2" in told


def test_seeds_that_are_not_there_are_told_apart_by_their_text(workplace: Path) -> None:
    write("a.jsonl", evolved("s", "Why?", "Why so?"), evolved("t", "How?", "How so?"))
    write("b.jsonl", evolved("s", "Who?", "Who else?"), evolved("t", "How?", "How else?", id="u"))
    rows, _ = merged("a.jsonl", "b.jsonl")
    assert [row["seed_id"] for row in rows] == ["s", "t", "s-2", "t"]
    assert [row["parent_id"] for row in rows] == ["s", "t", "s-2", "t"]


def test_children_of_a_dropped_seed_belong_to_the_one_that_was_kept(workplace: Path) -> None:
    write("a.jsonl", {"id": "x", "instruction": "Why?"})
    write("b.jsonl", {"id": "y", "instruction": "why?"}, evolved("y", "why?", "Why so?"))
    rows, _ = merged("a.jsonl", "b.jsonl")
    assert [(row["id"], row["seed_id"], row["parent_id"]) for row in rows] == [
        ("x", "x", None),
        ("y.1", "x", "x"),
    ]


def test_the_output_is_never_read_nor_overwritten(workplace: Path) -> None:
    write("a.jsonl", {"instruction": "Why?"})
    write("out.jsonl", {"instruction": "Who?"})
    before = Path("out.jsonl").read_text()
    inside = run_cli("merge", "out.jsonl", "a.jsonl", "./out.jsonl", expected=2)
    there = run_cli("merge", "out.jsonl", "a.jsonl", expected=2)
    assert "among the files to merge" in inside.err
    assert "exists already" in there.err
    assert Path("out.jsonl").read_text() == before


def test_a_broken_file_leaves_nothing_behind(workplace: Path) -> None:
    write("a.jsonl", {"instruction": "Why?"})
    write("b.jsonl", {"instruction": ["Why?"]})
    before = sorted(Path().rglob("*"))
    refused = run_cli("merge", "out.jsonl", "a.jsonl", "b.jsonl", expected=2)
    assert "b.jsonl:1: instruction must be a text" in refused.err
    assert sorted(Path().rglob("*")) == before


def test_a_row_does_not_take_the_name_of_a_seed_that_is_in_no_file(workplace: Path) -> None:
    """Seeds may be called as rewrites are: here `1.1` is a seed of one run, a row of the other."""
    write("a.jsonl", evolved("1.1", "Why?", "Why so?"))
    write("b.jsonl", evolved("1", "Who?", "Who else?"))
    rows, _ = merged("a.jsonl", "b.jsonl")
    assert [(row["id"], row["seed_id"]) for row in rows] == [("1.1.1", "1.1"), ("1.1-2", "1")]


def test_a_seed_does_not_take_the_name_of_a_row(workplace: Path) -> None:
    write("a.jsonl", evolved("1", "Who?", "Who else?"))
    write("b.jsonl", evolved("1.1", "Why?", "Why so?", id="1.1.1"))
    rows, _ = merged("a.jsonl", "b.jsonl")
    assert rows[0]["id"] == "1.1"
    assert (rows[1]["seed_id"], rows[1]["parent_id"]) == ("1.1-2", "1.1-2")


def test_a_seed_of_another_text_does_not_take_a_seeds_name(workplace: Path) -> None:
    write("a.jsonl", evolved("a", "Why?", "Why so?"))
    write("b.jsonl", {"id": "a", "instruction": "Who?"}, evolved("a", "Who?", "Who else?"))
    rows, _ = merged("a.jsonl", "b.jsonl")
    assert [row["seed_id"] for row in rows] == ["a", "a-2", "a-2"]
    assert rows[2]["parent_id"] == "a-2"
