"""Records of JSON and of JSON Lines."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.files.json_text import parsed
from autoevol.experiments.files.records import Item, Rejected, item_of
from autoevol.program.errors import ConfigError

_NO_LIST = "must be a list of objects, or a table of columns"


def jsonl_items(file: Path, encoding: str) -> Iterator[Item]:
    """Yield the records of JSON Lines; a line that is not JSON makes none."""
    name = str(file)
    with file.open(encoding=encoding) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.isspace():
                yield _line_item(line, f"{name}:{number}")


def _line_item(line: str, place: str) -> Item:
    try:
        return item_of(place, parsed(line, place))
    except ConfigError as error:
        return Rejected(place, error.problem, line.rstrip("\n"))


def json_items(file: Path, encoding: str) -> Iterator[Item]:
    """Yield the records of a JSON file: a list, a table, or JSON Lines under that name.

    Raises:
        ConfigError: It is not JSON, or something else in JSON.
    """
    text = file.read_text(encoding=encoding)
    try:
        tree = parsed(text, str(file))
    except ConfigError:
        if not _begins_with_a_line(text):
            raise
        return jsonl_items(file, encoding)
    return numbered_items(file, _records(file, tree))


def numbered_items(name: object, values: Iterable[Any]) -> Iterator[Item]:
    """Yield the records that values make, numbered from 1."""
    return (item_of(f"{name} row {number}", value) for number, value in enumerate(values, start=1))


def _begins_with_a_line(text: str) -> bool:
    """Tell whether the first of several lines is an object by itself."""
    first, _, others = text.strip().partition("\n")
    try:
        return bool(others.strip()) and isinstance(parsed(first, ""), dict)
    except ConfigError:
        return False


def _records(file: Path, tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        is_split = {"columns", "data"} <= set(tree)
        tree = _split_table(file, tree) if is_split else _table(file, tree)
    if not isinstance(tree, list):
        raise ConfigError(str(file), _NO_LIST)
    return tree


def _split_table(file: Path, tree: dict[str, Any]) -> list[Any]:
    """Return the rows of a table in pandas' split form."""
    columns, data = tree["columns"], tree["data"]
    if not isinstance(columns, list) or not isinstance(data, list):
        raise ConfigError(str(file), "columns and data must be lists")
    check_names(columns, str(file))
    for number, values in enumerate(data, start=1):
        if not isinstance(values, list) or len(values) != len(columns):
            raise ConfigError(f"{file} row {number}", f"must be a list of {len(columns)} values")
    return [dict(zip(columns, values, strict=True)) for values in data]


def check_names(names: Sequence[Any], place: str) -> None:
    """Check that columns have names, and no two the same.

    Raises:
        ConfigError: Names the column.
    """
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise ConfigError(place, f"has a column whose name is no text: {str(wrong[0])[:80]}")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(place, f"has two columns called {twice[:80]!r}")


def _table(file: Path, tree: dict[str, Any]) -> list[Any]:
    """Return the rows of a table of columns, or of the one list of objects in an object."""
    if not tree or not all(isinstance(column, list) for column in tree.values()):
        raise ConfigError(str(file), _NO_LIST)
    first, *others = tree
    if not others and all(isinstance(value, dict) for value in tree[first]):
        return list(tree[first])
    for name in others:
        if len(tree[name]) != len(tree[first]):
            raise ConfigError(
                f"{file}: {name}", f"has {len(tree[name])} values, {first} has {len(tree[first])}"
            )
    return [dict(zip(tree, values, strict=True)) for values in zip(*tree.values(), strict=True)]
