"""Rows written to a data file of any format."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from autoevol.experiments.data.formats.catalogue import Format
from autoevol.experiments.data.formats.parquet import write_parquet
from autoevol.experiments.data.formats.rows import RowDict
from autoevol.experiments.files.atomic import whole_file, whole_path
from autoevol.experiments.files.json_text import as_json
from autoevol.program.errors import ConfigError


def check_target(target: Path, write_as: Format) -> None:
    """Check that a file's name fits the format.

    Raises:
        ConfigError: Names the suffixes that do.
    """
    suffixes = [".json"] if write_as.shape != "list" else [".jsonl", ".json"]
    if write_as.name == "rows":
        suffixes.append(".parquet")
    if target.suffix not in suffixes:
        allowed = " or ".join(suffixes)
        problem = f"{write_as.name} is written to a file that ends in {allowed}"
        raise ConfigError(str(target), problem)


def write_rows(target: Path, rows: Iterable[RowDict], write_as: Format) -> int:
    """Write rows to a file that appears complete or not at all, and return their number.

    Raises:
        ConfigError: The file's name does not fit, or the format cannot hold a row.
    """
    check_target(target, write_as)
    if target.suffix == ".parquet":
        with whole_path(target) as partial:
            return write_parquet(partial, rows)
    shape = "lines" if target.suffix == ".jsonl" else write_as.shape
    with whole_file(target) as file:
        return _SHAPES[shape](file, (write_as.record(row) for row in rows))


def write_split(target: Path, records: Iterable[RowDict], columns: Sequence[str]) -> int:
    """Write records in pandas' split form, with their columns even where there is no record."""
    with whole_file(target) as file:
        head = f'{{"columns": {as_json(list(columns))}, "data": ['
        items = (as_json([record[name] for name in columns]) for record in records)
        return _write_items(file, head, items, "]}")


def _write_lines(file: TextIO, records: Iterable[RowDict]) -> int:
    count = 0
    for record in records:
        file.write(as_json(record) + "\n")
        count += 1
    return count


def _write_list(file: TextIO, records: Iterable[RowDict]) -> int:
    # Not one json.dumps of a list: rows are read and written one by one, however many.
    return _write_items(file, "[", (as_json(record) for record in records), "]")


def _write_split(file: TextIO, records: Iterable[RowDict]) -> int:
    """Write pandas' split form; every record has the keys of the first."""
    waiting = iter(records)
    # pandas' split form names the columns before the data, so the first record is taken ahead.
    first = next(waiting, {})
    head = f'{{"columns": {as_json(list(first))}, "data": ['
    rows = [first] if first else []
    items = (as_json(list(record.values())) for record in itertools.chain(rows, waiting))
    return _write_items(file, head, items, "]}")


def _write_columns(file: TextIO, records: Iterable[RowDict]) -> int:
    """Write one list for each column; all records are held in memory."""
    table = list(records)
    names = list(table[0]) if table else []
    file.write(as_json({name: [record[name] for record in table] for name in names}) + "\n")
    return len(table)


def _write_items(file: TextIO, head: str, items: Iterator[str], tail: str) -> int:
    file.write(head)
    count = 0
    for item in items:
        file.write(",\n" if count else "\n")
        file.write(item)
        count += 1
    file.write(f"\n{tail}\n")
    return count


_SHAPES: dict[str, Callable[[TextIO, Iterable[RowDict]], int]] = {
    "lines": _write_lines,
    "list": _write_list,
    "split": _write_split,
    "columns": _write_columns,
}
