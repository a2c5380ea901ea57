"""A data file of any format, written from rows."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from autoevol.experiments.data.formats.catalogue import Format
from autoevol.experiments.data.formats.parquet import write_parquet
from autoevol.experiments.data.formats.rows import RowDict
from autoevol.experiments.files.atomic import whole_file, whole_path
from autoevol.program.errors import ConfigError


def check_target(target: Path, wanted: Format) -> None:
    """Check that a file's name fits the format.

    Raises:
        ConfigError: Names the suffixes that would.
    """
    suffixes = [".json"] if wanted.shape != "list" else [".jsonl", ".json"]
    if wanted.name == "rows":
        suffixes.append(".parquet")
    if target.suffix not in suffixes:
        known = " or ".join(suffixes)
        raise ConfigError(str(target), f"{wanted.name} is written to a file that ends in {known}")


def write_rows(target: Path, rows: Iterable[RowDict], wanted: Format) -> int:
    """Write rows to a file that is there complete or not at all, and return how many they were.

    Raises:
        ConfigError: The name does not fit, or a row cannot be put into the format.
    """
    check_target(target, wanted)
    if target.suffix == ".parquet":
        with whole_path(target) as partial:
            return write_parquet(partial, rows)
    shape = "lines" if target.suffix == ".jsonl" else wanted.shape
    with whole_file(target) as file:
        return _SHAPES[shape](file, (wanted.write(row) for row in rows))


def _write_lines(file: TextIO, records: Iterable[RowDict]) -> int:
    count = 0
    for record in records:
        file.write(_as_json(record) + "\n")
        count += 1
    return count


def _write_list(file: TextIO, records: Iterable[RowDict]) -> int:
    return _write_items(file, "[", (_as_json(record) for record in records), "]")


def _write_split(file: TextIO, records: Iterable[RowDict]) -> int:
    """Write pandas' split form; every record has the keys of the first."""
    waiting = iter(records)
    first = next(waiting, {})
    head = f'{{"columns": {_as_json(list(first))}, "data": ['
    rows = [first] if first else []
    items = (_as_json(list(record.values())) for each in (rows, waiting) for record in each)
    return _write_items(file, head, items, "]}")


def _write_columns(file: TextIO, records: Iterable[RowDict]) -> int:
    """Write one list for each column; they are held in memory."""
    found = list(records)
    names = list(found[0]) if found else []
    file.write(_as_json({name: [record[name] for record in found] for name in names}) + "\n")
    return len(found)


def _write_items(file: TextIO, head: str, items: Iterator[str], tail: str) -> int:
    file.write(head)
    count = 0
    for item in items:
        file.write(",\n" if count else "\n")
        file.write(item)
        count += 1
    file.write(f"\n{tail}\n")
    return count


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_SHAPES: dict[str, Callable[[TextIO, Iterable[RowDict]], int]] = {
    "lines": _write_lines,
    "list": _write_list,
    "split": _write_split,
    "columns": _write_columns,
}
