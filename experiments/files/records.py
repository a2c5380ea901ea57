"""Records from files and from the hub: one after another, each with its place, values checked.

JSON Lines, CSV and Parquet are read row by row, JSON as a whole. A JSON file is a list of objects,
a table in pandas' split form (`{"columns": [...], "data": [[...]]}`), or one list for each column.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoevol.program.errors import ConfigError

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
_LONGEST_FIELD = 100 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """What stands at a place of a data file; its values are asked for by key and checked.

    Attributes:
        place: For error messages, such as `seeds.jsonl:17`.
        identity: Name of the row, for the same; empty while it is not known.
    """

    place: str
    value: dict[str, Any]
    identity: str = ""

    def named(self, identity: str) -> "Record":
        """Return the record under a name that its messages repeat."""
        return replace(self, identity=identity)

    def text(self, key: str) -> str:
        """Return a text that is there and not blank."""
        found = self.present_text(key)
        if not found.strip():
            raise self.wrong(key, "must be a text, is empty")
        return found

    def present_text(self, key: str) -> str:
        """Return a text whose key is there; null is an empty one."""
        if key not in self.value:
            known = ", ".join(map(str, self.value))
            raise ConfigError(self.place, f"has no key {key!r}; it has {known}")
        return self.optional_text(key)

    def optional_text(self, key: str) -> str:
        """Return a text; null and a missing key are an empty one."""
        return self.sound(key, self.value.get(key))

    def texts(self, key: str) -> list[str]:
        """Return a list of texts; null and a missing key are an empty one."""
        found = self.value.get(key) or []
        if not isinstance(found, list):
            raise self.wrong(key, f"must be a list of texts, is {_kind(found)}")
        return [self.sound(f"{key}[{number}]", text) for number, text in enumerate(found)]

    def whole(self, key: str, default: int | None = None) -> int:
        """Return a whole number from 0."""
        found = self.value.get(key, default)
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 1 << 63:
            return found
        raise self.wrong(key, f"must be a whole number from 0, is {str(found)[:80]!r}")

    def name(self, key: str) -> str | None:
        """Return a text or a whole number that names something, as a text; None if there is none.

        Raises:
            ConfigError: It is something else, or blank.
        """
        found = self.value.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, str | int) or not str(found).strip():
            raise ConfigError(
                self.place, f"{key} must be a text or a whole number, is {str(found)[:80]!r}"
            )
        return self.sound(key, str(found))

    def sound(self, key: str, value: Any) -> str:
        """Return a text; refuse what no provider and no file can carry."""
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(key, f"must be a text or null, is {_kind(value)}")
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise self.wrong(key, "holds a NUL or half of a surrogate pair; remove it")
        return value

    def wrong(self, key: str, problem: str) -> ConfigError:
        """Return the error that names row and key."""
        of = f" of {self.identity!r}" if self.identity else ""
        return ConfigError(self.place, f"{key}{of} {problem}")


def _kind(value: Any) -> str:
    return type(value).__name__


def read_records(
    given: str, where: str, *, beside: Path, split: str = "train", subset: str | None = None
) -> Iterator[Record]:
    """Return the records of a file, of a folder of files, or of a Hugging Face data set.

    Args:
        given: The path, or the data set's name.
        where: The config's file and key, for messages.
        beside: Folder where a relative path is looked for, after the working folder.
        split: Of a Hugging Face data set.
        subset: The same data set's configuration.

    Raises:
        ConfigError: Names the file, and the row where there is one.
    """
    path = existing_path(given, where, beside=beside)
    if path is None:
        return _from_hub(given, where, split, subset)
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
    if not files or any(file.suffix not in SUFFIXES for file in files):
        raise ConfigError(where, f"{path} is no file or folder of {SUFFIXES}")
    return (record for file in files for record in read_file(file))


def existing_path(given: str, where: str, *, beside: Path) -> Path | None:
    """Return the local path; None for what can only be a data set's name."""
    path = Path(given).expanduser()
    for candidate in (path, beside / path):
        if candidate.exists():
            return candidate
    if path.suffix or path.is_absolute() or given.count("/") != 1 or given.startswith("."):
        raise ConfigError(where, f"no such file or folder: {given}")
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
    try:
        for place, value in readers[file.suffix](file):
            yield _record(place, value)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error


def _record(place: str, value: Any) -> Record:
    if not isinstance(value, dict):
        raise ConfigError(place, f"must be an object, is {_kind(value)}")
    return Record(place, value)


def parsed(text: str, place: str) -> Any:
    """Return what a JSON text holds.

    Raises:
        ConfigError: It is none, nests too deep, or holds a number too long.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = "" if error.lineno == 1 else f":{error.lineno}"
        raise ConfigError(f"{place}{line}", f"is no valid JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(place, f"is no valid JSON: {error}") from error


def read_json(file: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        ConfigError: It cannot be read, or is no JSON.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error
    return parsed(text, str(file))


def read_object(file: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        ConfigError: It cannot be read, or holds something else.
    """
    found = read_json(file)
    if not isinstance(found, dict):
        raise ConfigError(str(file), f"must be an object, is {_kind(found)}")
    return found


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
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            yield from _numbered(file, csv.DictReader(lines))
        except csv.Error as error:
            raise ConfigError(str(file), f"is no valid CSV: {error}") from error


def _from_parquet(file: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file)
        batches = (row for batch in table.iter_batches() for row in batch.to_pylist())
        yield from _numbered(file, batches)
    except pyarrow.ArrowException as error:
        raise ConfigError(str(file), f"is no valid Parquet: {error}") from error


def _from_hub(name: str, where: str, split: str, subset: str | None) -> Iterator[Record]:
    import datasets

    try:
        found = datasets.load_dataset(name, subset, split=split)
    except datasets.exceptions.DatasetGenerationError as error:
        cause = " ".join(str(error.__cause__ or error).split())[:200]
        raise ConfigError(where, f"{name} on the hub cannot be read as a table: {cause}") from error
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            where, f"no file {name}, and no data set of that name on the hub: {reason}"
        ) from error
    return (_record(place, value) for place, value in _numbered(name, found))


def _numbered(name: object, values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{name} row {i}", value) for i, value in enumerate(values, start=1))


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSONL file.

    Raises:
        ConfigError: A line is no JSON.
    """
    return (record.value for record in read_file(file))
