"""A data set of any format, read as rows: what all commands read people's data with."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.config.errors import shown
from autoevol.experiments.data.formats.account import Recognised, TakenIds
from autoevol.experiments.data.formats.catalogue import Format, detected
from autoevol.experiments.data.formats.columns import (
    Columns,
    KeySpelling,
    text_among_names,
    usual_columns,
    with_plain_keys,
)
from autoevol.experiments.data.formats.dataset_info import described_in
from autoevol.experiments.data.formats.rejections import invalid_rows_error, no_usable_row_error
from autoevol.experiments.data.formats.rows import META, ReadOne, RowDict
from autoevol.experiments.files.data_sets import DATASET_INFO, Location, open_files
from autoevol.experiments.files.reading import DataFile
from autoevol.experiments.files.records import Item, Record, Rejected
from autoevol.program.errors import ConfigError

Wanted = str | int | float | list[str | int | float]
"""The values of a column that are wanted."""

FIELD_HINT = "name the column of instructions: data.fields.instruction, or --field instruction=NAME"

_WITH_HEADER = (".csv", ".tsv")
"""Files whose first line names the columns."""

_NO_HEADER = "if the first line is a row, put a line of names above it, such as instruction"

_OWN = ("response", None)
"""Columns of the answer in our own form of seeds."""

Invalid = Literal["stop", "skip"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a data set is read.

    Attributes:
        read_as: Its format; None: for each record the one that its keys tell.
        columns: Names of its columns, instead of a format.
        invalid: "stop": records that make no row are an error, once all are read; "skip": they are
            left out and counted.
        keep: Further columns that travel with the rows; None: all.
        where: Use only records whose columns hold these values.
        limit: Use the first rows only.
        hint: How a user leaves out records that make no row, for the error of "stop".
        check: Called with each row; its error makes the record one that makes no row.
    """

    read_as: Format | None = None
    columns: Columns | None = None
    invalid: Invalid = "stop"
    keep: Collection[str] | None = None
    where: Mapping[str, Wanted] = field(default_factory=dict)
    limit: int | None = None
    hint: str = ""
    check: Callable[[Record, RowDict], None] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that is being read.

    Attributes:
        location: Its file, folder, pattern or name.
        located: Its rows with their places, each with a unique id; read when they are asked for.
        recognised: Complete once all rows are read.
    """

    location: Location
    located: Iterator[tuple[str, RowDict]]
    recognised: Recognised

    @property
    def rows(self) -> Iterator[RowDict]:
        """The rows."""
        return (row for _, row in self.located)


def open_source(location: Path | Location, options: ReadOptions | None = None) -> Source:
    """Open a data set of any format.

    Args:
        location: A file, or a data set as a config names it.
        options: How it is read.

    Raises:
        ConfigError: Names the file, and row and key where there are any. Reading the rows raises
            it, too.
    """
    place = Location(str(location), str(location)) if isinstance(location, Path) else location
    # No generator: a wrong path is an error now, not when the first row is read.
    files = open_files(place)
    recognised = Recognised()
    reader = _Reader(options or ReadOptions(), recognised)
    return Source(place, reader.read(files, place), recognised)


@dataclass(slots=True)
class _Reader:
    """Reads the files of a data set, one after another."""

    options: ReadOptions
    recognised: Recognised
    _ids: TakenIds = field(default_factory=TakenIds)
    _forms: dict[str, "_Form"] = field(default_factory=dict)
    _columns: dict[str, None] = field(default_factory=dict)

    def read(self, files: list[DataFile], location: Location) -> Iterator[tuple[str, RowDict]]:
        rows = (row for file in files for row in self._rows(file))
        yield from itertools.islice(rows, self.options.limit)
        rejected, count, path = self.recognised.rejected, self.recognised.rows, location.path
        if rejected and self.options.invalid == "stop":
            raise invalid_rows_error(rejected, count, path, self.options.hint)
        if rejected and not count:
            raise no_usable_row_error(rejected, path)
        if not count:
            raise _no_rows_error(location, self.options.where)
        unknown = [name for name in self.options.keep or () if name not in self._columns]
        if unknown:
            columns = ", ".join(self._columns) or "none"
            raise ConfigError(
                location.path,
                f"has no further column {unknown[0]!r}, which data.keep names; it has {columns}",
            )

    def _rows(self, file: DataFile) -> Iterator[tuple[str, RowDict]]:
        self.recognised.traits += [t for t in file.traits if t not in self.recognised.traits]
        forms = _Forms(file.path, self.options, self._forms)
        first, items = _first_record(file.items)
        if first:
            forms.check_header(first)
        for item in items:
            if self.options.where and not _is_wanted(item, self.options.where):
                continue
            row = self._row(item, forms)
            if row is not None:
                yield item.place, row

    def _row(self, item: Item, forms: "_Forms") -> RowDict | None:
        """Return the row of a record; None: it makes none, and is counted."""
        if isinstance(item, Rejected):
            self.recognised.rejected.append(item)
            return None
        try:
            form = forms.of(item)
            record = form.spell(item)
            row = self._named(form.read(record, self.recognised.notes), item.place)
            if self.options.check:
                self.options.check(record, row)
        except ConfigError as error:
            self.recognised.rejected.append(Rejected(error.where, error.problem, item.value))
            return None
        self._ids.add(row["id"], item.place)
        if META in row:
            self._columns.update(dict.fromkeys(row[META] or ()))
            row = _keeping(row, self.options.keep)
        self.recognised.count(row, form.title, is_answered=form.has_answer(record))
        self.recognised.columns_named = self.recognised.columns_named or dict(form.columns)
        return row

    def _named(self, row: RowDict, place: str) -> RowDict:
        """Number a row without an id, and refuse an id that another row has."""
        identity = row["id"] or f"row-{self.recognised.rows + 1:06d}"
        if owner := self._ids.owner(identity):
            raise ConfigError(place, f"id {identity!r} is taken by {owner}")
        row["id"] = identity
        row["seed_id"] = row["seed_id"] or identity
        return row


@dataclass(frozen=True, slots=True)
class _Form:
    """How the records of one file become rows.

    Attributes:
        title: For the user.
        read: Turns a record into a row.
        answer: The key that holds an answer; None: a message does.
        spell: Gives a record the keys that `read` knows.
        columns: Columns that were told by their usual names, by their use.
    """

    title: str
    read: ReadOne
    answer: str | None
    spell: Callable[[Record], Record]
    columns: Mapping[str, str] = field(default_factory=dict)

    def has_answer(self, record: Record) -> bool:
        """Tell whether a record has a place for an answer, however empty."""
        return self.answer is None or self.answer in record.value


def _first_record(items: Iterator[Item]) -> tuple[Record | None, Iterator[Item]]:
    """Return the first record of a file, and all its items."""
    read: list[Item] = []
    for item in items:
        read.append(item)
        if isinstance(item, Record):
            return item, itertools.chain(read, items)
    return None, iter(read)


class _Forms:
    """The forms of the records of one file.

    A record's own keys decide its form: people's files mix rows with and without an answer.

    Args:
        file: It may be described in a `dataset_info.json` beside it.
        options: Of the reading.
        by_name: Forms by the names of formats, for all files: readers of some formats depend on
            the records before.
    """

    def __init__(self, file: Path, options: ReadOptions, by_name: dict[str, "_Form"]) -> None:
        self._fixed = _fixed_form(file, options)
        self._file, self._has_header = file, file.suffix.lower() in _WITH_HEADER
        self._by_name = by_name
        self._by_keys: dict[tuple[str, ...], _Form] = {}

    def check_header(self, record: Record) -> None:
        """Refuse a file without a header: its first row would be lost as names of columns.

        Args:
            record: The first one.

        Raises:
            ConfigError: The name of a column reads like a text.
        """
        columns = usual_columns(record)
        if not self._has_header or self._fixed or columns is None:
            return
        text = text_among_names(record, columns.instruction)
        if text is not None:
            problem = (
                f"reads like a row, not like names of columns: {text[:60]!r}; {_NO_HEADER}, or "
                f"{FIELD_HINT}"
            )
            raise ConfigError(f"{self._file}:1", problem)

    def of(self, record: Record) -> _Form:
        """Return the form of a record.

        Raises:
            ConfigError: It is in no known one.
        """
        if self._fixed:
            return self._fixed
        keys = tuple(record.value)
        if keys not in self._by_keys:
            self._by_keys[keys] = self._detected(record)
        return self._by_keys[keys]

    def _detected(self, record: Record) -> _Form:
        form = detected(record) or detected(with_plain_keys(record))
        if form:
            return self._by_name.setdefault(form.name, _form_of(form))
        columns = usual_columns(record)
        is_seed = not {"instruction", "turns"}.isdisjoint(record.value)
        # With its answer under another name, its columns say more than our own form of seeds.
        if is_seed and (columns is None or columns.response in _OWN):
            columns = Columns()
        if columns is None:
            shown = ", ".join(map(str, record.value)) or "none"
            hint = f"{FIELD_HINT}; {_NO_HEADER}" if self._has_header else FIELD_HINT
            problem = f"is in no known format; its keys are {shown}; {hint}"
            raise ConfigError(record.place, problem)
        if columns == Columns():
            return _columns_form(columns, "the form of seeds")
        return _columns_form(columns, f"columns {columns.sentence}", is_told=True)


def _fixed_form(file: Path, options: ReadOptions) -> _Form | None:
    """Return the form that the options or a description fix for a file; None: records tell it."""
    if options.columns:
        return _columns_form(options.columns, "the columns of data.fields")
    if options.read_as:
        return _form_of(options.read_as)
    described = described_in(file)
    if described is None:
        return None
    form, spell = described
    title = f"the form that {DATASET_INFO} describes"
    return _Form(title, form.reader(), form.answer, spell)


def _columns_form(columns: Columns, title: str, *, is_told: bool = False) -> _Form:
    uses = {use: getattr(columns, use) for use in ("instruction", "input", "response", "system")}
    named = {use: name for use, name in uses.items() if name} if is_told else {}
    return _Form(title, columns.reader(), columns.response or "", lambda record: record, named)


def _form_of(form: Format) -> _Form:
    return _Form(form.title, form.reader(), form.answer, KeySpelling(form.own))


def _no_rows_error(location: Location, where: Mapping[str, Wanted]) -> ConfigError:
    why = f" where {shown(where)}" if where else ""
    path = "" if location.path == location.where else f"{location.path} "
    return ConfigError(location.where, f"{path}holds no rows{why}")


def _is_wanted(item: Item, where: Mapping[str, Wanted]) -> bool:
    if isinstance(item, Rejected):
        return True
    pairs = ((item.value.get(key), values) for key, values in where.items())
    return all(_is_among(value, values) for value, values in pairs)


def _is_among(value: Any, values: Wanted) -> bool:
    wanted = values if isinstance(values, list) else [values]
    # A table of texts holds the number 3 as "3", and YAML may hold the text "3" as a number.
    return value in wanted or str(value) in map(str, wanted)


def _keeping(row: RowDict, keep: Collection[str] | None) -> RowDict:
    """Return a row with those of its further columns that travel with it."""
    meta: dict[str, Any] = row.get(META) or {}
    if keep is None or not meta:
        return row
    others = {key: value for key, value in row.items() if key != META}
    left = {key: value for key, value in meta.items() if key in keep}
    return {**others, META: left} if left else others
