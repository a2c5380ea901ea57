"""Records of CSV files: which character separates the columns, and rows that lose no text."""

import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.files.records import Item, Record, Rejected
from autoevol.program.errors import ConfigError

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
"""Their names for messages; the first one is the usual one."""

_LONGEST_FIELD = 100 << 20
"""Characters of a CSV field; the csv module stops at 131,072, less than a long document has."""

_SAMPLE = 100
"""Rows by which the separator is told."""

_EXCELS = "sep="
"""Excel may name the separator in a first line of its own."""


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV file is written.

    Attributes:
        separator: Between the columns.
        skipped: Lines before the header.
    """

    separator: str = ","
    skipped: int = 0


def csv_form(file: Path, encoding: str) -> CsvForm:
    """Return how a file is written, by its header and its first rows.

    Raises:
        ConfigError: Two separators fit, or the header's fits no row.
    """
    with file.open(encoding=encoding, newline="") as lines:
        first = lines.readline()
    if first.startswith(_EXCELS) and len(first.rstrip("\r\n")) == len(_EXCELS) + 1:
        return CsvForm(first[len(_EXCELS)], skipped=1)
    if file.suffix.lower() == ".tsv":
        return CsvForm("\t")
    return CsvForm(_separator(file, encoding))


def _separator(file: Path, encoding: str) -> str:
    shares = {}
    for separator in SEPARATORS:
        header, *rows = _sample(file, encoding, separator)
        if len(header) > 1:
            shares[separator] = _share_of(header, rows)
    best = max(shares.values(), default=0.0)
    fitting = [separator for separator, share in shares.items() if share == best]
    if not shares:
        return ","
    if best == 0:
        raise ConfigError(
            f"{file}:1",
            f"holds {SEPARATORS[fitting[0]]}, which no other line has as often; put the names of "
            "columns in double quotes",
        )
    if len(fitting) > 1:
        names = " and ".join(SEPARATORS[separator] for separator in fitting)
        raise ConfigError(f"{file}:1", f"may be separated by {names}; quote the one that is text")
    return fitting[0]


def _sample(file: Path, encoding: str, separator: str) -> list[list[str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    rows: list[list[str]] = [[]]
    with file.open(encoding=encoding, newline="") as lines:
        reader = csv.reader(lines, delimiter=separator, strict=True)
        try:
            rows = [values for values in itertools.islice(reader, _SAMPLE) if values] or rows
        except csv.Error:
            # The reading names the line; here the header alone has to do.
            lines.seek(0)
            rows = [next(csv.reader(lines, delimiter=separator), [])]
    return rows


def _share_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> float:
    """Return the share of rows with as many values as the header; 1 where there are no rows."""
    filled = [row for row in rows if any(map(str.strip, row))]
    return sum(len(row) == len(header) for row in filled) / len(filled) if filled else 1.0


def csv_items(file: Path, encoding: str, form: CsvForm) -> Iterator[Item]:
    """Yield the records of a file; a row with more values than the header makes none.

    Raises:
        ConfigError: The header has a name twice, or a quote is not closed.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    begun = 1 + form.skipped
    with file.open(encoding=encoding, newline="") as lines:
        for _ in range(form.skipped):
            lines.readline()
        # Strict: else a quote that is not closed swallows the rest of the file, silently.
        rows = csv.reader(lines, delimiter=form.separator, strict=True)
        try:
            columns = [name.strip() for name in next(rows, [])]
            _check_columns(columns, f"{file}:{begun}")
            number, begun = 0, rows.line_num + form.skipped + 1
            for values in rows:
                # A spreadsheet's last rows are often empty.
                if any(map(str.strip, values)):
                    number += 1
                    yield _item(columns, values, (f"{file} row {number}", f"{file}:{begun}"))
                begun = rows.line_num + form.skipped + 1
        except csv.Error as error:
            hint = "see the quotes from here on"
            raise ConfigError(f"{file}:{begun}", f"is not valid CSV: {error}; {hint}") from error


def _check_columns(columns: list[str], place: str) -> None:
    twice = next((name for name in columns if name and columns.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(place, f"has two columns called {twice[:80]!r}")


def _item(columns: Sequence[str], values: list[str], places: tuple[str, str]) -> Item:
    """Return what a row makes; `places` are its place as a row and as a line."""
    row, line = places
    if len(values) > len(columns):
        return Rejected(
            line,
            f"has {len(values)} values, the header has {len(columns)}: put a text that holds the "
            "separator in double quotes",
            values,
        )
    if any(value.startswith(" ") and value.lstrip().startswith('"') for value in values):
        return Rejected(line, "has a quote behind a space: a separator in it would cut it", values)
    missing: list[None] = [None] * (len(columns) - len(values))
    pairs = list(zip(columns, [*values, *missing], strict=True))
    # Spreadsheets like to leave empty columns behind the last one.
    if any(value and value.strip() for name, value in pairs if not name):
        return Rejected(line, "has a value in a column without a name", values)
    named: dict[str, Any] = {name: value for name, value in pairs if name}
    return Record(row, named)
