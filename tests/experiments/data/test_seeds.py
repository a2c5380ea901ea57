"""Every format gives the same rows; splits are disjoint."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from autoevol.experiments.config.experiment import ExperimentConfig, load_config
from autoevol.experiments.data.seeds import SEARCH_ROWS, load_seeds, split
from autoevol.program.records import Row

RECORDS = [
    {"id": f"r{i}", "question": f"Why {i}?", "context": "" if i else "See x.", "source": "s/t"}
    for i in range(5)
]
FIELDS = {"instruction": "question", "input": "context", "root": "source"}


def config_for(path: str, workplace: Path, **more: Any) -> ExperimentConfig:
    tree = {
        "name": "t",
        "models": {"evolver": {"model": "scripted/world"}},
        "data": {"path": path, "fields": FIELDS},
        **more,
    }
    file = workplace / "t.yaml"
    file.write_text(json.dumps(tree))
    return load_config(file)


def write_jsonl(path: Path) -> None:
    path.write_text("\n".join(map(json.dumps, RECORDS)))


def write_json(path: Path) -> None:
    path.write_text(json.dumps(RECORDS))


def write_csv(path: Path) -> None:
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, list(RECORDS[0]))
        writer.writeheader()
        writer.writerows(RECORDS)


def write_parquet(path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(RECORDS), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.jsonl", write_jsonl),
        ("a.json", write_json),
        ("a.csv", write_csv),
        ("a.parquet", write_parquet),
    ],
)
def test_every_format_gives_the_same_rows(
    workplace: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(workplace / name)
    rows = load_seeds(config_for(name, workplace), "t.yaml")
    assert [row.id for row in rows] == [f"r{i}" for i in range(5)]
    assert rows[0] == Row("r0", "r0", "Why 0?", input="See x.", origin="Why 0?", root="s/t")


def test_a_folder_is_read_file_by_file(workplace: Path) -> None:
    folder = workplace / "seeds"
    folder.mkdir()
    for name in ("b", "a"):
        (folder / f"{name}.jsonl").write_text(json.dumps({"id": name, "question": "Why?"}))
    rows = load_seeds(config_for("seeds", workplace), "t.yaml")
    assert [row.id for row in rows] == ["a", "b"]


def test_rows_without_an_id_are_numbered(workplace: Path) -> None:
    (workplace / "a.jsonl").write_text('{"question": "a"}\n\n{"question": "b"}\n')
    rows = load_seeds(config_for("a.jsonl", workplace), "t.yaml")
    assert [row.id for row in rows] == ["row-000001", "row-000002"]


def test_the_input_is_kept_or_appended(workplace: Path) -> None:
    write_jsonl(workplace / "a.jsonl")
    kept = load_seeds(config_for("a.jsonl", workplace), "t.yaml")[0]
    appended = load_seeds(config_for("a.jsonl", workplace, evolve={"input": "append"}), "t.yaml")[0]
    assert (kept.instruction, kept.input) == ("Why 0?", "See x.")
    assert (appended.instruction, appended.input) == ("Why 0?\n\nSee x.", "")
    assert kept.prompt == appended.prompt


def rows_numbered(count: int) -> list[Row]:
    return [Row(str(i), str(i), f"Why {i}?") for i in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_splits_are_disjoint_and_the_same_for_a_seed(workplace: Path, seed: int) -> None:
    sizes = {"path": "x", "train_size": 7, "dev_size": 5, "heldout_size": 4}
    config = config_for("x", workplace, data=sizes, seed=seed)
    rows = rows_numbered(20)

    found = split(rows, config, "t.yaml")

    parts = [{row.id for row in part} for part in (found.train, found.dev, found.heldout)]
    assert [len(part) for part in parts] == [7, 5, 4]
    assert len(set.union(*parts)) == 16
    assert found == split(rows, config, "t.yaml")
    assert found.seeds == rows


def test_at_most_two_thousand_rows_take_part_in_the_search(workplace: Path) -> None:
    found = split(rows_numbered(5000), config_for("x", workplace), "t.yaml")
    parts = (found.train, found.dev, found.fresh, found.heldout)
    assert sum(map(len, parts)) == SEARCH_ROWS


def test_a_filter_keeps_the_rows_whose_columns_hold_a_value(workplace: Path) -> None:
    write_jsonl(workplace / "a.jsonl")
    path = str(workplace / "a.jsonl")
    for where, expected in (
        ({"id": "r1"}, ["r1"]),
        ({"id": ["r1", "r3"], "source": "s/t"}, ["r1", "r3"]),
    ):
        data = {"path": path, "fields": FIELDS, "where": where}
        found = load_seeds(config_for(path, workplace, data=data), "t.yaml")
        assert [row.id for row in found] == expected


def test_turns_of_a_conversation_are_read_and_one_turn_is_an_instruction(workplace: Path) -> None:
    file = workplace / "talks.jsonl"
    talks = [{"turns": ["Hello, who are you?", "And why?"]}, {"instruction": "x", "turns": ["x"]}]
    file.write_text("\n".join(map(json.dumps, talks)))
    data = {"path": str(file)}
    first, second = load_seeds(config_for(str(file), workplace, data=data), "t.yaml")
    assert first.turns == ("Hello, who are you?", "And why?")
    assert first.instruction == "Hello, who are you?"
    assert second.turns == ()
