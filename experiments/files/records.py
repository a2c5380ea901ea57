"""Records from files and from the hub: one after another, each with its location.

JSON Lines, CSV and Parquet are read row by row, JSON as a whole. A JSON file is a list of objects,
a table in pandas' split form (`{"columns": [...], "data": [[...]]}`), or one list for each column.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoevol.experiments.files.json_text import HALVES, parsed
from autoevol.experiments.files.paths import local_path, regular_file
from autoevol.program.errors import ConfigError

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
_LONGEST_FIELD = 100 << 20
"""Characters of a CSV field; the csv module stops at 131,072, less than a long document has."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a data file; its methods return checked values by key.

    Attributes:
        place: Its location, for messages, such as `seeds.jsonl:17`.
        identity: Name of the row, for messages; empty while it is not known.
    """

    place: str
    value: dict[str, Any]
    identity: str = ""

    def named(self, identity: str) -> "Record":
        """Return the record with a name for its messages."""
        return replace(self, identity=identity)

    def text(self, key: str) -> str:
        """Return a text that must be present and not blank."""
        text = self.present_text(key)
        if not text.strip():
            raise self.error(key, "must be a text, is empty")
        return text

    def present_text(self, key: str) -> str:
        """Return a text whose key must be present; null becomes the empty text."""
        if key not in self.value:
            keys = ", ".join(map(str, self.value))
            raise ConfigError(self.place, f"has no key {key!r}; it has {keys}")
        return self.optional_text(key)

    def optional_text(self, key: str) -> str:
        """Return a text; null and a missing key become the empty text."""
        return self.checked(key, self.value.get(key))

    def texts(self, key: str) -> list[str]:
        """Return a list of texts; null and a missing key become the empty list."""
        values = self.value.get(key) or []
        if not isinstance(values, list):
            raise self.error(key, f"must be a list of texts, is {_kind(values)}")
        return [self.checked(f"{key}[{number}]", text) for number, text in enumerate(values)]

    def whole_number(self, key: str, default: int | None = None) -> int:
        """Return a whole number in [0, 2^63), the range of Parquet's int64 columns."""
        value = self.value.get(key, default)
        # JSON's `true` is an int for Python.
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
            return value
        raise self.error(key, f"must be a whole number from 0, is {str(value)[:80]!r}")

    def name(self, key: str) -> str | None:
        """Return a text or a whole number that names something, as a text; None if it is missing.

        Raises:
            ConfigError: It is something else, or blank.
        """
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            raise ConfigError(
                self.place, f"{key} must be a text or a whole number, is {str(value)[:80]!r}"
            )
        return self.checked(key, str(value))

    def checked(self, key: str, value: Any) -> str:
        """Return a value as a text; null becomes the empty text.

        Control characters are taken, NUL included: they may be in a row that AutoEvol wrote.

        Raises:
            ConfigError: It is no text, or none that a file of UTF-8 can hold.
        """
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(key, f"must be a text or null, is {_kind(value)}")
        # Half of a pair is valid JSON ("\ud83d") without UTF-8: no file or request can hold it.
        if HALVES.search(value):
            raise self.error(key, "holds half of a surrogate pair; remove it")
        return value

    def error(self, key: str, problem: str) -> ConfigError:
        """Return an error that names the record and the key."""
        of = f" of {self.identity!r}" if self.identity else ""
        return ConfigError(self.place, f"{key}{of} {problem}")


def _kind(value: Any) -> str:
    return type(value).__name__


def read_records(
    path: str, where: str, *, beside: Path, split: str = "train", subset: str | None = None
) -> Iterator[Record]:
    """Return the records of a file, of a folder of files, or of a Hugging Face data set.

    Args:
        path: The path, or the data set's name.
        where: The config's file and key, for messages.
        beside: Folder that a relative path may start from, after the working folder.
        split: Of a Hugging Face data set.
        subset: Configuration of a Hugging Face data set.

    Raises:
        ConfigError: Names the file, and the row where there is one.
    """
    # This function is no generator: a wrong path is an error now, not when the first row is read.
    local = existing_path(path, where, beside=beside)
    if local is None:
        return _from_hub(path, where, split, subset)
    files = _files_in(local, where) if local.is_dir() else [local]
    if not files or any(file.suffix not in SUFFIXES for file in files):
        raise ConfigError(where, f"{local} is no file or folder of {', '.join(SUFFIXES)}")
    for file in files:
        regular_file(file, str(file))
    return (record for file in files for record in read_file(file))


def _files_in(folder: Path, where: str) -> list[Path]:
    try:
        files = [*folder.iterdir()]
    except OSError as error:
        raise ConfigError(where, f"{folder} cannot be read: {error.strerror}") from error
    # Sorted, since rows without an id are numbered in this order; iterdir promises none.
    return sorted(file for file in files if file.suffix in SUFFIXES)


def existing_path(name: str, where: str, *, beside: Path) -> Path | None:
    """Return the local path; None if the name can only be a data set's.

    Raises:
        ConfigError: There is no such file, and no data set can have that name.
    """
    path = local_path(name, where)
    for candidate in (path, local_path(beside / path, where)):
        if candidate.exists():
            return candidate
    # On the hub a name is OWNER/NAME; anything else is a mistyped path, and no download is tried.
    if path.suffix or path.is_absolute() or name.count("/") != 1 or name.startswith("."):
        raise ConfigError(where, f"no such file or folder: {name[:200]}")
    return None


def read_file(file: Path) -> Iterator[Record]:
    """Yield the records of one file.

    Raises:
        ConfigError: Names the file, and the row where there is one.
    """
    readers = {
        ".jsonl": _from_jsonl,
        ".json": _from_json,
        ".csv": _from_csv,
        ".parquet": _from_parquet,
    }
    if file.suffix not in readers:
        raise ConfigError(str(file), f"cannot be read: its name must end in {', '.join(SUFFIXES)}")
    return _records(file, readers[file.suffix])


def read_lines(file: Path) -> Iterator[Record]:
    """Yield the records of JSON Lines, whatever the file is called.

    Raises:
        ConfigError: Names the file, and the line where there is one.
    """
    return _records(file, _from_jsonl)


def _records(file: Path, reader: Callable[[Path], Iterator[tuple[str, Any]]]) -> Iterator[Record]:
    # A FIFO would be waited for, for ever.
    regular_file(local_path(file, str(file)), str(file))
    try:
        for place, value in reader(file):
            yield _record(place, value)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error


def _record(place: str, value: Any) -> Record:
    if not isinstance(value, dict):
        raise ConfigError(place, f"must be an object, is {_kind(value)}")
    return Record(place, value)


def read_json(file: Path) -> Any:
    """Return the value of a JSON file.

    Raises:
        ConfigError: It cannot be read, or is not JSON.
    """
    regular_file(file, str(file))
    try:
        text = file.read_text("utf-8")
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
        raise ConfigError(str(file), f"must be an object, is {_kind(tree)}")
    return tree


# All text files are read as utf-8-sig: a byte order mark is no part of the first key.
def _from_jsonl(file: Path) -> Iterator[tuple[str, Any]]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield f"{file}:{number}", parsed(line, f"{file}:{number}")


def _from_json(file: Path) -> Iterator[tuple[str, Any]]:
    tree = parsed(file.read_text(encoding="utf-8-sig"), str(file))
    if isinstance(tree, dict):
        tree = _split_table(file, tree) if {"columns", "data"} <= set(tree) else _table(file, tree)
    if not isinstance(tree, list):
        raise ConfigError(str(file), "must be a list of objects, or a table of columns")
    return _numbered(file, tree)


def _split_table(file: Path, tree: dict[str, Any]) -> list[Any]:
    """Return the rows of a table in pandas' split form."""
    columns, data = tree["columns"], tree["data"]
    if not isinstance(columns, list) or not isinstance(data, list):
        raise ConfigError(str(file), "columns and data must be lists")
    for number, values in enumerate(data, start=1):
        if not isinstance(values, list) or len(values) != len(columns):
            raise ConfigError(f"{file} row {number}", f"must be a list of {len(columns)} values")
    return [dict(zip(columns, values, strict=True)) for values in data]


def _table(file: Path, tree: dict[str, Any]) -> list[Any]:
    """Return the rows of a table of columns."""
    if not tree or not all(isinstance(column, list) for column in tree.values()):
        raise ConfigError(str(file), "must be a list of objects, or a table of columns")
    first, *others = tree
    for name in others:
        if len(tree[name]) != len(tree[first]):
            raise ConfigError(
                f"{file}: {name}", f"has {len(tree[name])} values, {first} has {len(tree[first])}"
            )
    return [dict(zip(tree, values, strict=True)) for values in zip(*tree.values(), strict=True)]


def _from_csv(file: Path) -> Iterator[tuple[str, Any]]:
    csv.field_size_limit(_LONGEST_FIELD)
    begun = 1
    with file.open(encoding="utf-8-sig", newline="") as lines:
        # Strict: else a quote that is not closed swallows the rest of the file, silently.
        rows = csv.reader(lines, strict=True)
        try:
            columns = next(rows, [])
            _check_columns(columns, file)
            number, begun = 0, rows.line_num + 1
            for values in rows:
                # A blank line has no values and is no row.
                if values:
                    number += 1
                    yield f"{file} row {number}", _csv_row(columns, values, f"{file}:{begun}")
                begun = rows.line_num + 1
        except csv.Error as error:
            hint = "see the quotes from here on"
            raise ConfigError(f"{file}:{begun}", f"is not valid CSV: {error}; {hint}") from error


def _check_columns(columns: list[str], file: Path) -> None:
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{file}:1", f"has two columns called {twice[:80]!r}")


def _csv_row(columns: list[str], values: list[str], place: str) -> dict[str, str | None]:
    if len(values) > len(columns):
        raise ConfigError(
            place,
            f"has {len(values)} values, the header has {len(columns)}: put a text that holds a "
            "comma in double quotes",
        )
    missing: list[None] = [None] * (len(columns) - len(values))
    return dict(zip(columns, [*values, *missing], strict=True))


def _from_parquet(file: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file)
        batches = (row for batch in table.iter_batches() for row in batch.to_pylist())
        yield from _numbered(file, batches)
    except pyarrow.ArrowException as error:
        raise ConfigError(str(file), f"is not valid Parquet: {error}") from error


def _from_hub(name: str, where: str, split: str, subset: str | None) -> Iterator[Record]:
    import datasets

    try:
        dataset = datasets.load_dataset(name, subset, split=split)
    except datasets.exceptions.DatasetGenerationError as error:
        # Its own text is general; the cause says what is wrong.
        cause = " ".join(str(error.__cause__ or error).split())[:200]
        raise ConfigError(where, f"{name} on the hub cannot be read as a table: {cause}") from error
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            where, f"no file {name}, and no data set of that name on the hub: {reason}"
        ) from error
    return (_record(place, value) for place, value in _numbered(name, dataset))


def _numbered(name: object, values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{name} row {i}", value) for i, value in enumerate(values, start=1))


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the values of a file's records.

    Raises:
        ConfigError: Names the file, and the row where there is one.
    """
    return (record.value for record in read_file(file))
