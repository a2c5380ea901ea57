"""Every format becomes rows and comes back; what does not fit is refused by row and key."""

import json
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.rows import new_row
from autoevol.experiments.data.formats.source import open_source
from autoevol.program.records import Row
from tests.support.command_line import run_cli

TITLES = {"seeds": "the form of seeds"}
TALK = [("human", "Name a tree."), ("gpt", "Oak."), ("human", "Another."), ("gpt", "Elm.")]
SHAREGPT = {"conversations": [{"from": who, "value": text} for who, text in TALK]}
ROLES = {"human": "user", "gpt": "assistant"}
MESSAGES = {"messages": [{"role": ROLES[who], "content": text} for who, text in TALK]}
TALKED = {
    "instruction": "Name a tree.",
    "response": "Oak.",
    "turns": ["Name a tree.", "Another."],
    "answers": ["Oak.", "Elm."],
}
HISTORY = {
    "instruction": "Another.",
    "input": "",
    "output": "Elm.",
    "history": [["Name a tree.", "Oak."]],
}
KOEVOL = {
    "columns": ["instruction", "generation", "root", "trace", "origin", "output"],
    "data": [
        ["왜?", 0, "kmmlu/law", "r", "왜?", "IDK"],
        ["Why so?", 0, "ko", "r", "Why so?", "IDK"],
        ["왜 그런가?", 1, "kmmlu/law", "r4", "왜?", "IDK"],
        ["왜 늘 그런가?", 2, "kmmlu/law", "r43", "왜?", "늘 그렇다."],
    ],
}
AUTO_EVOL = {
    "instruction": ["Why, in detail?", "Who?"],
    "response": ["Because.", "IDK"],
    "root": ["Why?", "Who?"],
    "reference": ["set/a", "set/b"],
}


def write(name: str, *records: Any) -> Path:
    """Write JSON Lines, or the one tree of a JSON file."""
    text = json.dumps(records[0]) if name.endswith(".json") else "\n".join(map(json.dumps, records))
    Path(name).write_text(text)
    return Path(name)


def read_lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]


def rows_of(file: Path) -> list[dict[str, Any]]:
    return list(open_source(file).rows)


def test_a_row_has_the_keys_of_the_contract() -> None:
    assert list(new_row("x")) == list(Row("a", "a", "x").as_dict())


@pytest.mark.parametrize(
    ("name", "record", "expected"),
    [
        pytest.param(
            "alpaca",
            {"instruction": "Add.", "input": "1, 2", "output": "3"},
            {"instruction": "Add.", "input": "1, 2", "response": "3", "origin": "Add."},
            id="alpaca",
        ),
        pytest.param(
            "self_instruct",
            {
                "id": "seed_task_0",
                "instruction": "Add.",
                "instances": [{"input": "", "output": "3"}],
            },
            {"id": "seed_task_0", "instruction": "Add.", "response": "3"},
            id="self-instruct",
        ),
        pytest.param("sharegpt", SHAREGPT, TALKED, id="ShareGPT"),
        pytest.param(
            "sharegpt",
            {"conversations": SHAREGPT["conversations"][:2], "system": "Be short."},
            {"instruction": "Name a tree.", "response": "Oak.", "turns": (), "system": "Be short."},
            id="ShareGPT with one turn and a system prompt",
        ),
        pytest.param("messages", MESSAGES, TALKED, id="OpenAI"),
        pytest.param(
            "messages",
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]},
            {"instruction": "Why?", "response": ""},
            id="OpenAI's text parts, unanswered",
        ),
        pytest.param(
            "trl",
            {"prompt": MESSAGES["messages"][:3], "completion": MESSAGES["messages"][3:]},
            TALKED,
            id="TRL's messages",
        ),
        pytest.param(
            "trl",
            {"prompt": "Why?", "completion": "So."},
            {"instruction": "Why?", "response": "So."},
            id="TRL's texts",
        ),
        pytest.param(
            "llama_factory",
            {**HISTORY, "system": "Be short."},
            {**TALKED, "system": "Be short."},
            id="LLaMA-Factory",
        ),
        pytest.param(
            "seeds",
            {"instruction": "Why?", "response": "So.", "root": "set", "lang": "en"},
            {
                "id": "row-000001",
                "seed_id": "row-000001",
                "round": 0,
                "root": "set",
                "meta": {"lang": "en"},
            },
            id="seeds of ours",
        ),
    ],
)
def test_a_record_becomes_a_row(
    workplace: Path, name: str, record: dict[str, Any], expected: dict[str, Any]
) -> None:
    source = open_source(write("in.jsonl", record))
    (row,) = source.rows
    assert source.recognised.forms == {TITLES.get(name) or FORMATS[name].title: 1}
    assert {key: row[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alpaca", HISTORY),
        ("llama_factory", {"system": "", **HISTORY}),
        ("sharegpt", SHAREGPT),
        ("messages", MESSAGES),
        ("trl", {"prompt": MESSAGES["messages"][:3], "completion": MESSAGES["messages"][3:]}),
    ],
)
def test_a_conversation_is_written_whole(name: str, expected: dict[str, Any]) -> None:
    row = new_row("Name a tree.", turns=TALKED["turns"], answers=TALKED["answers"])
    assert FORMATS[name].write(row) == expected


def test_turns_without_answers_are_a_single_instruction() -> None:
    row = new_row("Why?", input="Here.", response="So.", turns=("a", "b"))
    del row["answers"]
    assert FORMATS["sharegpt"].write(row) == {
        "conversations": [
            {"from": "human", "value": "Why?\n\nHere."},
            {"from": "gpt", "value": "So."},
        ]
    }


def test_koevols_generations_become_rounds_with_their_lineage(workplace: Path) -> None:
    rows = rows_of(write("koevol.json", KOEVOL))
    assert [(row["id"], row["seed_id"], row["parent_id"]) for row in rows] == [
        ("row-000001", "row-000001", None),
        ("row-000002", "row-000002", None),
        ("row-000001.1", "row-000001", "row-000001"),
        ("row-000001.2", "row-000001", "row-000001.1"),
    ]
    assert [row["round"] for row in rows] == [0, 0, 1, 2]
    assert [row["trace"] for row in rows[2:]] == [("deepen",), ("deepen", "constraints")]
    assert [row["method"] for row in rows] == [None, None, "deepen", "constraints"]
    assert [row["response"] for row in rows] == ["", "", "", "늘 그렇다."]
    assert {row["origin"] for row in rows} == {"왜?", "Why so?"}


def test_auto_evol_instructs_columns_become_rows(workplace: Path) -> None:
    evolved, seed = rows_of(write("auto.json", AUTO_EVOL))
    assert (evolved["round"], evolved["origin"], evolved["root"]) == (1, "Why?", "set/a")
    assert (seed["round"], seed["origin"], seed["response"]) == (0, "Who?", "")


@pytest.mark.parametrize(("name", "tree"), [("koevol", KOEVOL), ("auto_evol", AUTO_EVOL)])
def test_a_table_comes_back_as_it_was(workplace: Path, name: str, tree: dict[str, Any]) -> None:
    write("in.json", tree)
    run_cli("convert", "in.json", "rows.jsonl", expected=0)
    run_cli("convert", "rows.jsonl", "out.json", "--to", name, expected=0)
    assert json.loads(Path("out.json").read_text("utf-8")) == tree


def test_koevols_table_is_what_pandas_reads(workplace: Path) -> None:
    import pandas

    write("in.json", KOEVOL)
    run_cli("convert", "in.json", "out.json", "--to", "koevol", expected=0)
    table = pandas.read_json("out.json", orient="split", dtype={"trace": "str"})
    assert table["trace"].tolist() == ["r", "r", "r4", "r43"]


def test_the_format_found_and_what_was_left_out_is_said(workplace: Path) -> None:
    instances = [{"input": "", "output": "a"}, {"input": "", "output": "b"}]
    write("in.jsonl", {"instruction": "Why?", "instances": instances})
    told = run_cli("convert", "in.jsonl", "out.jsonl", expected=0).out
    assert "in.jsonl: 1 row in the form of self-instruct, further columns kept: instances" in told
    assert "1 instances after a row's first one are in meta" in told
    assert "out.jsonl: rows, 1 rows" in told


def test_conversations_cut_to_their_first_turn_are_counted(workplace: Path) -> None:
    write("in.jsonl", SHAREGPT)
    told = run_cli("convert", "in.jsonl", "out.json", "--to", "koevol", expected=0).out
    assert "1 conversations were cut" in told


def test_rows_survive_parquet(workplace: Path) -> None:
    row = new_row("Why?", id="a", seed_id="s", round=2, trace=["x", "y"], turns=["Why?", "So?"])
    row |= {"answers": ["Z.", "Y."], "scores": {"added_words": 2.0}, "parent_id": "p"}
    write("in.jsonl", row)
    run_cli("convert", "in.jsonl", "a.parquet", expected=0)
    run_cli("convert", "a.parquet", "out.jsonl", expected=0)
    assert read_lines("out.jsonl") == [json.loads(json.dumps(row))]


@pytest.mark.parametrize(
    ("name", "content", "options", "needles"),
    [
        pytest.param(
            "in.jsonl",
            [{"instruction": "a", "output": "b"}, {"instruction": "a"}],
            ["--from", "alpaca"],
            ["in.jsonl:2", "'output'"],
            id="key missing",
        ),
        pytest.param(
            "in.jsonl",
            [{"instruction": "a", "output": ["b"]}],
            [],
            ["in.jsonl:1", "output", "list"],
            id="list",
        ),
        pytest.param(
            "in.jsonl",
            [{"instruction": 5, "output": "b"}],
            [],
            ["in.jsonl:1", "instruction", "int"],
            id="number",
        ),
        pytest.param(
            "in.jsonl",
            [{"a": 1, "b": 2}],
            [],
            ["in.jsonl:1", "no known format", "a, b"],
            id="unknown",
        ),
        pytest.param(
            "in.jsonl",
            [SHAREGPT],
            ["--from", "alpaca"],
            ["in.jsonl:1", "'instruction'"],
            id="wrong format",
        ),
        pytest.param(
            "in.jsonl",
            [{"conversations": [{"from": "gpt", "value": "Hi."}]}],
            [],
            ["conversations[0]", "take turns"],
            id="assistant alone",
        ),
        pytest.param(
            "in.jsonl",
            [{"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}],
            [],
            ["messages[1].role", "'tool'"],
            id="tool",
        ),
        pytest.param(
            "in.jsonl",
            [{"messages": [{"role": "user", "content": None}]}],
            [],
            ["messages[0]", "empty"],
            id="user says nothing",
        ),
        pytest.param("in.jsonl", [{"messages": []}], [], ["messages", "none"], id="no message"),
        pytest.param(
            "in.jsonl",
            [
                {
                    "messages": [
                        {"role": "user", "content": "a"},
                        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
                    ]
                }
            ],
            [],
            ["messages[1]", "calls a tool"],
            id="tool call",
        ),
        pytest.param(
            "in.jsonl",
            [{"conversations": []}],
            ["--skip-unusable"],
            ["in.jsonl", "no row that can be used", "none"],
            id="nothing usable",
        ),
        pytest.param(
            "in.jsonl",
            [{"instruction": "a", "output": "b", "history": [["x"]]}],
            [],
            ["history[0]", "pair"],
            id="half a pair",
        ),
        pytest.param(
            "in.json",
            [{"columns": ["instruction", "generation", "trace"], "data": [["a", 1, "r7"]]}],
            [],
            ["in.json row 1", "trace", "'r7'"],
            id="digit",
        ),
        pytest.param(
            "in.json",
            [{"columns": ["instruction", "generation", "trace"], "data": [["a", 2, "r1"]]}],
            [],
            ["in.json row 1", "trace", "generation is 2"],
            id="trace too short",
        ),
        pytest.param(
            "in.jsonl",
            [{"id": "x", "instruction": "a"}, {"id": "x", "instruction": "b"}],
            [],
            ["in.jsonl:2", "'x'", "in.jsonl:1"],
            id="id twice",
        ),
        pytest.param(
            "in.jsonl",
            [{"id": "x", "instruction": "a", "turns": ["a", "b"], "answers": ["c"]}],
            [],
            ["in.jsonl:1", "answers of 'x'", "2 turns"],
            id="answers",
        ),
        pytest.param(
            "in.jsonl",
            [{"instruction": "a", "note": "b\ud800"}],
            [],
            ["in.jsonl:1", "note", "surrogate"],
            id="half a character",
        ),
        pytest.param(
            "in.jsonl",
            [{"id": "x", "seed_id": "s", "instruction": "a", "trace": ["e0"], "round": 1}],
            ["--to", "koevol", "out.json"],
            ["'x'", "trace", "'e0'"],
            id="method without a digit",
        ),
        pytest.param("in.jsonl", [{}], ["--from", "alpacca"], ["'alpaca'"], id="misspelt"),
        pytest.param("in.jsonl", [{}], ["--to", "koevol"], ["out.jsonl", ".json"], id="suffix"),
        pytest.param("in.pdf", [{}], [], ["in.pdf", ".jsonl"], id="kind of file"),
        pytest.param("in.xlsx", [{}], [], ["in.xlsx", "spreadsheet", "CSV"], id="spreadsheet"),
        pytest.param("in.jsonl", [], [], ["in.jsonl", "no rows"], id="empty"),
    ],
)
def test_what_does_not_fit_is_refused(
    workplace: Path, name: str, content: list[Any], options: list[str], needles: list[str]
) -> None:
    write(name, *content)
    before = sorted(Path().rglob("*"))
    target = [] if "out.json" in options else ["out.jsonl"]
    refused = run_cli("convert", name, *target, *options, expected=2)
    assert all(needle in refused.err for needle in needles), refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before


def test_a_file_that_is_there_is_never_overwritten(workplace: Path) -> None:
    write("in.jsonl", {"instruction": "Why?"})
    before = Path("in.jsonl").read_text()
    refused = run_cli("convert", "in.jsonl", "./in.jsonl", "--to", "alpaca", expected=2)
    assert "exists already" in refused.err
    assert Path("in.jsonl").read_text() == before


def test_rows_that_cannot_be_used_are_left_out_and_counted(workplace: Path) -> None:
    talk = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    tool = {
        "conversations": [{"from": "human", "value": "a"}, {"from": "observation", "value": "b"}]
    }
    write("in.jsonl", tool, talk, {"conversations": []}, talk)
    printed = run_cli("convert", "in.jsonl", "out.jsonl", "--skip-unusable", expected=0).out
    assert "in.jsonl: 2 rows in ShareGPT form, 2 skipped" in printed
    assert "in.jsonl: the first that was skipped: in.jsonl:1" in printed
    assert [row["id"] for row in read_lines("out.jsonl")] == ["row-000001", "row-000002"]


def test_rows_that_depend_on_earlier_ones_can_be_left_out(workplace: Path) -> None:
    columns = ["instruction", "generation", "trace", "origin", "output"]
    data = [["a", 0, "r", "a", "x"], ["b", 1, "r9", "a", "x"], ["c", 1, "r4", "a", "x"]]
    Path("in.json").write_text(json.dumps({"columns": columns, "data": data}))
    run_cli("convert", "in.json", "out.jsonl", "--skip-unusable", expected=0)
    assert [row["id"] for row in read_lines("out.jsonl")] == ["row-000001", "row-000001.1"]


def test_a_conversation_may_have_the_keys_of_another_format(workplace: Path) -> None:
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    write("in.jsonl", {"conversations": talk})
    run_cli("convert", "in.jsonl", "out.jsonl", expected=0)
    (row,) = read_lines("out.jsonl")
    assert (row["instruction"], row["response"]) == ("a", "b")


def test_a_nan_becomes_null(workplace: Path) -> None:
    Path("in.jsonl").write_text('{"instruction": "a", "note": NaN, "more": [Infinity, 1.5]}\n')
    run_cli("convert", "in.jsonl", "out.jsonl", expected=0)
    text = Path("out.jsonl").read_text()
    assert '"note": null, "more": [null, 1.5]' in text
    assert "NaN" not in text
