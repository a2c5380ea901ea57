"""The seeds of a run: read from people's files or the hub, checked row by row, and split."""

import random
from dataclasses import dataclass, replace
from pathlib import Path

from autoevol.experiments.config.data import DataConfig, FieldsConfig, sized
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.data.formats.account import Recognised
from autoevol.experiments.data.formats.catalogue import Format, find_format
from autoevol.experiments.data.formats.columns import Columns
from autoevol.experiments.data.formats.rows import RowDict, row_from
from autoevol.experiments.data.formats.source import ReadOptions, open_source
from autoevol.experiments.data.lineage import (
    LocatedRow,
    as_new_seed,
    first_round_of,
    is_plain_seed,
    pool_of,
)
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
    seeds: list[Row]


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seeds of a run.

    Attributes:
        rows: In the order of the source.
        recognised: What the reader recognised, and the records that make no row.
        first_round: Number of the run's first round, which follows those of the rows.
    """

    rows: list[Row]
    recognised: Recognised
    first_round: int = 1


def load_seeds(config: ExperimentConfig, where: str) -> list[Row]:
    """Return the seeds of a run, checked.

    Args:
        config: Its `data` names the source.
        where: The config's file, for messages.

    Raises:
        ConfigError: Names the file and the line, row or key.
    """
    return read_seeds(config, where).rows


def read_seeds(config: ExperimentConfig, where: str) -> Seeds:
    """Return the seeds of a run, and what was recognised in their source.

    Raises:
        ConfigError: As `load_seeds`.
    """
    data, key = config.data, f"{where}: data.path"
    location = Location(data.path, key, Path(where).parent, data.split)
    options = _options(data, where)
    try:
        source = open_source(location, options)
        located = [LocatedRow(place, row_from(row)) for place, row in source.located]
    except ConfigError as error:
        if error.where == key:
            raise
        raise ConfigError(error.where, f"{error.problem} ({key})", error.details) from error
    _check_answers(config, source.recognised, where)
    first_round = first_round_of([entry.row for entry in located], config.evolve)
    seeds = [_seed(entry, config, first_round) for entry in located]
    pool = pool_of(seeds, config.evolve, first_round, where)
    return Seeds(pool, source.recognised, first_round)


def split(rows: list[Row], config: ExperimentConfig, where: str) -> Splits:
    """Return disjoint train, dev, fresh and held-out rows, shuffled by the run's seed.

    Raises:
        ConfigError: The sizes need more rows than there are.
    """
    sizes = sized(config.search_rows, len(rows))
    dev_size, heldout_size = sizes.dev_size or 0, sizes.heldout_size or 0
    _check_sizes(sizes, len(rows), config, where)
    shuffled = random.Random(config.seed).sample(rows, len(rows))
    chosen = dev_size + heldout_size
    # Cut first: dev and held-out rows stay the same when train_size or fresh_size change.
    dev, heldout = shuffled[:dev_size], shuffled[dev_size:chosen]
    rest = shuffled[chosen:]
    fresh = _fresh_size(sizes, dev_size, len(rest))
    train = sizes.train_size
    if train is None:
        train = max(1, SEARCH_ROWS - chosen - fresh)
    return Splits(rest[fresh : fresh + train], dev, rest[:fresh], heldout, rows)


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


def _seed(located: LocatedRow, config: ExperimentConfig, first_round: int) -> LocatedRow:
    """Return a row as a seed of the run."""
    row = located.row
    appends = config.evolve.input == "append" and row.input
    # Most rows bring nothing but their texts, and a million of them are not copied for nothing.
    if is_plain_seed(row) and not appends:
        return located
    if config.evolve.rounds and first_round == 1:
        row = as_new_seed(row)
    # What an earlier run paid and filtered is not this run's account.
    row = replace(row, usage={}, filtered_by=None, turns=row.turns if len(row.turns) > 1 else ())
    if appends:
        origin = row.origin if row.round else row.prompt
        row = replace(row, instruction=row.prompt, input="", origin=origin)
    return LocatedRow(located.place, row)
