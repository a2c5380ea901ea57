"""A data set of any format, read as rows: what all commands read people's data with."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.config.errors import shown
from autoevol.experiments.data.formats.account import Recognised
from autoevol.experiments.data.formats.catalogue import Format, detect
from autoevol.experiments.data.formats.columns import Columns, KeySpelling, with_plain_keys
from autoevol.experiments.data.formats.dataset_info import described_in
from autoevol.experiments.data.formats.rejections import invalid_rows_error, no_usable_row_error
from autoevol.experiments.data.formats.rows import META, ReadOne, RowDict
from autoevol.experiments.files.data_sets import DATASET_INFO, Location, open_files
from autoevol.experiments.files.reading import DataFile
from autoevol.experiments.files.records import Item, Record, Rejected
from autoevol.program.errors import ConfigError

Invalid = Literal["stop", "skip"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a data set is read.

    Attributes:
        read_as: Its format; None: for each file the one of its first record.
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
    where: Mapping[str, str | list[str]] = field(default_factory=dict)
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
    _places: dict[str, str] = field(default_factory=dict)

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

    def _rows(self, file: DataFile) -> Iterator[tuple[str, RowDict]]:
        self.recognised.traits += [t for t in file.traits if t not in self.recognised.traits]
        form = None
        for item in file.items:
            if not _is_wanted(item, self.options.where):
                continue
            if form is None and isinstance(item, Record):
                form = _form(file.path, item, self.options)
            row = self._row(item, form)
            if row is not None:
                yield item.place, row

    def _row(self, item: Item, form: "_Form | None") -> RowDict | None:
        """Return the row of a record; None: it makes none, and is counted."""
        if isinstance(item, Rejected) or form is None:
            self.recognised.rejected += [item] if isinstance(item, Rejected) else []
            return None
        try:
            record = form.spell(item)
            row = self._named(form.read(record, self.recognised.notes), item.place)
            if self.options.check:
                self.options.check(record, row)
        except ConfigError as error:
            self.recognised.rejected.append(Rejected(error.where, error.problem, item.value))
            return None
        self._places[row["id"]] = item.place
        row = _keeping(row, self.options.keep)
        self.recognised.count(row, form.title, is_answered=form.has_answer(record))
        return row

    def _named(self, row: RowDict, place: str) -> RowDict:
        """Number a row without an id, and refuse an id that another row has."""
        identity = row["id"] or f"row-{self.recognised.rows + 1:06d}"
        if identity in self._places:
            raise ConfigError(place, f"id {identity!r} is taken by {self._places[identity]}")
        return {**row, "id": identity, "seed_id": row["seed_id"] or identity}


@dataclass(frozen=True, slots=True)
class _Form:
    """How the records of one file become rows.

    Attributes:
        title: For the user.
        read: Turns a record into a row.
        answer: The key that holds an answer; None: a message does.
        spell: Gives a record the keys that `read` knows.
    """

    title: str
    read: ReadOne
    answer: str | None
    spell: Callable[[Record], Record]

    def has_answer(self, record: Record) -> bool:
        """Tell whether a record has a place for an answer, however empty."""
        return self.answer is None or self.answer in record.value


def _form(file: Path, first: Record, options: ReadOptions) -> _Form:
    columns = options.columns
    if columns:
        return _Form(
            "the columns of data.fields", columns.read, columns.response or "", lambda r: r
        )
    described = None if options.read_as else described_in(file)
    if described:
        form, spell = described
        title = f"the form that {DATASET_INFO} describes"
        return _Form(title, form.reader(), form.answer, spell)
    form = options.read_as or _detected(first)
    return _Form(form.title, form.reader(), form.answer, KeySpelling(form.own))


def _no_rows_error(location: Location, where: Mapping[str, str | list[str]]) -> ConfigError:
    why = f" where {shown(where)}" if where else ""
    path = "" if location.path == location.where else f"{location.path} "
    return ConfigError(location.where, f"{path}holds no rows{why}")


def _detected(first: Record) -> Format:
    """Return the format of a record; keys may be spelt in other letters, as in `Instruction`."""
    try:
        return detect(first)
    except ConfigError:
        try:
            return detect(with_plain_keys(first))
        except ConfigError:
            pass
        raise


def _is_wanted(item: Item, where: Mapping[str, str | list[str]]) -> bool:
    if isinstance(item, Rejected):
        return True
    pairs = ((item.value.get(key), values) for key, values in where.items())
    return all(
        value in ([values] if isinstance(values, str) else values) for value, values in pairs
    )


def _keeping(row: RowDict, keep: Collection[str] | None) -> RowDict:
    """Return a row with those of its further columns that travel with it."""
    meta: dict[str, Any] = row.get(META) or {}
    if keep is None or not meta:
        return row
    others = {key: value for key, value in row.items() if key != META}
    left = {key: value for key, value in meta.items() if key in keep}
    return {**others, META: left} if left else others
