"""Quotations: runs of words that a text shares with one row of a set, and not with many."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from autoevol.metrics.text.wording import normal_form, units

RUN = 8.0
"""A run of so many words is a quotation; a character of a script without spaces is half a word."""

SHORT = 5.0
"""A text of fewer words than a run, but of so many, is one run as a whole."""

MANY_ROWS = 4
"""A run of so many rows is a common phrase: it quotes none of them."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """A run of a row.

    Attributes:
        set_name: The row's set.
        run: The shared words, in normal form.
    """

    set_name: str
    run: str

    def __str__(self) -> str:
        return f"quotes a row of {self.set_name}: {self.run!r}"


class Quotations:
    """An index of the runs of rows, to find quotations of them.

    A run that several rows hold (a template, a preamble) quotes none of them, and neither does a
    run of the common text.

    Args:
        rows: The texts of each row, by the name of the row's set.
        common: A text that all may quote, such as the initial method.
    """

    def __init__(self, rows: Mapping[str, Sequence[Sequence[str]]], *, common: str = "") -> None:
        self._rows, self._common = rows, common

    def find(self, text: str) -> Quotation | None:
        """Return the first run, in alphabetical order, that `text` quotes of any row."""
        return self._first(text, set(self._rows))

    def find_hidden(self, text: str, *, allowed: str) -> Quotation | None:
        """Return the first run that `text` quotes of another set than `allowed`.

        A run that the allowed set holds, too, counts only where `text` is the whole row.
        """
        hidden = set(self._rows) - {allowed}
        whole = normal_form(text)
        copies = (name for name in sorted(hidden) if whole and whole in self._whole[name])
        copy = next((Quotation(name, whole) for name in copies), None)
        return copy or self._first(text, hidden, absent_from=allowed)

    def _first(self, text: str, sets: set[str], absent_from: str = "") -> Quotation | None:
        quotations = [
            Quotation(min(names & sets), run)
            for run, names in self._shared(text)
            if names & sets and absent_from not in names
        ]
        # A set's order differs from process to process, and a resumed search has to give the same
        # reason.
        return min(quotations, key=lambda quotation: quotation.run, default=None)

    def _shared(self, text: str) -> Iterator[tuple[str, set[str]]]:
        """Yield the runs that the text shares with rows, and the names of the rows' sets."""
        for size, sets_by_run in self._index.items():
            for run in runs_of(text, size):
                if run in sets_by_run:
                    yield run, sets_by_run[run]

    @cached_property
    def _whole(self) -> dict[str, set[str]]:
        """Return every text of a set as a whole, by the set."""
        return {
            name: {normal_form(text) for texts in rows for text in texts}
            for name, rows in self._rows.items()
        }

    @cached_property
    def _index(self) -> dict[float, dict[str, set[str]]]:
        """Return the sets that hold a run, by the run's length and by the run."""
        sets: defaultdict[float, dict[str, set[str]]] = defaultdict(dict)
        counts: defaultdict[str, int] = defaultdict(int)
        for name, rows in self._rows.items():
            for texts in rows:
                runs = dict(_runs_of_row(texts))
                for run, size in runs.items():
                    counts[run] += 1
                    sets[size].setdefault(run, set()).add(name)
        return {size: self._without_common(size, runs, counts) for size, runs in sets.items()}

    def _without_common(
        self, size: float, runs: Mapping[str, set[str]], counts: Mapping[str, int]
    ) -> dict[str, set[str]]:
        common = set(runs_of(self._common, size))
        return {
            run: names
            for run, names in runs.items()
            if counts[run] < MANY_ROWS and run not in common
        }


def runs_of(text: str, size: float) -> list[str]:
    """Return every run of a text that is `size` words long, in order, in normal form."""
    parts = units(text)
    ends = [0.0, *accumulate(weight for _, weight in parts)]
    runs = []
    for start in range(len(parts)):
        end = bisect_left(ends, ends[start] + size)
        if end < len(ends):
            runs.append(" ".join(part for part, _ in parts[start:end]))
    return runs


def _runs_of_row(texts: Iterable[str]) -> Iterator[tuple[str, float]]:
    for text in texts:
        size = min(RUN, sum(weight for _, weight in units(text)))
        if size >= SHORT:
            yield from ((run, size) for run in runs_of(text, size))
