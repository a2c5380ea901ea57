"""Which rows the page shows, and in which order."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.artifacts.labels.file import Mark
from autoevol.experiments.artifacts.labels.keys import response_of, text_of
from autoevol.experiments.view.rows import Entry, Row, RowGoneError, RowIndex

MOST_ROWS = 200
"""Rows of one page."""

Marks = Mapping[str, Mark]

STATUSES: Mapping[str, Callable[[Entry], bool]] = {
    "kept": lambda entry: entry.status == "kept",
    "failed": lambda entry: entry.status == "failed",
    "suspected": lambda entry: entry.is_suspected,
    "unscored": lambda entry: entry.status == "unscored",
}
MARKS: Mapping[str, Callable[[Mark | None], bool]] = {
    "marked": lambda mark: label_of(mark) is not None,
    "unmarked": lambda mark: label_of(mark) is None,
    "good": lambda mark: label_of(mark) == "good",
    "bad": lambda mark: label_of(mark) == "bad",
}
ORDERS = ("file", "random")


class FilterError(Exception):
    """A filter has a value that there is not."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """What a row must be like; "" and None demand nothing.

    Attributes:
        text: Must be in one of the row's texts, in capital letters or not.
        order: "random": in an order of its own, the same each time.
        after: Key of the row after which to go on.
        limit: Most rows.
    """

    status: str = ""
    rule: str = ""
    round: int | None = None
    method: str = ""
    mark: str = ""
    text: str = ""
    order: str = "file"
    after: str = ""
    limit: int = 50

    def has(self, entry: Entry, mark: Mark | None) -> bool:
        """Tell whether a row is among those that are shown, its texts aside."""
        return (
            (not self.status or STATUSES[self.status](entry))
            and (not self.rule or self.rule in entry.rules)
            and (self.round is None or entry.round == self.round)
            and (not self.method or entry.method == self.method)
            and (not self.mark or MARKS[self.mark](mark))
        )


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows of those that a filter lets through.

    Attributes:
        total: All of those that come after the row of `RowFilter.after`.
    """

    entries: Sequence[Entry]
    total: int


def filter_of(query: Mapping[str, str]) -> RowFilter:
    """Return the filter that a query names.

    Raises:
        FilterError: A value is none that the key may have.
    """
    values: dict[str, Any] = {key: query[key] for key in RowFilter.__slots__ if query.get(key)}
    for key, allowed in (("status", STATUSES), ("mark", MARKS), ("order", ORDERS)):
        if values.get(key, "") not in ("", *allowed):
            raise FilterError(f"{key} must be one of {', '.join(allowed)}")
    for key in ("round", "limit"):
        if key in values:
            values[key] = _whole_number(key, values[key])
    values["limit"] = min(values.get("limit", 50), MOST_ROWS)
    return RowFilter(**values)


def page_of(index: RowIndex, wanted: RowFilter, marks: Marks) -> RowPage:
    """Return the first rows that a filter lets through, after the one that it names."""
    entries: Sequence[Entry] = index.entries
    if wanted.order == "random":
        # Keys are digests, so their order has nothing to do with the rows.
        entries = sorted(entries, key=lambda entry: entry.key)
    entries = _after(entries, wanted.after)
    matching = [entry for entry in entries if wanted.has(entry, marks.get(entry.key))]
    if wanted.text:
        needle = wanted.text.casefold()
        with_text = {e.key for e, row in index.read_all(matching) if _holds(row, needle)}
        matching = [entry for entry in matching if entry.key in with_text]
    return RowPage(matching[: wanted.limit], len(matching))


def counts_of(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return how many rows each filter would show by itself, those by marks aside."""
    return {
        "all": len(entries),
        "status": {name: sum(map(has, entries)) for name, has in STATUSES.items()},
        "rule": _counted(rule for entry in entries for rule in entry.rules),
        "round": _in_order(Counter(entry.round for entry in entries)),
        "method": _counted(entry.method for entry in entries if entry.method),
    }


def mark_counts(marked: Sequence[tuple[Entry, Mark]], rows: int) -> dict[str, Any]:
    """Return how many rows are marked, and how the marks agree with what became of the rows.

    Args:
        marked: The marked rows of the run.
        rows: All of its rows.
    """
    labels = Counter((entry.status, mark.label) for entry, mark in marked)
    return {
        "mark": {
            "marked": len(marked),
            "unmarked": rows - len(marked),
            **{name: sum(mark.label == name for _, mark in marked) for name in ("good", "bad")},
        },
        "agreement": {
            status: {label: labels[status, label] for label in ("good", "bad")}
            for status in ("kept", "failed")
        },
    }


def label_of(mark: Mark | None) -> str | None:
    """Return what a row is marked as; None: it is not, or no longer."""
    return mark.label if mark else None


def _whole_number(key: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise FilterError(f"{key} must be a whole number")
    return int(text)


def _after(entries: Sequence[Entry], key: str) -> Sequence[Entry]:
    """Return what comes after the row of a key.

    Raises:
        RowGoneError: There is no such row any more: nobody knows what comes next.
    """
    if not key:
        return entries
    place = next((n for n, entry in enumerate(entries, start=1) if entry.key == key), None)
    if place is None:
        raise RowGoneError(key)
    return entries[place:]


def _holds(row: Row, needle: str) -> bool:
    texts = (row["id"], text_of(row), row["origin"], response_of(row), row.get("input"))
    raw = "" if row["instruction"] else row.get("raw")
    return any(needle in text.casefold() for text in (*texts, raw) if isinstance(text, str))


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return names with their counts, the commonest first."""
    counts = Counter(names)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _in_order(counts: Counter[int]) -> list[tuple[str, int]]:
    return [(str(number), counts[number]) for number in sorted(counts)]
