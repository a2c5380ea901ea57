"""The seeds of a run: read from a file or the hub, checked row by row, and split.

A seed file is JSON Lines, JSON, CSV or Parquet, or a folder of such files. Each record needs an
instruction; input, response, id, root (its data set) and turns (a conversation) are optional. Their
columns are named by `data.fields`. `autoevol convert` makes such a file from other formats.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autoevol.experiments.config.data import DataConfig, FieldsConfig
from autoevol.experiments.config.errors import shown
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.data.lineage import LocatedRow, pool_of, with_lineage
from autoevol.experiments.files.records import Record, read_records
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

SEARCH_ROWS = 2000
"""Most rows that take part in the search (paper, footnote 1)."""


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


def load_seeds(config: ExperimentConfig, where: str) -> list[Row]:
    """Return the seeds of a run, checked.

    Args:
        config: Its `data` names the source.
        where: The config's file, for messages.

    Raises:
        ConfigError: Names the file and the line, row or key.
    """
    data, evolve = config.data, config.evolve
    rows: list[LocatedRow] = []
    places: dict[str, str] = {}
    for record in _records(data, where):
        if not _is_wanted(record, data.where):
            continue
        row = _row(record, data.fields, len(rows), append=evolve.input == "append")
        # A first round starts new lineages, even from rows that have one.
        row = with_lineage(record, row) if evolve.first_round > 1 else row
        if row.id in places:
            raise ConfigError(record.place, f"id {row.id!r} is taken by {places[row.id]}")
        places[row.id] = record.place
        rows.append(LocatedRow(record.place, row))
        if len(rows) == data.limit:
            break
    if not rows:
        why = f" where {shown(data.where)}" if data.where else ""
        raise ConfigError(f"{where}: data.path", f"{data.path} holds no rows{why}")
    return pool_of(rows, evolve, where)


def _records(data: DataConfig, where: str) -> Iterator[Record]:
    """Yield the records of the source; an error in the file says whose `data.path` it is."""
    key = f"{where}: data.path"
    try:
        yield from read_records(data.path, key, beside=Path(where).parent, split=data.split)
    except ConfigError as error:
        if error.where == key:
            raise
        raise ConfigError(error.where, f"{error.problem} ({key})") from error


def _is_wanted(record: Record, where: Mapping[str, str | list[str]]) -> bool:
    pairs = ((record.value.get(key), values) for key, values in where.items())
    return all(
        value in ([values] if isinstance(values, str) else values) for value, values in pairs
    )


def split(rows: list[Row], config: ExperimentConfig, where: str) -> Splits:
    """Return disjoint train, dev, fresh and held-out rows, shuffled by the run's seed.

    Raises:
        ConfigError: The sizes need more rows than there are.
    """
    sizes = config.search_rows
    _check_sizes(sizes, len(rows), config, where)
    shuffled = random.Random(config.seed).sample(rows, len(rows))
    chosen = sizes.dev_size + sizes.heldout_size
    # Cut first: dev and held-out rows stay the same when train_size or fresh_size change.
    dev, heldout = shuffled[: sizes.dev_size], shuffled[sizes.dev_size : chosen]
    rest = shuffled[chosen:]
    fresh = _fresh_size(sizes, len(rest))
    train = sizes.train_size
    if train is None:
        train = max(1, SEARCH_ROWS - chosen - fresh)
    return Splits(rest[fresh : fresh + train], dev, rest[:fresh], heldout, rows)


def _check_sizes(sizes: DataConfig, rows: int, config: ExperimentConfig, where: str) -> None:
    if config.is_search and 0 in (sizes.train_size, sizes.dev_size):
        raise ConfigError(f"{where}: data", "a search needs rows in train_size and in dev_size")
    # Where train_size is null, a search needs at least one row to train on.
    train = sizes.train_size or int(config.is_search)
    needed = train + sizes.dev_size + sizes.heldout_size + (sizes.fresh_size or 0)
    if needed > rows:
        raise ConfigError(
            f"{where}: data",
            f"train_size, dev_size, fresh_size and heldout_size need {needed} rows, "
            f"{config.data.path} has {rows}; make them smaller, or do without a search "
            "(optimizer.name: none)",
        )


def _fresh_size(sizes: DataConfig, left: int) -> int:
    """Return the number of fresh rows, out of those that dev and held-out leave."""
    if sizes.fresh_size is not None:
        return sizes.fresh_size
    spare = left // 3 if sizes.train_size is None else left - sizes.train_size
    return min(sizes.dev_size, spare)


def _row(record: Record, fields: FieldsConfig, index: int, *, append: bool) -> Row:
    turns = tuple(record.texts(fields.turns)) if fields.turns else ()
    blank = next((number for number, turn in enumerate(turns) if not turn.strip()), None)
    if blank is not None:
        raise record.error(f"{fields.turns}[{blank}]", "must be a text, is empty")
    # A file of conversations need not have a column of instructions: the first turn is one.
    if len(turns) > 1:
        first_turn = {fields.instruction: turns[0]}
        record = replace(record, value={**record.value, **first_turn})
    if fields.instruction not in record.value:
        raise ConfigError(
            record.place,
            f"has no field {fields.instruction!r}; set data.fields.instruction to one of "
            f"{', '.join(map(str, record.value))}",
        )
    identity = (record.name(fields.id) if fields.id else None) or f"row-{index + 1:06d}"
    record = record.named(identity)
    instruction = record.text(fields.instruction)
    row = Row(
        id=identity,
        seed_id=identity,
        instruction=instruction,
        origin=instruction,
        turns=turns if len(turns) > 1 else (),
        input=_optional(record, fields.input),
        response=_optional(record, fields.response),
        root=_optional(record, fields.root),
    )
    for key, text in (("instruction", row.instruction), ("input", row.input), *_numbered(turns)):
        check_sendable(record, key, text)
    if append and row.input:
        row = replace(row, instruction=row.prompt, input="", origin=row.prompt)
    return row


def check_sendable(record: Record, key: str, text: str) -> None:
    """Check that a text of a seed can be sent to a model.

    Raises:
        ConfigError: It holds a NUL, at which some providers refuse the text, and others cut it.
    """
    if "\0" in text:
        raise record.error(key, "holds a NUL; remove it")


def _numbered(turns: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((f"turns[{number}]", turn) for number, turn in enumerate(turns))


def _optional(record: Record, key: str | None) -> str:
    return record.optional_text(key) if key else ""
