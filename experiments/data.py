"""Seeds from files or the hub: read, mapped, checked row by row, and split."""

import csv
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.config import DataConfig, ExperimentConfig, FieldsConfig
from program.errors import ConfigError
from program.records import Row

SEARCH_ROWS = 2000
"""Most rows that take part in the search (paper, footnote 1)."""

_LONGEST_FIELD = 100 << 20
SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
Record = tuple[str, Any]
"""A place for error messages, such as `seeds.jsonl:17`, and what stands there."""


@dataclass(frozen=True, slots=True)
class Splits:
    """Disjoint rows of the search, and all rows for the bulk phase."""

    train: list[Row]
    dev: list[Row]
    fresh: list[Row]
    heldout: list[Row]
    seeds: list[Row]


def load_seeds(config: ExperimentConfig, where: str) -> list[Row]:
    """Return the seeds of a run, checked.

    Args:
        config: Whose `data` is read.
        where: The config's file, for messages.

    Raises:
        ConfigError: Names the file and the line, row or key.
    """
    data = config.data
    rows: list[Row] = []
    places: dict[str, str] = {}
    for place, record in _records(data, where):
        row = _row(place, record, data.fields, len(rows), append=config.evolve.input == "append")
        if row.id in places:
            raise ConfigError(place, f"id {row.id!r} stands at {places[row.id]} already")
        places[row.id] = place
        rows.append(row)
        if len(rows) == data.limit:
            break
    if not rows:
        raise ConfigError(f"{where}: data.path", f"{data.path} holds no rows")
    return rows


def split(rows: list[Row], config: ExperimentConfig, where: str) -> Splits:
    """Return disjoint train, dev, fresh and held-out rows, shuffled by the run's seed.

    Raises:
        ConfigError: The sizes ask for more rows than there are.
    """
    sizes = config.search_rows
    if config.is_search and 0 in (sizes.train_size, sizes.dev_size):
        raise ConfigError(f"{where}: data", "a search needs rows in train_size and in dev_size")
    chosen = sizes.dev_size + sizes.heldout_size
    needed = (sizes.train_size or bool(config.is_search)) + chosen + (sizes.fresh_size or 0)
    if needed > len(rows):
        raise ConfigError(
            f"{where}: data",
            f"train_size, dev_size, fresh_size and heldout_size need {needed} rows, "
            f"{config.data.path} has {len(rows)}; make them smaller",
        )
    shuffled = random.Random(config.seed).sample(rows, len(rows))
    dev, heldout = shuffled[: sizes.dev_size], shuffled[sizes.dev_size : chosen]
    rest = shuffled[chosen:]
    fresh = _fresh_size(sizes, len(rest))
    wanted = sizes.train_size
    if wanted is None:
        wanted = max(1, SEARCH_ROWS - chosen - fresh)
    return Splits(rest[fresh : fresh + wanted], dev, rest[:fresh], heldout, rows)


def _fresh_size(sizes: DataConfig, left: int) -> int:
    """Return how many of the rows that are left get no part in the search before its end."""
    if sizes.fresh_size is not None:
        return sizes.fresh_size
    spare = left // 3 if sizes.train_size is None else left - sizes.train_size
    return min(sizes.dev_size, spare)


def _records(data: DataConfig, where: str) -> Iterator[Record]:
    path = _existing(data.path, where)
    if path is None:
        return _from_hub(data, where)
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
    if not files or any(file.suffix not in SUFFIXES for file in files):
        raise ConfigError(f"{where}: data.path", f"{path} is no file or folder of {SUFFIXES}")
    return (record for file in files for record in _from_file(file))


def _existing(given: str, where: str) -> Path | None:
    """Return the local path; None for what can only be a data set's name."""
    path = Path(given).expanduser()
    beside = Path(where).parent / path
    for candidate in (path, beside):
        if candidate.exists():
            return candidate
    if path.suffix or path.is_absolute() or given.count("/") != 1 or given.startswith("."):
        raise ConfigError(f"{where}: data.path", f"no such file or folder: {given}")
    return None


def _from_file(file: Path) -> Iterator[Record]:
    readers = {".jsonl": _from_jsonl, ".json": _from_json, ".csv": _from_csv}
    reader = readers.get(file.suffix, _from_parquet)
    try:
        yield from reader(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error


def _from_jsonl(file: Path) -> Iterator[Record]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield f"{file}:{number}", json.loads(line)
                except json.JSONDecodeError as error:
                    raise ConfigError(f"{file}:{number}", f"is no valid JSON: {error}") from error


def _from_json(file: Path) -> Iterator[Record]:
    try:
        tree = json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}:{error.lineno}", f"is no valid JSON: {error}") from error
    if not isinstance(tree, list):
        raise ConfigError(str(file), "must be a list of objects")
    return _numbered(file, tree)


def _from_csv(file: Path) -> Iterator[Record]:
    csv.field_size_limit(_LONGEST_FIELD)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            yield from _numbered(file, csv.DictReader(lines))
        except csv.Error as error:
            raise ConfigError(str(file), f"is no valid CSV: {error}") from error


def _from_parquet(file: Path) -> Iterator[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file)
    except pyarrow.ArrowInvalid as error:
        raise ConfigError(str(file), f"is no valid Parquet: {error}") from error
    yield from _numbered(file, (row for batch in table.iter_batches() for row in batch.to_pylist()))


def _from_hub(data: DataConfig, where: str) -> Iterator[Record]:
    import datasets

    try:
        found = datasets.load_dataset(data.path, split=data.split)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"{where}: data.path",
            f"no file {data.path}, and no data set of that name on the hub: {reason}",
        ) from error
    return _numbered(data.path, found)


def _numbered(name: object, records: Iterable[Any]) -> Iterator[Record]:
    return ((f"{name} row {i}", record) for i, record in enumerate(records, start=1))


def _row(place: str, record: Any, fields: FieldsConfig, index: int, *, append: bool) -> Row:
    if not isinstance(record, dict):
        raise ConfigError(place, f"must be an object, is {type(record).__name__}")
    if fields.instruction not in record:
        raise ConfigError(
            place,
            f"has no field {fields.instruction!r}; set data.fields.instruction to one of "
            f"{', '.join(map(str, record))}",
        )
    identity = _identity(place, record, fields, index)
    instruction = _text(place, identity, record[fields.instruction], fields.instruction)
    row = Row(
        id=identity,
        seed_id=identity,
        instruction=instruction,
        input=_optional(place, identity, record, fields.input),
        response=_optional(place, identity, record, fields.response),
        origin=instruction,
        root=_optional(place, identity, record, fields.root),
    )
    if append and row.input:
        row = replace(row, instruction=row.prompt, input="", origin=row.prompt)
    return row


def _identity(place: str, record: dict[str, Any], fields: FieldsConfig, index: int) -> str:
    given = record.get(fields.id) if fields.id else None
    if given is None:
        return f"row-{index + 1:06d}"
    if isinstance(given, bool) or not isinstance(given, str | int) or not str(given).strip():
        raise ConfigError(place, f"{fields.id} must be a text or a whole number, is {given!r}")
    return str(given)


def _optional(place: str, identity: str, record: dict[str, Any], name: str | None) -> str:
    value = record.get(name) if name else None
    if value is None:
        return ""
    if not isinstance(value, str):
        shown = type(value).__name__
        raise ConfigError(place, f"{name} of {identity!r} must be a text or null, is {shown}")
    return _sound(place, identity, value, str(name))


def _text(place: str, identity: str, value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        shown = type(value).__name__ if not isinstance(value, str) else "empty"
        raise ConfigError(place, f"{name} of {identity!r} must be a text, is {shown}")
    return _sound(place, identity, value, name)


def _sound(place: str, identity: str, value: str, name: str) -> str:
    """Refuse what no provider and no file can carry."""
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ConfigError(
            place, f"{name} of {identity!r} holds a NUL or half of a surrogate pair; remove it"
        )
    return value
