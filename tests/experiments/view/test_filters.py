"""Filters, pages and counts."""

from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.view.filters import MOST_ROWS, FilterError, RowFilter, filter_of
from autoevol.experiments.view.labels import MarkRequest
from autoevol.experiments.view.rows import RowGoneError
from autoevol.experiments.view.run_rows import RunRows
from autoevol.metrics import Reason
from tests.support.viewing import outcome, write_run

SUSPICION = Reason("restated", "only new: oak", "suspicion")
NO_KINDS: dict[str, list[str]] = {"kinds": [], "response_kinds": []}


@pytest.fixture
def rows(tmp_path: Path) -> RunRows:
    """Return four kept rows, three failed ones, two of all suspected, and an unscored one."""
    kept = [outcome(n) for n in range(1, 4)]
    suspected = outcome(4, suspected_by=(SUSPICION,), method="e0", round=2)
    failed = [
        outcome(5, "failed", [Reason("unchanged", "the same")]),
        outcome(6, "failed", [Reason("unchanged", "x"), Reason("echo", "y")], round=2),
        outcome(7, "failed", [SUSPICION]),
    ]
    unscored = outcome(8, "unscored", [Reason("transport", "timeout")])
    return RunRows(write_run(tmp_path, [*kept, suspected, *failed, unscored]))


def numbers(rows: RunRows, **query: str) -> list[int]:
    lines = rows.page(filter_of(query))["rows"]
    return [int(row["id"].removeprefix("seed-").removesuffix(".1")) for row in lines]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"status": "kept"}, [1, 2, 3, 4]),
        ({"status": "failed"}, [5, 6, 7]),
        ({"status": "suspected"}, [4, 7]),
        ({"status": "unscored"}, [8]),
        ({"rule": "unchanged"}, [5, 6]),
        ({"rule": "restated", "status": "kept"}, [4]),
        ({"round": "2"}, [4, 6]),
        ({"method": "e0"}, [4]),
        ({"text": "NAME 3 TREES"}, [3]),
        ({"text": "Oak, number 2:"}, [2]),
        ({"text": "seed-5.1"}, [5]),
        # Keys of the files, and names of models, are no texts of rows.
        ({"text": "instruction"}, []),
        ({"limit": "2"}, [1, 2]),
        ({"unknown": "x"}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_a_filter_shows_what_it_names(
    query: dict[str, str], expected: list[int], rows: RunRows
) -> None:
    assert numbers(rows, **query) == expected


@pytest.mark.parametrize(
    "query", [{"status": "x"}, {"mark": "x"}, {"order": "x"}, {"round": "-1"}, {"limit": "²"}]
)
def test_a_value_that_there_is_not_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(FilterError, match=next(iter(query))):
        filter_of(query)


def test_a_page_after_a_row_that_is_gone_is_an_error(rows: RunRows) -> None:
    with pytest.raises(RowGoneError):
        rows.page(filter_of({"after": "0123456789abcdef"}))


def test_a_page_goes_on_after_a_row_whatever_was_marked_meanwhile(rows: RunRows) -> None:
    first = rows.page(filter_of({"mark": "unmarked", "limit": "3"}))
    assert first["total"] == 8
    for row in first["rows"]:
        rows.mark(MarkRequest(row["key"], "good", NO_KINDS))
    after = first["rows"][-1]["key"]
    second = rows.page(filter_of({"mark": "unmarked", "limit": "3", "after": after}))
    assert [row["id"] for row in second["rows"]] == ["seed-4.1", "seed-5.1", "seed-6.1"]
    assert second["total"] == 5


def test_no_page_has_all_rows_of_a_large_run(tmp_path: Path) -> None:
    rows = RunRows(write_run(tmp_path, [outcome(n) for n in range(MOST_ROWS + 50)]))
    page = rows.page(filter_of({"limit": "999999"}))
    assert len(page["rows"]) == MOST_ROWS
    assert page["total"] == MOST_ROWS + 50
    rest = rows.page(filter_of({"after": page["rows"][-1]["key"], "limit": "200"}))
    assert len(rest["rows"]) == rest["total"] == 50


def test_random_order_is_another_one_and_the_same_each_time(tmp_path: Path) -> None:
    rows = RunRows(write_run(tmp_path, [outcome(n) for n in range(40)]))
    in_file, drawn = numbers(rows), numbers(rows, order="random")
    assert sorted(drawn) == in_file != drawn
    assert numbers(rows, order="random") == drawn


def test_the_counts_say_what_each_filter_would_show(rows: RunRows) -> None:
    def mark(number: int, label: Any) -> None:
        keys = {row["id"]: row["key"] for row in rows.page(RowFilter())["rows"]}
        rows.mark(MarkRequest(keys[f"seed-{number}.1"], label, NO_KINDS))

    for number, label in ((1, "good"), (2, "bad"), (5, "bad"), (6, "good"), (3, "good")):
        mark(number, label)
    mark(3, None)
    counts = rows.counts()
    assert counts["all"] == 8
    assert counts["status"] == {"kept": 4, "failed": 3, "suspected": 2, "unscored": 1}
    assert dict(counts["rule"]) == {"unchanged": 2, "restated": 2, "echo": 1, "transport": 1}
    assert counts["round"] == [("1", 6), ("2", 2)]
    assert counts["mark"] == {"marked": 4, "unmarked": 4, "good": 2, "bad": 2}
    assert counts["agreement"] == {"kept": {"good": 1, "bad": 1}, "failed": {"good": 1, "bad": 1}}
    for name, number in counts["status"].items():
        assert len(numbers(rows, status=name)) == number
    assert numbers(rows, mark="bad") == [2, 5]
    assert numbers(rows, mark="marked", status="kept") == [1, 2]
