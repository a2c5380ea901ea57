"""The rows of a run with their marks, as the files have them by now."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.labels.file import LABELS, Mark, append_mark, mark_of
from autoevol.experiments.files.growing import GrowingFile
from autoevol.experiments.view.details import details_of, line_in_list, said_of
from autoevol.experiments.view.filters import RowFilter, counts_of, mark_counts, page_of
from autoevol.experiments.view.labels import MarkError, MarkRequest, line_of
from autoevol.experiments.view.rows import Entry, RowGoneError, RowIndex


class RunRows:
    """The rows and marks of one run.

    Args:
        folder: The run's.

    Attributes:
        marked: Keys of the rows that were marked here, those included whose mark was taken back.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marked: set[str] = set()
        self._index = RowIndex(folder)
        self._marks: dict[str, Mark] = {}
        self._labels = GrowingFile(folder / LABELS, self._marks.clear, self._add)
        self._counts: tuple[int, dict[str, Any]] = (-1, {})

    def refresh(self) -> None:
        """Read what is new in the files.

        Raises:
            ConfigError: A file cannot be read.
        """
        self._index.refresh()
        self._labels.update()

    def page(self, wanted: RowFilter) -> dict[str, Any]:
        """Return the rows that a filter lets through, with the counts of all filters."""
        self.refresh()
        shown = page_of(self._index, wanted, self._marks)
        rows = {entry.key: row for entry, row in self._index.read_all(shown.entries)}
        lines = [line_in_list(e, rows.get(e.key), self._marks.get(e.key)) for e in shown.entries]
        remarks = [*self._index.damaged, *self._left_over()]
        return {
            "rows": lines,
            "total": shown.total,
            "resets": self._index.resets,
            "counts": self.counts(),
            "remarks": remarks,
        }

    def details(self, key: str) -> Mapping[str, Any]:
        """Return all that is shown of a row.

        Raises:
            RowGoneError: There is no such row any more.
        """
        return self._fresh(lambda: details_of(self._index, self._entry(key), self._marks.get(key)))

    def mark(self, request: MarkRequest) -> dict[str, Any]:
        """Mark a row, or take its mark back; return the mark, and the counts after it.

        Raises:
            MarkError: The row is unscored.
            RowGoneError: There is no such row any more.
            StorageError: The mark cannot be written.
        """

        def line() -> Mapping[str, Any]:
            entry = self._entry(request.key)
            if entry.status == "unscored":
                raise MarkError("an unscored row cannot be marked: its calls failed")
            row = self._index.read(entry)
            return line_of(request, entry, row, self._index.parent_text(row), self.folder)

        append_mark(self.folder, self._fresh(line))
        self.marked.add(request.key)
        self._labels.update()
        return {**said_of(self._marks.get(request.key)), "counts": self.counts()}

    def counts(self) -> dict[str, Any]:
        """Return how many rows each filter would show by itself."""
        # Counted again only where a file has changed: a run may have many rows.
        if self._counts[0] != self._index.version:
            self._counts = self._index.version, counts_of(self._index.entries)
        counts = self._counts[1]
        marks = [mark for mark in self._marks.values() if mark.label]
        marked = [(entry, mark) for mark in marks if (entry := self._index.by_key(mark.key))]
        return {**counts, **mark_counts(marked, counts["all"])}

    def _fresh(self, work: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return what `work` returns, after another look at the files if it misses a row."""
        self.refresh()
        try:
            return work()
        except RowGoneError:
            # A file that was changed in its place looks as if it had only grown.
            self._index.forget()
            self.refresh()
            return work()

    def _entry(self, key: str) -> Entry:
        entry = self._index.by_key(key)
        if entry is None:
            raise RowGoneError(key)
        return entry

    def _add(self, _: int, line: bytes) -> None:
        if mark := mark_of(line):
            self._marks[mark.key] = mark

    def _left_over(self) -> list[str]:
        """Return a remark about marks whose rows are not there, if there are some."""
        marks = [mark for mark in self._marks.values() if mark.label]
        count = sum(self._index.by_key(mark.key) is None for mark in marks)
        words = "1 mark is of a row" if count == 1 else f"{count} marks are of rows"
        return [f"{LABELS}: {words} that the run does not have now"] if count else []
