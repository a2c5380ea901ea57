"""People's data sets as rows: what is recognised, kept, and left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.source import ReadOptions, open_source
from autoevol.program.errors import ConfigError
from tests.support.command_line import rows_of, run_cli

TALK = [
    {"from": "human", "value": "Name a tree."},
    {"from": "gpt", "value": "Oak."},
    {"from": "human", "value": "Another."},
    {"from": "gpt", "value": "Elm."},
]


def write(name: str, *records: Any) -> Path:
    Path(name).write_text("\n".join(map(json.dumps, records)), "utf-8")
    return Path(name)


def test_one_line_says_what_was_recognised(workplace: Path) -> None:
    tool = {
        "conversations": [{"from": "human", "value": "a"}, {"from": "observation", "value": "b"}]
    }
    talks = [{"conversations": TALK, "system": "Be short.", "topic": "trees"}] * 3
    file = write("a.jsonl", *talks, {"conversations": TALK[:2]}, tool)
    source = open_source(file, ReadOptions(invalid="skip"))
    assert len(list(source.rows)) == 4
    assert source.recognised.sentence == (
        "4 rows in ShareGPT form, 3 of several turns, 3 with a system prompt, "
        "further columns kept: topic, 1 skipped"
    )


def test_all_faults_are_listed_by_their_kind(workplace: Path) -> None:
    blank = [{"instruction": " "}] * 12
    file = write("a.jsonl", {"instruction": "Name a tree."}, *blank, {"instruction": 7})
    with pytest.raises(ConfigError) as refused:
        list(open_source(file, ReadOptions(hint="skip them")).rows)
    assert str(refused.value) == "a.jsonl: 13 of 14 records make no row; skip them"
    assert refused.value.details == (
        "12 × instruction must be a text, is empty: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …",
        "1 × instruction must be a text or null, is int: 14",
    )
    printed = run_cli("convert", "a.jsonl", "b.jsonl", expected=2).err
    assert [line.strip()[:4] for line in printed.splitlines()[1:]] == ["12 ×", "1 × "]


def test_a_line_that_is_no_json_is_one_record_that_makes_no_row(workplace: Path) -> None:
    Path("a.jsonl").write_text('{"instruction": "a"}\n{"instr\n{"instruction": "b"}\n')
    source = open_source(Path("a.jsonl"), ReadOptions(invalid="skip"))
    assert [row["instruction"] for row in source.rows] == ["a", "b"]
    (rejected,) = source.recognised.rejected
    assert (rejected.place, rejected.value) == ("a.jsonl:2", '{"instr')


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"Instruction": "a", "Output": "b", " Input ": "c"}, ("a", "c", "b")),
        ({"INSTRUCTION": "a", "Response": "b"}, ("a", "", "b")),
        ({"Prompt": "a", "Completion": "b"}, ("a", "", "b")),
    ],
)
def test_keys_may_be_spelt_in_other_letters(
    workplace: Path, record: dict[str, str], expected: tuple[str, str, str]
) -> None:
    (row,) = open_source(write("a.jsonl", record)).rows
    assert (row["instruction"], row["input"], row["response"]) == expected
    assert "meta" not in row


def test_a_greeting_before_the_first_question_is_kept_apart(workplace: Path) -> None:
    greeted = {"conversations": [{"from": "gpt", "value": "Hello!"}, *TALK]}
    (row,) = open_source(write("a.jsonl", greeted)).rows
    assert row["turns"] == ["Name a tree.", "Another."]
    assert row["meta"] == {"greeting": "Hello!"}
    assert FORMATS["sharegpt"].record(row) == {"conversations": TALK, "greeting": "Hello!"}


@pytest.mark.parametrize("name", ["alpaca", "llama_factory", "sharegpt", "messages", "trl"])
def test_further_columns_are_written_beside_the_formats_own(workplace: Path, name: str) -> None:
    record = {"instruction": "a", "output": "b", "topic": "trees", "score": 3, "messages": "own"}
    (row,) = open_source(write("a.jsonl", record), ReadOptions(FORMATS["alpaca"])).rows
    written = FORMATS[name].record(row)
    assert (written["topic"], written["score"]) == ("trees", 3)
    own = written["meta"] if name == "messages" else written
    assert own["messages"] == "own", "a column whose name the format uses is lost"
    (again,) = open_source(write("b.jsonl", written), ReadOptions(FORMATS[name])).rows
    assert again["meta"] == row["meta"]


def test_only_the_named_columns_travel(workplace: Path) -> None:
    file = write("a.jsonl", {"instruction": "a", "topic": "trees", "score": 3})
    for keep, meta in ((["topic"], {"topic": "trees"}), ([], None)):
        (row,) = open_source(file, ReadOptions(keep=keep)).rows
        assert row.get("meta") == meta


def test_llama_factorys_list_says_how_a_file_beside_it_is_read(workplace: Path) -> None:
    info = {
        "mine": {"file_name": "a.jsonl", "columns": {"prompt": "question", "response": "answer"}},
        "talks": {
            "file_name": "b.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "dialogue", "system": "orders"},
            "tags": {
                "role_tag": "who",
                "content_tag": "text",
                "user_tag": "me",
                "assistant_tag": "it",
            },
        },
    }
    Path("dataset_info.json").write_text(json.dumps(info))
    (row,) = open_source(write("a.jsonl", {"question": "a", "answer": "b", "topic": "c"})).rows
    assert (row["instruction"], row["response"], row["meta"]) == ("a", "b", {"topic": "c"})
    dialogue = [{"who": "me", "text": "a"}, {"who": "it", "text": "b"}]
    (row,) = open_source(write("b.jsonl", {"dialogue": dialogue, "orders": "Be short."})).rows
    assert (row["instruction"], row["response"], row["system"]) == ("a", "b", "Be short.")


def test_a_column_called_meta_is_kept_whatever_it_holds(workplace: Path) -> None:
    for value, expected in (("note", {"meta": "note"}), ({"a": 1}, {"a": 1}), (7, {"meta": 7})):
        (row,) = open_source(write("a.jsonl", {"instruction": "a", "meta": value})).rows
        assert row["meta"] == expected


def test_further_columns_come_through_parquet_and_back(workplace: Path) -> None:
    write("a.jsonl", {"instruction": "a", "topic": "trees", "tags": ["x"], "system": "Be short."})
    run_cli("convert", "a.jsonl", "b.parquet", expected=0)
    run_cli("convert", "b.parquet", "c.jsonl", expected=0)
    (row,) = rows_of(Path("c.jsonl"))
    assert (row["meta"], row["system"]) == ({"topic": "trees", "tags": ["x"]}, "Be short.")


@pytest.mark.parametrize("name", ["koevol", "auto_evol"])
def test_what_a_table_has_no_room_for_is_counted(workplace: Path, name: str) -> None:
    write("a.jsonl", {"instruction": "a", "topic": "trees", "system": "Be short."})
    printed = run_cli("convert", "a.jsonl", "b.json", "--to", name, expected=0).out
    assert "1 system prompts were left out" in printed
    assert "1 rows lost their further columns" in printed
