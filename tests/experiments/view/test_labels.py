"""`labels.jsonl`: append-only lines that `metric-check` takes as they are."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.artifacts.labels.file import KINDS, append_mark, read_marks
from autoevol.experiments.judging.labelled import read_labelled
from autoevol.experiments.view.filters import RowFilter
from autoevol.experiments.view.labels import MarkError, MarkRequest, request_of
from autoevol.experiments.view.run_rows import RunRows
from autoevol.metrics import Reason
from autoevol.program.errors import ConfigError, StorageError
from tests.conftest import REPOSITORY
from tests.support.command_line import rows_of, run_cli
from tests.support.viewing import outcome, write_run

SAME = Reason("unchanged", "the same text")
WriteConfig = Callable[..., Path]


def mark(rows: RunRows, number: int, label: Any, **kinds: list[str]) -> None:
    keys = {row["id"]: row["key"] for row in rows.page(RowFilter(limit=200))["rows"]}
    request = MarkRequest(
        keys[f"seed-{number}.1"], label, {name: kinds.get(name, []) for name in KINDS}
    )
    rows.mark(request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a run with two kept rows and two failed ones."""
    failed = outcome(3, "failed", [SAME], instruction="Name 3 trees.", response="")
    unparsed = outcome(4, "failed", [Reason("unparsed", "x")], instruction="", response="")
    return write_run(tmp_path / "run", [outcome(1), outcome(2), failed, unparsed])


def test_a_line_is_a_labelled_row_with_what_f_said(folder: Path) -> None:
    rows = RunRows(folder)
    mark(rows, 1, "good")
    mark(rows, 3, "bad", kinds=["unchanged"])
    mark(rows, 2, "bad", response_kinds=["echo"])
    mark(rows, 4, "bad")
    good, bad, echo, unparsed = rows_of(folder / "labels.jsonl")
    assert good | {"time": "", "key": ""} == {
        "key": "",
        "id": "seed-1.1",
        "label": "good",
        "time": "",
        "failed": False,
        "kinds": [],
        "response_failed": False,
        "response_kinds": [],
        "status": "kept",
        "suspected": False,
        "rules": [],
        "failed_at": None,
        "round": 1,
        "seed": "Name 1 trees.",
        "evolved": "Name 1 trees, and say where each of them grows.",
        "response": "Oak, number 1: in Europe.",
        "input": "",
        "raw": "",
        "method_name": "weak",
        "method_kind": "depth",
        "method": "weak",
        "lang": "en",
        "source": "scripted/world",
    }
    assert (bad["failed"], bad["kinds"], bad["rules"]) == (True, ["unchanged"], ["unchanged"])
    assert (bad["status"], bad["failed_at"], bad["response"]) == ("failed", "evolve", None)
    # The rewrite is sound, the answer is not.
    assert (echo["failed"], echo["response_failed"]) == (False, True)
    assert (unparsed["evolved"], unparsed["failed"]) == (None, True)


def test_a_wrong_answer_is_bad_and_no_failure_of_f(folder: Path) -> None:
    rows = RunRows(folder)
    mark(rows, 1, "bad", response_kinds=["wrong_answer"])
    mark(rows, 2, "bad", response_kinds=["wrong_answer", "echo"])
    wrong, both = rows_of(folder / "labels.jsonl")
    assert (wrong["label"], wrong["failed"], wrong["response_failed"]) == ("bad", False, False)
    assert (both["failed"], both["response_failed"]) == (False, True)
    assert [row.failed for row in read_labelled(folder / "labels.jsonl")] == [False, True]


def test_the_last_line_of_a_row_counts_and_none_is_taken_away(folder: Path) -> None:
    rows = RunRows(folder)
    file = folder / "labels.jsonl"
    before = b""
    for label in ("good", "bad", None, "good", None):
        mark(rows, 1, label)
        assert file.read_bytes().startswith(before)
        before = file.read_bytes()
    mark(rows, 2, "good")
    assert rows_of(file)[4].keys() == {"key", "id", "label", "time"}
    assert [row.id for row in read_labelled(file)] == ["seed-2.1"]
    marks = read_marks(folder)
    assert sorted(str(m.label) for m in marks.values()) == ["None", "good"]
    # The texts of a mark that was taken back are those of its earlier line.
    assert {m.line["seed"] for m in marks.values()} == {"Name 1 trees.", "Name 2 trees."}


def test_metric_check_takes_the_file_as_it_is(folder: Path, workplace: Path) -> None:
    rows = RunRows(folder)
    mark(rows, 1, "bad")
    mark(rows, 1, "good")
    mark(rows, 2, "bad", kinds=["easier"])
    mark(rows, 3, "bad")
    mark(rows, 4, "good")
    mark(rows, 4, None)
    shown = run_cli("metric-check", str(folder / "labels.jsonl"), "--json", expected=0)
    strict = json.loads(shown.out)["strict"]
    assert strict["rows"] == 3
    # Of two bad rows F flags the one that is unchanged; the good one passes.
    assert (strict["recall"], strict["specificity"]) == (0.5, 1.0)
    assert strict["recall_by_kind"] == {"easier": 0.0}


def test_marks_that_were_all_taken_back_are_no_rows(folder: Path, workplace: Path) -> None:
    rows = RunRows(folder)
    mark(rows, 1, "good")
    mark(rows, 1, None)
    refused = run_cli("metric-check", str(folder / "labels.jsonl"), expected=2)
    assert "holds no rows" in refused.err


def test_a_row_without_its_parents_text_is_measured_too(tmp_path: Path) -> None:
    new = outcome(1, seed_id="seed-1.1", origin="", instruction="Name a river, and its source.")
    folder = write_run(tmp_path / "run", [new])
    rows = RunRows(folder)
    mark(rows, 1, "good")
    [labelled] = read_labelled(folder / "labels.jsonl")
    assert (labelled.case.source, labelled.case.method_kind) == ("", "breadth")


def test_a_row_of_a_run_that_goes_on_elsewhere_has_no_text_of_its_parent(tmp_path: Path) -> None:
    """Its parent lies in an earlier folder; the seed, rounds before it, would be a wrong one."""
    later = outcome(1, id="seed-1.1.1", parent_id="seed-1.1", round=2)
    own = outcome(2)
    rows = RunRows(write_run(tmp_path / "run", [later, own]))
    keys = {row["id"]: row["key"] for row in rows.page(RowFilter())["rows"]}
    for key in keys.values():
        rows.mark(MarkRequest(key, "good", {name: [] for name in KINDS}))
    sources = {line["id"]: line["seed"] for line in rows_of(tmp_path / "run/labels.jsonl")}
    assert sources == {"seed-1.1.1": "", "seed-2.1": "Name 2 trees."}


def test_a_row_that_was_answered_as_it_is_begins_no_new_topic(tmp_path: Path) -> None:
    same = outcome(1, id="seed-1", parent_id=None, round=0, method=None)
    rows = RunRows(write_run(tmp_path / "run", [same]))
    [row] = rows.page(RowFilter())["rows"]
    rows.mark(MarkRequest(row["key"], "good", {name: [] for name in KINDS}))
    [line] = rows_of(tmp_path / "run/labels.jsonl")
    assert line["method_kind"] == "depth"


def test_a_method_that_a_search_found_is_in_the_line_with_its_text(tmp_path: Path) -> None:
    folder = REPOSITORY / "tests/fixtures/format-1/finished"
    copy = write_run(tmp_path / "run", [])
    for name in ("evolved.jsonl", "steps.json"):
        (copy / name).write_bytes((folder / name).read_bytes())
    rows = RunRows(copy)
    key = rows.page(RowFilter())["rows"][0]["key"]
    rows.mark(MarkRequest(key, "good", {name: [] for name in KINDS}))
    [line] = rows_of(copy / "labels.jsonl")
    methods = json.loads((copy / "steps.json").read_text())["methods"].values()
    texts = {method["name"]: method["instructions"] for method in methods}
    assert line["method"] == texts[line["method_name"]]


def test_a_torn_line_costs_no_mark_but_its_own(folder: Path) -> None:
    rows = RunRows(folder)
    mark(rows, 1, "good")
    with (folder / "labels.jsonl").open("a") as file:
        file.write('{"key": "torn", "lab')
    mark(rows, 2, "bad")
    assert rows.counts()["mark"]["marked"] == 2
    assert RunRows(folder).page(RowFilter())["counts"]["mark"]["marked"] == 2
    assert [row.id for row in read_labelled(folder / "labels.jsonl")] == ["seed-1.1", "seed-2.1"]


def test_two_programs_that_mark_at_once_lose_no_mark(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [outcome(n, response="x" * 5000) for n in range(60)])
    pages = [RunRows(folder) for _ in range(3)]

    def work(place: int) -> None:
        for number in range(place, 60, 3):
            mark(pages[place], number, "good")

    threads = [threading.Thread(target=work, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_labelled(folder / "labels.jsonl")) == 60
    # Each page sees what the others have marked.
    assert {page.page(RowFilter())["counts"]["mark"]["good"] for page in pages} == {60}


def test_marks_of_rows_that_the_run_has_no_longer_are_named(folder: Path) -> None:
    rows = RunRows(folder)
    mark(rows, 1, "good")
    (folder / "evolved.jsonl").write_text("")
    page = rows.page(RowFilter())
    assert page["remarks"] == ["labels.jsonl: 1 mark is of a row that the run does not have now"]
    assert page["counts"]["mark"]["marked"] == 0
    assert read_labelled(folder / "labels.jsonl")


def test_an_unscored_row_is_not_marked(folder: Path) -> None:
    write_run(folder, [outcome(9, "unscored", [Reason("transport", "timeout")])])
    with pytest.raises(MarkError, match="unscored"):
        mark(RunRows(folder), 9, "bad")
    assert not (folder / "labels.jsonl").exists()


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        "good",
        {},
        {"key": 1, "label": "good"},
        {"key": "k"},
        {"key": "k", "label": "Good"},
        {"key": "k", "label": True},
        {"key": "k", "label": ["good"]},
        {"key": "k", "label": "bad", "kinds": "unchanged"},
        {"key": "k", "label": "bad", "kinds": ["<script>"]},
        {"key": "k", "label": "bad", "kinds": [["unchanged"]]},
        {"key": "k", "label": "good", "kinds": ["unchanged"]},
        {"key": "k", "label": None, "response_kinds": ["echo"]},
    ],
    ids=str,
)
def test_what_is_no_mark_is_refused(tree: Any) -> None:
    with pytest.raises(MarkError):
        request_of(tree)


def test_a_link_leads_no_mark_to_another_file(folder: Path) -> None:
    other = folder.parent / "other"
    other.write_text("mine\n")
    (folder / "labels.jsonl").symlink_to(other)
    with pytest.raises(StorageError):
        append_mark(folder, {"key": "k", "label": "good"})
    assert other.read_text() == "mine\n"


def test_labels_that_cannot_be_read_are_an_error(folder: Path) -> None:
    os.mkfifo(folder / "labels.jsonl")
    with pytest.raises(ConfigError, match="FIFO"):
        RunRows(folder).refresh()


def test_the_kinds_are_those_of_the_guidelines() -> None:
    words = (REPOSITORY / "docs/labelling.md").read_text()
    for kind in (kind for kinds in KINDS.values() for kind in kinds):
        assert f"`{kind}`" in words
