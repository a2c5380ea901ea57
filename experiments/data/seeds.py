"""The seeds of a run: read from people's files or the hub, checked row by row, and split."""

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autoevol.experiments.config.data import DataConfig, FieldsConfig, sized
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.data.formats.account import Recognised
from autoevol.experiments.data.formats.catalogue import Format, find_format
from autoevol.experiments.data.formats.columns import Columns
from autoevol.experiments.data.formats.rows import RowDict, row_from
from autoevol.experiments.data.formats.source import ReadOptions, Source, open_source
from autoevol.experiments.data.lineage import (
    LocatedRow,
    as_new_seed,
    first_round_of,
    is_plain_seed,
    pool_of,
)
from autoevol.experiments.data.seed_facts import SeedFacts
from autoevol.experiments.data.stored_rows import IN_MEMORY, StoredRows
from autoevol.experiments.files.data_sets import Location
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

SEARCH_ROWS = 2000
"""Most rows that take part in the search (paper, footnote 1)."""

AUTO, COLUMNS = "auto", "columns"
"""Values of `data.format` that are the name of no format."""

SKIP_HINT = "data.invalid: skip leaves them out"


@dataclass(frozen=True, slots=True)
class Splits:
    """The rows of the search in disjoint splits, and all rows for the bulk phase.

    Attributes:
        fresh: Rows that no step of the search sees, for the confirmation of its finalists.
        seeds: All rows, those of the splits included.
    """

    train: list[Row]
    dev: list[Row]
    fresh: list[Row]
    heldout: list[Row]
    seeds: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seeds of a run.

    Attributes:
        rows: In the order of the source.
        recognised: What the reader recognised, and the records that make no row.
        facts: About all rows together.
        first_round: Number of the run's first round, which follows those of the rows.
    """

    rows: Sequence[Row]
    recognised: Recognised
    facts: SeedFacts
    first_round: int = 1


def load_seeds(config: ExperimentConfig, where: str) -> Sequence[Row]:
    """Return the seeds of a run, checked.

    Args:
        config: Its `data` names the source.
        where: The config's file, for messages.

    Raises:
        ConfigError: Names the file and the line, row or key.
    """
    return read_seeds(config, where).rows


def read_seeds(config: ExperimentConfig, where: str, prompt: str = "") -> Seeds:
    """Return the seeds of a run, and what was recognised in their source.

    Many seeds are stored in a file, and read when they are asked for. Rows of an earlier run are in
    memory, however many they are: their parents are looked for among them.

    Args:
        config: Its `data` names the source.
        where: The config's file, for messages.
        prompt: Of the answers; the fingerprint of the run's content begins with it.

    Raises:
        ConfigError: As `load_seeds`.
    """
    key = f"{where}: data.path"
    try:
        recognised, entries = _read(config, where, prompt)
    except ConfigError as error:
        if error.where == key:
            raise
        raise ConfigError(error.where, f"{error.problem} ({key})", error.details) from error
    _check_answers(config, recognised, where)
    if isinstance(entries, _Stored):
        return Seeds(entries.rows, recognised, entries.facts, entries.first_round)
    first_round = first_round_of([entry.row for entry in entries], config.evolve)
    entries = [replace(entry, row=_seed(entry.row, config, first_round)) for entry in entries]
    pool = pool_of(entries, config.evolve, first_round, where)
    return Seeds(pool, recognised, SeedFacts.of(pool, prompt), first_round)


@dataclass(frozen=True, slots=True)
class _Stored:
    """Seeds that begin their lineages, in a file."""

    rows: StoredRows
    facts: SeedFacts
    first_round: int


def _read(
    config: ExperimentConfig, where: str, prompt: str
) -> tuple[Recognised, list[LocatedRow] | _Stored]:
    recognised, seeds = _first_read(config, where, prompt)
    if seeds is not None:
        return recognised, seeds
    # From the beginning, for a row of an earlier run may be the last one.
    source, entries = _opened(config, where)
    return source.recognised, list(entries)


def _first_read(
    config: ExperimentConfig, where: str, prompt: str
) -> tuple[Recognised, list[LocatedRow] | _Stored | None]:
    """Return few rows in memory, or many in a file; None: rows of an earlier run are among them."""
    source, entries = _opened(config, where)
    held = list(itertools.islice(entries, IN_MEMORY + 1))
    if len(held) <= IN_MEMORY:
        return source.recognised, held
    return source.recognised, _stored(itertools.chain(held, entries), config, prompt)


def _opened(config: ExperimentConfig, where: str) -> tuple[Source, Iterator[LocatedRow]]:
    data = config.data
    location = Location(data.path, f"{where}: data.path", Path(where).parent, data.split)
    source = open_source(location, _options(data, where))
    return source, (LocatedRow(place, row_from(row)) for place, row in source.located)


def _stored(entries: Iterable[LocatedRow], config: ExperimentConfig, prompt: str) -> _Stored | None:
    """Store seeds in a file; return None where some are rows of an earlier run."""
    stored = _Stored(StoredRows(), SeedFacts.of((), prompt), first_round_of((), config.evolve))
    for entry in entries:
        if entry.row.round or entry.row.parent_id:
            return None
        row = _seed(entry.row, config, stored.first_round)
        stored.rows.append(row)
        stored.facts.add(row)
    stored.rows.finish()
    return stored


def split(rows: Sequence[Row], config: ExperimentConfig, where: str) -> Splits:
    """Return disjoint train, dev, fresh and held-out rows, shuffled by the run's seed.

    Raises:
        ConfigError: The sizes need more rows than there are.
    """
    sizes = sized(config.search_rows, len(rows))
    dev_size, heldout_size = sizes.dev_size or 0, sizes.heldout_size or 0
    _check_sizes(sizes, len(rows), config, where)
    if not config.is_search:
        return Splits([], [], [], [], rows)
    # Numbers of rows, for a million rows are not held in memory.
    shuffled = random.Random(config.seed).sample(range(len(rows)), len(rows))
    chosen = dev_size + heldout_size
    # Cut first: dev and held-out rows stay the same when train_size or fresh_size change.
    dev, heldout = shuffled[:dev_size], shuffled[dev_size:chosen]
    rest = shuffled[chosen:]
    fresh = _fresh_size(sizes, dev_size, len(rest))
    train = sizes.train_size
    if train is None:
        train = max(1, SEARCH_ROWS - chosen - fresh)
    numbers = (rest[fresh : fresh + train], dev, rest[:fresh], heldout)
    train_rows, dev_rows, fresh_rows, heldout_rows = ([rows[n] for n in part] for part in numbers)
    return Splits(train_rows, dev_rows, fresh_rows, heldout_rows, rows)


def _check_sizes(sizes: DataConfig, rows: int, config: ExperimentConfig, where: str) -> None:
    if config.is_search and 0 in (sizes.train_size, sizes.dev_size):
        raise ConfigError(f"{where}: data", "a search needs rows in train_size and in dev_size")
    # Where train_size is null, a search needs at least one row to train on.
    train = sizes.train_size or int(config.is_search)
    others = (sizes.dev_size, sizes.heldout_size, sizes.fresh_size)
    needed = train + sum(size or 0 for size in others)
    if needed > rows:
        raise ConfigError(
            f"{where}: data",
            f"train_size, dev_size, fresh_size and heldout_size need {needed} rows, "
            f"{config.data.path} has {rows}; leave them out (they follow the number of rows), or "
            "do without a search (optimizer.name: none)",
        )


def _fresh_size(sizes: DataConfig, dev_size: int, left: int) -> int:
    """Return the number of fresh rows, out of those that dev and held-out leave."""
    if sizes.fresh_size is not None:
        return sizes.fresh_size
    spare = left // 3 if sizes.train_size is None else left - sizes.train_size
    return min(dev_size, spare)


def _options(data: DataConfig, where: str) -> ReadOptions:
    return ReadOptions(
        read_as=_format(data, where),
        columns=_columns(data),
        invalid=data.invalid,
        keep=None if data.keep == "all" else data.keep,
        where=data.where,
        limit=data.limit,
        hint=SKIP_HINT,
        check=check_row,
    )


def _format(data: DataConfig, where: str) -> Format | None:
    if data.format in (AUTO, COLUMNS):
        return None
    return find_format(data.format, f"{where}: data.format")


def _columns(data: DataConfig) -> Columns | None:
    """Return the names of columns, where the config names any of its own."""
    if data.format == COLUMNS or (data.format == AUTO and data.fields != FieldsConfig()):
        return Columns(**data.fields.model_dump())
    return None


def check_row(record: Record, row: RowDict) -> None:
    """Check that all texts of a seed can be sent to a model."""
    for number, turn in enumerate(row["turns"]):
        _check_no_nul(record, row, f"turns[{number}]", turn)
        if not turn.strip():
            raise record.named(row["id"]).error(f"turns[{number}]", "must be a text, is empty")
    for key in ("instruction", "input", "system"):
        _check_no_nul(record, row, key, row.get(key))


def _check_no_nul(record: Record, row: RowDict, key: str, text: str | None) -> None:
    # Some providers refuse a text with a NUL, others cut it.
    if text and "\0" in text:
        raise record.named(row["id"]).error(key, "holds a NUL; remove it")


def _check_answers(config: ExperimentConfig, recognised: Recognised, where: str) -> None:
    is_filling = config.answer.only_missing and not config.evolve.rounds
    if is_filling and not recognised.answered:
        raise ConfigError(
            f"{where}: answer.only_missing",
            f"is set, and no record of {config.data.path} has a place for an answer, so every row "
            "would be answered; name the column (data.fields.response), or leave only_missing out",
        )


def _seed(row: Row, config: ExperimentConfig, first_round: int) -> Row:
    """Return a row as a seed of the run."""
    appends = config.evolve.input == "append" and row.input
    # Most rows bring nothing but their texts, and a million of them are not copied for nothing.
    if is_plain_seed(row) and not appends:
        return row
    if config.evolve.rounds and first_round == 1:
        row = as_new_seed(row)
    # What an earlier run paid and filtered is not this run's account.
    row = replace(row, usage={}, filtered_by=None, turns=row.turns if len(row.turns) > 1 else ())
    if appends:
        origin = row.origin if row.round else row.prompt
        row = replace(row, instruction=row.prompt, input="", origin=origin)
    return row
