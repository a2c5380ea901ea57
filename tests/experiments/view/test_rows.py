"""The rows of a run, finished, live, damaged or of an older version."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.view.filters import RowFilter
from autoevol.experiments.view.labels import MarkRequest
from autoevol.experiments.view.rows import RowGoneError, RowIndex
from autoevol.experiments.view.run_rows import RunRows
from autoevol.metrics import Reason
from tests.conftest import REPOSITORY
from tests.support.viewing import add_row, outcome, write_run

FORMATS = sorted((REPOSITORY / "tests/fixtures").glob("format-*"))
SUSPICION = Reason("restated", "only new: oak", "suspicion")


def ids(rows: RunRows, **values: Any) -> list[str]:
    """Return the ids of the rows that a filter shows."""
    return [row["id"] for row in rows.page(RowFilter(**values))["rows"]]


@pytest.mark.parametrize("folder", FORMATS, ids=lambda path: path.name)
def test_a_folder_of_every_format_is_shown(folder: Path) -> None:
    rows = RunRows(folder / "finished")
    page = rows.page(RowFilter(limit=200))
    lines = {
        name: (folder / "finished" / name).read_text().count("\n")
        for name in ("evolved.jsonl", "failures.jsonl")
    }
    assert page["total"] == sum(lines.values())
    assert page["counts"]["status"]["kept"] == lines["evolved.jsonl"]
    assert not page["remarks"]
    for row in page["rows"]:
        details = rows.details(row["key"])
        assert details["stages"][-1]["round"] == row["round"]
        assert details["reasons"] or row["status"] == "kept"


def test_a_live_runs_rows_appear_as_they_are_written(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [])
    rows = RunRows(folder)
    assert ids(rows) == []
    add_row(folder, outcome(1))
    with (folder / "evolved.jsonl").open("a") as file:
        file.write('{"id": "seed-2.1", "seed')
    assert ids(rows) == ["seed-1.1"]
    assert not rows.page(RowFilter())["remarks"]
    add_row(folder, outcome(3, "unscored", [Reason("transport", "timeout")]))
    assert ids(rows) == ["seed-1.1", "seed-3.1"]


def test_rows_that_are_put_into_another_order_are_found_again(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [outcome(2), outcome(1)])
    rows = RunRows(folder)
    key = rows.page(RowFilter())["rows"][0]["key"]
    assert rows.details(key)["id"] == "seed-2.1"
    file = folder / "evolved.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    (folder / "new").write_text("".join(reversed(lines)))
    (folder / "new").replace(file)
    assert rows.details(key)["id"] == "seed-2.1"
    assert ids(rows) == ["seed-1.1", "seed-2.1"]


def test_a_file_that_was_changed_in_its_place_shows_no_wrong_row(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [outcome(1), outcome(2), outcome(3)])
    rows = RunRows(folder)
    first, second, _ = rows.page(RowFilter())["rows"]
    file = folder / "evolved.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    # The last line is where it was, so nothing tells that the others are not.
    file.write_text("".join([lines[1], lines[0], lines[2]]))
    assert rows.details(first["key"])["id"] == "seed-1.1"
    assert rows.details(second["key"])["id"] == "seed-2.1"


def test_a_row_that_is_gone_is_an_error(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [outcome(1), outcome(2)])
    rows = RunRows(folder)
    key = rows.page(RowFilter())["rows"][0]["key"]
    (folder / "evolved.jsonl").write_text(json.dumps(outcome(2).as_dict()) + "\n")
    with pytest.raises(RowGoneError):
        rows.details(key)
    with pytest.raises(RowGoneError):
        rows.mark(MarkRequest(key, "good", {"kinds": [], "response_kinds": []}))
    assert not (folder / "labels.jsonl").exists()


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "null",
        "[]",
        '"text"',
        "{}",
        "[" * 100_000,
        '{"id": 1, "seed_id": "a", "origin": "", "instruction": ""}',
        json.dumps({**outcome(1).as_dict(), "suspected_by": ["x"]}),
        json.dumps({**outcome(1).as_dict(), "turns": [1]}),
        json.dumps({**outcome(1).as_dict(), "round": "1"}),
        json.dumps({**outcome(1).as_dict(), "response": {"a": 1}}),
    ],
)
def test_a_damaged_line_is_named_and_hides_no_other(line: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path, [outcome(1)])
    with (folder / "evolved.jsonl").open("a") as file:
        file.write(f"\n{line}\n\xff\n")
    add_row(folder, outcome(2))
    page = RunRows(folder).page(RowFilter())
    assert [row["id"] for row in page["rows"]] == ["seed-1.1", "seed-2.1"]
    assert page["remarks"] == ["evolved.jsonl: 2 lines hold no row (line 3, 4)"]


def test_a_lineage_goes_from_the_seed_to_the_row(tmp_path: Path) -> None:
    second: dict[str, Any] = {
        "id": "seed-1.1.2",
        "seed_id": "seed-1",
        "parent_id": "seed-1.1",
        "round": 2,
        "instruction": "Name 1 trees, and say where each of them grows. Use a table.",
    }
    folder = write_run(tmp_path, [outcome(1), outcome(1, **second)])
    rows = RunRows(folder)
    key = rows.page(RowFilter(round=2))["rows"][0]["key"]
    stages = rows.details(key)["stages"]
    assert [stage["round"] for stage in stages] == [0, 1, 2]
    assert stages[2]["pieces"] == [
        ["Name 1 trees, and say where each of them grows. ", False],
        ["Use a table.", True],
    ]


def test_a_row_of_another_topic_is_shown_under_what_inspired_it(tmp_path: Path) -> None:
    new: dict[str, Any] = {
        "id": "seed-1.1-2",
        "seed_id": "seed-1.1-2",
        "parent_id": "seed-1",
        "origin": "",
    }
    folder = write_run(tmp_path, [outcome(1), outcome(1, **new, instruction="Name a river.")])
    rows = RunRows(folder)
    key = rows.page(RowFilter())["rows"][1]["key"]
    details = rows.details(key)
    assert details["stages"][0]["pieces"] == [["Name 1 trees.", False]]
    assert "inspired by seed-1" in details["note"]


def test_a_lineage_that_is_a_circle_ends(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [outcome(1, parent_id="seed-1.1", round=3)])
    rows = RunRows(folder)
    details = rows.details(rows.page(RowFilter())["rows"][0]["key"])
    assert len(details["stages"]) <= 5


def test_the_key_of_a_row_is_made_of_its_texts(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [outcome(1), outcome(1, response="Another.")])
    index = RowIndex(folder)
    index.refresh()
    first, second = index.entries
    assert first.id == second.id
    assert first.key != second.key
    shutil.copy(folder / "evolved.jsonl", folder / "failures.jsonl")
    # Scores and marks of filters are written into rows later.
    scored = {**outcome(1).as_dict(), "scores": {"words": 3}, "filtered_by": "dedup"}
    (folder / "evolved.jsonl").write_text(json.dumps(scored) + "\n")
    index.refresh()
    assert index.entries[0].key == first.key


def test_texts_are_not_in_memory(tmp_path: Path) -> None:
    """A run may have more texts than memory holds."""
    long = "word " * 20_000
    folder = write_run(tmp_path, [outcome(n, response=long) for n in range(20)])
    index = RowIndex(folder)
    index.refresh()
    assert sum(len(repr(entry)) for entry in index.entries) < 20 * 1000
