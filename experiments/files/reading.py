"""Files of records: which kind a file is, how its text is encoded, and one record after another.

JSON Lines, CSV, texts and Parquet are read row by row, JSON as a whole.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.files.csv_records import SEPARATORS, csv_form, csv_items
from autoevol.experiments.files.encodings import UTF_8, text_encoding
from autoevol.experiments.files.json_records import (
    check_names,
    json_items,
    jsonl_items,
    numbered_items,
)
from autoevol.experiments.files.json_text import parsed
from autoevol.experiments.files.paths import local_path, regular_file
from autoevol.experiments.files.records import Item, Record, Rejected, item_of
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file that is open.

    Attributes:
        traits: What was recognised beyond the usual, such as `CP949`; for the user.
        items: Its records, and what makes none; they are read when they are asked for.
    """

    path: Path
    traits: tuple[str, ...]
    items: Iterator[Item]


def open_file(file: Path) -> DataFile:
    """Open a data file.

    Raises:
        ConfigError: Names the file. Reading the records raises it, too, where the file is damaged.
    """
    kind = file.suffix.lower()
    if kind not in _KINDS:
        raise ConfigError(str(file), _why_unreadable(file))
    # A FIFO would be waited for, for ever.
    regular_file(local_path(file, str(file)), str(file))
    with _file_errors(file):
        traits, items = _KINDS[kind](file)
    return DataFile(file, traits, _guarded(file, items))


def read_file(file: Path) -> Iterator[Record]:
    """Yield the records of one file.

    Raises:
        ConfigError: Names the file, and the row where there is one.
    """
    return strict(open_file(file).items)


def read_lines(file: Path) -> Iterator[Record]:
    """Yield the records of JSON Lines, whatever the file is called.

    Raises:
        ConfigError: Names the file, and the line where there is one.
    """
    return strict(line_items(file))


def line_items(file: Path) -> Iterator[Item]:
    """Yield the records of JSON Lines as `read_lines` does, and the lines that make none.

    Raises:
        ConfigError: The file cannot be read.
    """
    regular_file(local_path(file, str(file)), str(file))
    return _guarded(file, _jsonl(file)[1])


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the values of a file's records.

    Raises:
        ConfigError: Names the file, and the row where there is one.
    """
    return (record.value for record in read_file(file))


def strict(items: Iterator[Item]) -> Iterator[Record]:
    """Yield records, and raise at the first of them that makes none."""
    for item in items:
        if isinstance(item, Rejected):
            raise item.error
        yield item


def read_json(file: Path) -> Any:
    """Return the value of a JSON file, which may begin with a byte order mark.

    Raises:
        ConfigError: It cannot be read, or is not JSON.
    """
    regular_file(file, str(file))
    try:
        # People edit some of these files, and some editors put a mark first, which JSON refuses.
        text = file.read_text(UTF_8)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error
    return parsed(text, str(file))


def read_object(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        ConfigError: It cannot be read, or holds something else.
    """
    tree = read_json(file)
    if not isinstance(tree, dict):
        raise ConfigError(str(file), f"must be an object, is {type(tree).__name__}")
    return tree


@contextlib.contextmanager
def _file_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error


def _guarded(file: Path, items: Iterator[Item]) -> Iterator[Item]:
    with _file_errors(file):
        yield from items


_Opened = tuple[tuple[str, ...], Iterator[Item]]
"""The traits of a file, and its items."""


def _jsonl(file: Path) -> _Opened:
    encoding = text_encoding(file)
    return _encoded(encoding), jsonl_items(file, encoding)


def _json(file: Path) -> _Opened:
    encoding = text_encoding(file)
    return _encoded(encoding), json_items(file, encoding)


def _csv(file: Path) -> _Opened:
    encoding = text_encoding(file)
    form = csv_form(file, encoding)
    separated = () if form.separator == "," else (f"separated by {SEPARATORS[form.separator]}",)
    return (*_encoded(encoding), *separated), csv_items(file, encoding, form)


def _text(file: Path) -> _Opened:
    encoding = text_encoding(file)
    return ("an instruction a line", *_encoded(encoding)), _text_items(file, encoding)


def _text_items(file: Path, encoding: str) -> Iterator[Item]:
    with file.open(encoding=encoding) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield item_of(f"{file}:{number}", line.strip())


def _parquet(file: Path) -> _Opened:
    return (), _parquet_items(file)


def _parquet_items(file: Path) -> Iterator[Item]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file)
        check_names(table.schema_arrow.names, str(file))
        rows = (row for batch in table.iter_batches() for row in batch.to_pylist())
        # A table that came out of a spreadsheet may end in empty rows.
        yield from numbered_items(file, (row for row in rows if _is_filled(row)))
    except pyarrow.ArrowException as error:
        raise ConfigError(str(file), f"is not valid Parquet: {error}") from error
    except (OverflowError, ValueError) as error:
        # A date beyond the year 9999, for one.
        raise ConfigError(str(file), f"holds a value that Python cannot: {error}") from error


def _is_filled(row: dict[str, Any]) -> bool:
    texts = (value.strip() if isinstance(value, str) else value for value in row.values())
    return any(text not in (None, "") for text in texts)


def _encoded(encoding: str) -> tuple[str, ...]:
    return () if encoding == UTF_8 else (encoding.upper(),)


def _why_unreadable(file: Path) -> str:
    if file.suffix.lower() in SPREADSHEETS:
        return "is a spreadsheet; save it as CSV (UTF-8)"
    return f"cannot be read: its name must end in {', '.join(SUFFIXES)}"


_KINDS: dict[str, Callable[[Path], _Opened]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _csv,
    ".txt": _text,
    ".parquet": _parquet,
}
SUFFIXES = tuple(_KINDS)
SPREADSHEETS = (".xlsx", ".xls", ".ods")
