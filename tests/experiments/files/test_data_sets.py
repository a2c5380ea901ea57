"""Files, folders, patterns and saved data sets are one data set each."""

import json
from pathlib import Path

import pytest

from autoevol.experiments.files.data_sets import Location, open_files, read_records
from autoevol.program.errors import ConfigError


def values(path: str, **options: str) -> list[object]:
    location = Location(path, "c.yaml: data.path", **options)  # type: ignore[arg-type]
    return [record.value for record in read_records(location)]


@pytest.mark.parametrize("path", ["d", "d/*.jsonl", "d/[ab].jsonl", "{here}/d/*.jsonl"])
def test_the_files_of_a_folder_are_read_in_the_order_of_their_names(
    workplace: Path, path: str
) -> None:
    (workplace / "d").mkdir()
    for name in ("b", "a"):
        (workplace / "d" / f"{name}.jsonl").write_text(json.dumps({"n": name}) + "\n")
    (workplace / "d" / "dataset_info.json").write_text("{}")
    assert values(path.format(here=workplace)) == [{"n": "a"}, {"n": "b"}]


def test_a_name_with_brackets_is_a_file(workplace: Path) -> None:
    (workplace / "a[1].txt").write_text("Name a tree.\n")
    assert values("a[1].txt") == [{"instruction": "Name a tree."}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "Name a tree.\n\nName a river.\n"),
        ("a.json", '["Name a tree.", "Name a river."]'),
        ("a.jsonl", '"Name a tree."\n"Name a river."\n'),
    ],
)
def test_texts_alone_are_instructions(workplace: Path, name: str, text: str) -> None:
    (workplace / name).write_text(text)
    assert values(name) == [{"instruction": "Name a tree."}, {"instruction": "Name a river."}]


@pytest.mark.parametrize("text", ['{"n": 1}\n{"n": 2}\n', '{"data": [{"n": 1}, {"n": 2}]}'])
def test_lines_and_a_list_under_a_key_may_be_called_json(workplace: Path, text: str) -> None:
    (workplace / "a.json").write_text(text)
    assert values("a.json") == [{"n": 1}, {"n": 2}]


def test_a_saved_data_set_is_read_by_its_split(workplace: Path) -> None:
    import datasets

    table = datasets.Dataset.from_list([{"n": 1}])
    datasets.DatasetDict({"train": table}).save_to_disk("saved")
    assert values("saved") == [{"n": 1}]
    with pytest.raises(ConfigError, match="no split 'test'; it has train"):
        values("saved", split="test")


@pytest.mark.parametrize(
    ("path", "needle"),
    [("none*.jsonl", "no file matches"), ("a.xlsx", "save it as CSV"), ("a.pdf", "no file or")],
)
def test_what_is_no_data_is_refused(workplace: Path, path: str, needle: str) -> None:
    for name in ("a.xlsx", "a.pdf"):
        (workplace / name).touch()
    with pytest.raises(ConfigError, match=needle):
        open_files(Location(path, "c.yaml: data.path"))
