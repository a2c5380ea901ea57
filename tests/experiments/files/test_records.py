"""Records come out of every kind of file; what is wrong with one names its row and key."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from autoevol.experiments.files.reading import read_file
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError


def values(file: Path) -> list[dict[str, Any]]:
    return [record.value for record in read_file(file)]


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param([{"a": "x", "b": 1}, {"a": "y", "b": 2}], id="list"),
        pytest.param({"columns": ["a", "b"], "data": [["x", 1], ["y", 2]]}, id="split"),
        pytest.param({"a": ["x", "y"], "b": [1, 2]}, id="columns"),
    ],
)
def test_a_json_file_is_a_list_or_a_table(tmp_path: Path, tree: Any) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(tree))
    assert values(file) == [{"a": "x", "b": 1}, {"a": "y", "b": 2}]
    assert [record.place for record in read_file(file)] == [f"{file} row 1", f"{file} row 2"]


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        pytest.param('{"a": ["x"], "b": []}', ["a.json: b", "0 values", "a has 1"], id="ragged"),
        pytest.param(
            '{"columns": ["a"], "data": [["x"], ["y", 1]]}', ["row 2", "1 values"], id="split"
        ),
        pytest.param('{"columns": "a", "data": []}', ["columns and data"], id="columns"),
        pytest.param('{"a": 1}', ["list of objects"], id="object"),
        pytest.param("7", ["list of objects"], id="number"),
        pytest.param("[7]", ["row 1", "object", "int"], id="numbers"),
        pytest.param("[\n{", ["a.json:2", "JSON"], id="JSON"),
        pytest.param('[{"a": ' + "1" * 5000 + "}]", ["a.json", "JSON"], id="long number"),
        pytest.param("[" * 200_000, ["a.json", "JSON"], id="deep"),
    ],
)
def test_a_json_file_that_is_none_is_refused(tmp_path: Path, text: str, needles: list[str]) -> None:
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        values(file)
    assert all(needle in str(refused.value) for needle in needles), refused.value


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.jsonl, \.ndjson, \.json, \.csv"):
        values(tmp_path / "a.pdf")


def test_a_parquet_file_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": ["x"] * 999}), file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ConfigError, match="Parquet"):
        values(file)


@pytest.mark.parametrize(
    ("value", "needle"),
    [
        pytest.param(["x"], "instruction must be a text or null, is list", id="list"),
        pytest.param(7, "instruction must be a text or null, is int", id="number"),
        pytest.param(" ", "instruction must be a text, is empty", id="blank"),
        pytest.param(None, "instruction must be a text, is empty", id="null"),
        pytest.param("a\ud800", "half of a surrogate pair", id="half of a pair"),
    ],
)
def test_a_value_of_the_wrong_kind_names_row_and_key(value: Any, needle: str) -> None:
    record = Record("f.jsonl:3", {"instruction": value})
    with pytest.raises(ConfigError, match=needle) as refused:
        record.text("instruction")
    assert refused.value.where == "f.jsonl:3"


def test_a_parquet_column_of_lists_is_refused_by_row_and_key(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"instruction": [["a"], ["b"]]}), file)
    with pytest.raises(ConfigError, match=r"a\.parquet row 1: instruction must be .* is list"):
        next(read_file(file)).text("instruction")


@pytest.mark.parametrize("value", [True, -1, 1.0, "1", None, 10**30])
def test_a_whole_number_is_asked_for(value: Any) -> None:
    with pytest.raises(ConfigError, match="generation must be a whole number"):
        Record("f:1", {"generation": value}).whole_number("generation")


def test_the_messages_repeat_a_known_identity() -> None:
    with pytest.raises(ConfigError, match="input of 'r1' must be"):
        Record("f:1", {"input": 4}).named("r1").optional_text("input")
