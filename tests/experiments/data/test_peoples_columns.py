"""Columns and shapes that people bring: kept under their own meaning, never read as ours."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.source import ReadOptions, open_source
from autoevol.program.errors import ConfigError
from tests.support.command_line import rows_of, run_cli, summary_of


def write(name: str, *records: Any) -> Path:
    Path(name).write_text("\n".join(map(json.dumps, records)), "utf-8")
    return Path(name)


def rows(*records: Any, **options: Any) -> list[dict[str, Any]]:
    return list(open_source(write("a.jsonl", *records), ReadOptions(**options)).rows)


def test_a_round_of_somebody_elses_is_a_column(workplace: Path) -> None:
    records = [{"instruction": f"Name {n} trees.", "round": n % 3 + 1} for n in range(9)]
    write("a.jsonl", *records)
    config = "name: t\nmodels: {evolver: scripted/world}\ndata: {path: a.jsonl}\n"
    Path("t.yaml").write_text(config + "optimizer: {name: none}\nfailure: {rules: []}\n")
    run_cli("run", "t.yaml", expected=0)
    assert summary_of(Path("runs/t"))["rows_in"] == 9
    (first, *_) = rows_of(Path("runs/t/evolved.jsonl"))
    assert (first["round"], first["meta"]) == (1, {"round": 1})


def test_columns_with_the_names_of_our_keys_come_back(workplace: Path) -> None:
    own = {"thinking": "mine", "status": "draft", "method": "GET", "scores": {"q": 1}, "trace": 7}
    record = {"instruction": "a", "response": "b", "origin": "book", "reasons": ["x"], **own}
    (row,) = rows(record)
    assert row["meta"] == {"origin": "book", "reasons": ["x"], **own}
    written = FORMATS["messages"].record(row)
    assert {key: written[key] for key in row["meta"]} == row["meta"]


@pytest.mark.parametrize(
    "record",
    [
        {"instruction": "a", "input": "c", "output": "b", "seed_id": "s"},
        {"instruction": "a", "Input": "c", "Output": "b"},
        {"id": "1", "instruction": "a", "input": "c", "response": "b", "reference": "book"},
        {"question": "a", "context": "c", "answer": "b"},
        {"Frage": "a", "input": "c", "Antwort": "b"},
        {"instruction": "a", "input": "c", "completion": "b"},
    ],
)
def test_an_answer_is_found_under_its_usual_names(record: Any, workplace: Path) -> None:
    (row,) = rows(record)
    assert (row["instruction"], row["input"], row["response"]) == ("a", "c", "b")


def test_each_record_goes_by_its_own_keys(workplace: Path) -> None:
    read = rows(
        {"instruction": "a"}, "b", {"instruction": "c", "output": "d"}, {"x": 1}, invalid="skip"
    )
    assert [(row["instruction"], row["response"]) for row in read] == [
        ("a", ""),
        ("b", ""),
        ("c", "d"),
    ]


def test_input_and_output_alone_are_a_question_and_its_answer(workplace: Path) -> None:
    (row,) = rows({"input": "a", "output": "b"})
    assert (row["instruction"], row["response"], row["input"]) == ("a", "b", "")


def test_a_number_is_no_answer(workplace: Path) -> None:
    (row,) = rows({"text": "a", "label": 1})
    assert (row["instruction"], row["response"], row["meta"]) == ("a", "", {"label": 1})


@pytest.mark.parametrize("name", ["alpaca", "llama_factory", "sharegpt", "messages", "trl"])
def test_ids_and_roots_are_written_but_numbers_of_records_are_not(
    name: str, workplace: Path
) -> None:
    named, unnamed = rows({"id": "q17", "instruction": "a", "root": "kmmlu"}, {"instruction": "b"})
    assert FORMATS[name].record(named)["id"] == "q17"
    assert FORMATS[name].record(named)["root"] == "kmmlu"
    assert "id" not in FORMATS[name].record(unnamed)


def test_a_column_with_a_name_of_the_format_is_not_read_as_it(workplace: Path) -> None:
    (row,) = rows({"instruction": "a", "output": "b"})
    record = FORMATS["alpaca"].record({**row, "meta": {"history": "H", "note": "n"}})
    assert record["meta"] == {"history": "H"}
    (again,) = rows(record)
    assert again["meta"] == {"history": "H", "note": "n"}


TALK = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]


def test_what_messages_say_beside_their_text_is_kept(workplace: Path) -> None:
    (row,) = rows({"messages": TALK})
    assert row["meta"] == {"message_keys": [{}, {"weight": 0}]}


@pytest.mark.parametrize(
    "record",
    [
        {"system": "KEY", "messages": TALK},
        {"system": "KEY", "prompt": "a", "completion": "b"},
        {"system": "KEY", "conversations": TALK},
    ],
)
def test_a_system_prompt_beside_the_messages_is_one(record: Any, workplace: Path) -> None:
    (row,) = rows(record)
    assert row["system"] == "KEY"


def test_two_system_prompts_are_both_kept(workplace: Path) -> None:
    inner = {"role": "system", "content": "MSG"}
    (row,) = rows({"system": "KEY", "messages": [inner, *TALK]})
    assert (row["system"], row["meta"]["system"]) == ("MSG", "KEY")


def test_two_values_under_one_name_are_both_kept(workplace: Path) -> None:
    (row,) = rows({"instruction": "a", "topic": "A", "meta": {"topic": "B"}})
    assert row["meta"] == {"topic": "A", "meta": {"topic": "B"}}
    hello = {"role": "assistant", "content": "Hello!"}
    (row,) = rows({"greeting": "column", "messages": [hello, *TALK]})
    assert row["meta"]["greeting"] == "Hello!"
    assert row["meta"]["meta"] == {"greeting": "column"}


@pytest.mark.parametrize(
    ("tree", "needle"),
    [
        ({"columns": ["instruction", "output", "output"], "data": []}, "two columns called"),
        ({"columns": [["instruction"]], "data": [["a"]]}, "no text"),
        ({"columns": ["instruction", None], "data": [["a", 1]]}, "no text"),
    ],
)
def test_columns_need_names_of_their_own(tree: Any, needle: str, workplace: Path) -> None:
    Path("a.json").write_text(json.dumps(tree))
    assert needle in run_cli("convert", "a.json", "b.jsonl", expected=2).err


def test_what_parquet_holds_and_no_text_can_is_one_clear_line(workplace: Path) -> None:
    table = pyarrow.table({"instruction": ["a"], "image": [b"abc"]})
    pyarrow.parquet.write_table(table, "a.parquet")
    assert "holds bytes" in run_cli("convert", "a.parquet", "b.jsonl", expected=2).err
    dates = pyarrow.array([10_000_000], pyarrow.date32())
    pyarrow.parquet.write_table(pyarrow.table({"instruction": ["a"], "d": dates}), "c.parquet")
    assert "c.parquet" in run_cli("convert", "c.parquet", "d.jsonl", expected=2).err


def test_a_name_that_no_column_has_is_refused(workplace: Path) -> None:
    with pytest.raises(ConfigError, match=r"no further column 'topci'.* it has topic"):
        rows({"instruction": "a", "topic": "t"}, keep=["topci"])


@pytest.mark.parametrize("where", [{"level": 3}, {"level": "3"}, {"level": [2, 3]}])
def test_rows_are_chosen_by_numbers_and_by_their_texts(where: Any, workplace: Path) -> None:
    read = rows(*({"instruction": str(n), "level": n} for n in range(5)), where=where)
    assert "3" in [row["instruction"] for row in read]


def test_a_folder_is_read_whatever_the_letters_and_says_what_it_leaves(workplace: Path) -> None:
    Path("d").mkdir()
    write("d/a.jsonl", {"instruction": "a"})
    write("d/B.JSONL", {"instruction": "b"})
    Path("d/c.jsonl.gz").touch()
    source = open_source(Path("d"))
    assert len(list(source.rows)) == 2
    assert "not read: c.jsonl.gz" in source.recognised.sentence


def test_a_runs_folder_stands_for_its_rows(workplace: Path) -> None:
    Path("r").mkdir()
    write("r/evolved.jsonl", {"instruction": "kept"})
    write("r/failures.jsonl", {"instruction": "failed"})
    Path("r/run.json").write_text("{}")
    assert [row["instruction"] for row in open_source(Path("r")).rows] == ["kept"]


def test_two_files_of_koevol_in_a_folder_share_their_lineages(workplace: Path) -> None:
    Path("k").mkdir()
    columns = ["instruction", "generation", "root", "trace", "origin", "output"]
    for name, rows_ in (
        ("a", [["Why?", 0, "", "r", "Why?", "x"]]),
        ("b", [["So?", 1, "", "r4", "Why?", "y"]]),
    ):
        Path(f"k/{name}.json").write_text(json.dumps({"columns": columns, "data": rows_}))
    seed, child = open_source(Path("k")).rows
    assert child["seed_id"] == child["parent_id"] == seed["id"]


def test_a_mapped_name_beside_an_own_one_loses_neither(workplace: Path) -> None:
    info = {"m": {"file_name": "a.jsonl", "columns": {"prompt": "q", "response": "a"}}}
    # Some editors put a byte order mark first.
    Path("dataset_info.json").write_text(json.dumps(info), "utf-8-sig")
    (row,) = rows({"q": "REAL", "instruction": "other", "a": "ANS", "output": "oo"})
    assert (row["instruction"], row["response"]) == ("REAL", "ANS")
    assert row["meta"] == {"_instruction": "other", "_output": "oo"}


def test_rejected_records_lie_beside_what_was_written(workplace: Path) -> None:
    write("a.jsonl", {"foo": 1, "bar": 2}, {"instruction": "b"})
    printed = run_cli("convert", "a.jsonl", "b.jsonl", "--skip-unusable", expected=0).out
    assert "b.rejected.jsonl: 1 records" in printed
    (rejected,) = rows_of(Path("b.rejected.jsonl"))
    assert rejected["record"] == {"foo": 1, "bar": 2}


def test_columns_are_named_where_nothing_tells_them(workplace: Path) -> None:
    write("a.jsonl", {"colour": "a", "shade": "b"})
    assert "--field instruction=NAME" in run_cli("convert", "a.jsonl", "b.jsonl", expected=2).err
    fields = ("--field", "instruction=colour", "--field", "response=shade")
    run_cli("convert", "a.jsonl", "b.jsonl", *fields, expected=0)
    (row,) = rows_of(Path("b.jsonl"))
    assert (row["instruction"], row["response"]) == ("a", "b")
    run_cli("init", "a.jsonl", "--yes", "--model", "scripted/world", *fields, expected=0)
    assert "instruction: colour" in Path("a.yaml").read_text()
    assert "USE=COLUMN" in run_cli("init", "a.jsonl", "--field", "x=y", expected=2).err


def test_a_quote_behind_a_space_shifts_no_value(workplace: Path) -> None:
    Path("a.csv").write_text('instruction,input,output\nDo it, "first, second"\n')
    assert "quote behind a space" in run_cli("convert", "a.csv", "b.jsonl", expected=2).err


def test_seeds_are_built_from_any_format(workplace: Path) -> None:
    write("a.jsonl", {"instruction": "a", "output": "b", "topic": "t"})
    Path("s.yaml").write_text("sources: [{path: a.jsonl}]\n")
    run_cli("seeds", "s.yaml", "out.jsonl", expected=0)
    (seed,) = rows_of(Path("out.jsonl"))
    assert (seed["response"], seed["meta"]) == ("b", {"topic": "t"})


def test_the_same_question_under_another_system_prompt_is_no_duplicate(workplace: Path) -> None:
    write("a.jsonl", {"instruction": "a", "system": "pirate"}, {"instruction": "a", "system": "x"})
    run_cli("merge", "m.jsonl", "a.jsonl", expected=0)
    assert len(rows_of(Path("m.jsonl"))) == 2


@pytest.mark.parametrize("stem", ["2024", "null", "a b", "ä"])
def test_a_config_is_written_for_a_file_of_any_name(stem: str, workplace: Path) -> None:
    write(f"{stem}.jsonl", {"instruction": "a"})
    run_cli(
        "init", f"{stem}.jsonl", "--yes", "--model", "scripted/world", "--out", "c.yaml", expected=0
    )
    run_cli("run", "c.yaml", "--dry-run", expected=0)


@pytest.mark.parametrize(
    "lineage",
    [
        {"seed_id": "S", "round": 3},
        {"seed_id": "S", "round": 3, "parent_id": "P", "method": "m", "origin": "o"},
        {"seed_id": "S", "round": "3", "parent_id": "P", "trace": "t", "reasons": ["r"]},
    ],
)
def test_a_lineage_of_somebody_elses_is_columns(lineage: Any, workplace: Path) -> None:
    first, second = rows(
        {"id": "a", "instruction": "x", "output": "b", **lineage},
        {"id": "c", "instruction": "y", "output": "d", **{**lineage, "round": 4}},
    )
    assert (first["response"], first["round"], first["meta"]) == ("b", 0, lineage)
    assert second["round"] == 0


@pytest.mark.parametrize("name", ["trl", "alpaca", "messages"])
def test_a_text_called_meta_stays_beside_a_name_that_is_taken(name: str, workplace: Path) -> None:
    own = {"prompt": "P", "input": "", "messages": "M", "meta": "text"}
    (row,) = rows({"instruction": "a", "output": "b", **own}, read_as=FORMATS["alpaca"])
    written = FORMATS[name].record(row)
    kept = {**written, **written["meta"]} if isinstance(written["meta"], dict) else written
    assert kept["meta"] == "text"


def test_init_names_no_columns_for_a_file_of_several_forms(workplace: Path) -> None:
    write(
        "a.jsonl",
        {"instruction": "a", "output": "b"},
        {"question": "c", "output": "d"},
        {"instruction": "e", "output": "f"},
    )
    run_cli("init", "a.jsonl", "--yes", "--model", "scripted/world", expected=0)
    assert "fields" not in Path("a.yaml").read_text()
    run_cli("run", "a.yaml", "--set", "failure.rules=[]", expected=0)
    assert summary_of(Path("runs/a"))["rows_in"] == 3


def test_seeds_are_built_without_the_records_that_make_no_row(workplace: Path) -> None:
    write("a.jsonl", {"instruction": "a"}, {"instruction": " "})
    Path("s.yaml").write_text("sources: [{path: a.jsonl}]\n")
    assert "a.jsonl:2" in run_cli("seeds", "s.yaml", "out.jsonl", expected=2).err
    Path("s.yaml").write_text("sources: [{path: a.jsonl, invalid: skip}]\n")
    printed = run_cli("seeds", "s.yaml", "out.jsonl", expected=0).out
    assert "1 more records make no row" in printed
    assert len(rows_of(Path("out.jsonl"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Write a poem about the sea.\nSort a list of numbers.\n", id="sentences"),
        pytest.param("Sort a list\nReverse a string\n", id="short, without a full stop"),
        pytest.param("写一首关于大海的诗\n写一首关于山的诗\n", id="no spaces"),
        pytest.param("하늘은 왜 파란가요?\n바다는 왜 짠가요?\n", id="Korean"),
        pytest.param("Write a poem about the sea.,task\nWrite of love.,x\n", id="one usual name"),
    ],
)
def test_a_row_is_not_lost_as_a_header(workplace: Path, text: str) -> None:
    Path("a.csv").write_text(text)
    for invalid in ([], ["--skip-unusable"]):
        error = run_cli("convert", "a.csv", "b.jsonl", *invalid, expected=2).err
        assert error.startswith("a.csv:1: reads like a row")
        assert len(error.splitlines()) == 1
    header = "instruction,answer" if "," in text else "asked"
    Path("a.csv").write_text(f"{header}\n{text}")
    run_cli("convert", "a.csv", "b.jsonl", expected=0)
    assert len(rows_of(Path("b.jsonl"))) == 2


@pytest.mark.parametrize(
    "header",
    ["user_prompt_text_en", "Frage an das Modell", "Prompt (max. 50 words)", "질문 내용", "问题"],
)
def test_names_of_columns_are_no_rows(workplace: Path, header: str) -> None:
    value = "Describe in six sentences how a mill works that grinds by wind and water together."
    if header == "问题":
        value = "请用六句话说明风车和水车是怎样一起磨面的"
    Path("a.csv").write_text(f"{header}\n{value}\n")
    run_cli("convert", "a.csv", "b.jsonl", expected=0)
    assert [row["instruction"] for row in rows_of(Path("b.jsonl"))] == [value]


@pytest.mark.parametrize(
    "lines",
    [
        "prompt,model name\nWrite a poem about the sea.,gpt-4\n",
        "Prompt,Task Type,Created At\nWrite a poem about the sea.,text,2026\n",
        "Question,Correct Answer\nWhat is 2+2?,4\n",
        "question,option a,option b\nWhat is 2+2?,3,4\n",
        "Instruction,Row Number\nWrite a poem.,1\n",
        "question,Reviewer comments\nWhy?,\n",
        "instruction,Quality score from the first annotator\nWrite a poem.,4\n",
        "Timestamp,Your name,Question\n2026-01-01,Ann,Why?\n",
        "질문,작업 유형\n하늘은 왜 파란가요?,일반\n",
        "指令,任务类型\n写一首诗,文学\n",
    ],
)
def test_the_headers_of_peoples_files_are_read(workplace: Path, lines: str) -> None:
    Path("a.csv").write_text(lines)
    run_cli("convert", "a.csv", "b.jsonl", expected=0)
    assert len(rows_of(Path("b.jsonl"))) == 1


def test_long_names_are_names_beside_usual_ones_or_where_they_are_named(workplace: Path) -> None:
    Path("a.csv").write_text("question,answer,How sure are you of it?\nWhy?,So,very\n")
    run_cli("convert", "a.csv", "b.jsonl", expected=0)
    Path("c.csv").write_text("What would you ask the model?\nWhy?\n")
    field = "instruction=What would you ask the model?"
    run_cli("convert", "c.csv", "d.jsonl", "--field", field, expected=0)
    assert [row["instruction"] for row in rows_of(Path("d.jsonl"))] == ["Why?"]


def test_columns_that_nobody_knows_are_listed(workplace: Path) -> None:
    Path("a.csv").write_text("Write a poem,A poem on love\nSing a song,La la la\n")
    error = run_cli("convert", "a.csv", "b.jsonl", expected=2).err
    assert "its keys are Write a poem, A poem on love" in error
    assert "if the first line is a row" in error
