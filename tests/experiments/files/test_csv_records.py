"""CSV as spreadsheets write it: any separator, and no text cut, shifted or swallowed."""

from pathlib import Path

import pytest

from autoevol.experiments.files.reading import open_file
from autoevol.experiments.files.records import Record, Rejected
from autoevol.program.errors import ConfigError


def items_of(tmp_path: Path, text: str, name: str = "a.csv") -> list[Record | Rejected]:
    file = tmp_path / name
    file.write_text(text, "utf-8", newline="")
    return list(open_file(file).items)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("a.csv", 'a,b\n"x, y",1\nz;,2\n', id="comma"),
        pytest.param("a.csv", 'a;b\n"x, y";1\n"z;";2\n', id="semicolon"),
        pytest.param("a.csv", "a\tb\nx, y\t1\nz;\t2\n", id="tab"),
        pytest.param("a.tsv", "a\tb\nx, y\t1\nz;\t2\n", id="TSV"),
        pytest.param("a.csv", "a|b\nx, y|1\nz;|2\n", id="bar"),
        pytest.param("a.csv", 'sep=;\r\na;b\r\nx, y;1\r\n"z;";2\r\n', id="named in a line"),
        pytest.param("a.csv", 'a,b\n"x, y",1\nz;,2\n,\n , \n\n', id="empty rows at the end"),
        pytest.param("a.csv", 'a,b,,\n"x, y",1,,\nz;,2,,\n,,,\n', id="empty columns at the end"),
        pytest.param("a.csv", ' a , b\n"x, y",1\nz;,2\n', id="space around names"),
    ],
)
def test_a_table_is_read_whatever_separates_its_columns(
    tmp_path: Path, name: str, text: str
) -> None:
    values = [item.value for item in items_of(tmp_path, text, name)]
    assert values == [{"a": "x, y", "b": "1"}, {"a": "z;", "b": "2"}]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_separator_in_the_header_that_no_row_has_is_refused(
    tmp_path: Path, separator: str
) -> None:
    with pytest.raises(ConfigError, match="which no other line has") as refused:
        items_of(tmp_path, f"instruction{separator}note\nName a tree.\nName a river.\n")
    assert refused.value.where.endswith("a.csv:1")


def test_two_separators_that_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a comma and a semicolon") as refused:
        items_of(tmp_path, "a,b;c\nx,y;z\n")
    assert refused.value.where.endswith("a.csv:1")


def test_a_row_with_more_values_than_the_header_makes_no_row(tmp_path: Path) -> None:
    rejected, row = items_of(tmp_path, "id,instruction\n1,Write, then stop.\n2,Name a river.\n")
    assert isinstance(rejected, Rejected)
    assert rejected.place.endswith("a.csv:2")
    assert rejected.value == ["1", "Write", " then stop."]
    assert row.value == {"id": "2", "instruction": "Name a river."}


def test_one_column_may_hold_what_separates_others(tmp_path: Path) -> None:
    assert [item.value for item in items_of(tmp_path, "instruction\nName a tree; why?\n")] == [
        {"instruction": "Name a tree; why?"}
    ]
    assert isinstance(items_of(tmp_path, "instruction\nFirst, wait.\n")[0], Rejected)


def test_a_value_without_a_column_makes_no_row(tmp_path: Path) -> None:
    (rejected,) = items_of(tmp_path, "a,\nx,y\n")
    assert isinstance(rejected, Rejected)
    assert "without a name" in rejected.problem


def test_a_quote_that_is_not_closed_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="quotes") as refused:
        items_of(tmp_path, 'a;b\nx;1\n"y;2\nz;3\n')
    assert refused.value.where.endswith("a.csv:3")
