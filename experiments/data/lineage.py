"""Rows of an earlier run, with their lineage, as the seeds of a further round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autoevol.experiments.config.evolve import EvolveConfig
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row


@dataclass(frozen=True, slots=True)
class LocatedRow:
    """A row and its location in a file, for messages."""

    place: str
    row: Row


def with_lineage(record: Record, row: Row) -> Row:
    """Return the row with the lineage in its record; unchanged if the record has none."""
    if "round" not in record.value:
        return row
    identity = record.name("seed_id") or row.id
    parent = record.name("parent_id")
    return replace(
        row,
        seed_id=identity,
        parent_id=parent,
        round=record.whole_number("round"),
        method=record.name("method"),
        trace=tuple(record.texts("trace")),
        origin=record.optional_text("origin") or row.origin,
    )


def pool_of(rows: Sequence[LocatedRow], config: EvolveConfig, where: str) -> list[Row]:
    """Return the rows that round `first_round` evolves.

    Without lineages these are all rows. Of an earlier run's `evolved.jsonl` they are the rows of
    the round before, or with `pool: all` those of all rounds before.

    Raises:
        ConfigError: A parent is missing or is not of an earlier round than its child, or no row is
            of the rounds before.
    """
    _check_parents(rows)
    if not any(located.row.round for located in rows):
        return [located.row for located in rows]
    last = config.first_round - 1
    first = 0 if config.pool == "all" else last
    pool = [located.row for located in rows if first <= located.row.round <= last]
    if not pool:
        rounds = sorted({located.row.round for located in rows})
        raise ConfigError(
            f"{where}: evolve.first_round",
            f"is {config.first_round}, and no row is of round {last}; the file has rounds "
            f"{', '.join(map(str, rounds))}",
        )
    return pool


def _check_parents(rows: Sequence[LocatedRow]) -> None:
    by_id = {located.row.id: located.row for located in rows}
    for located, problem in _problems(rows, by_id):
        raise ConfigError(located.place, f"parent_id of {located.row.id!r}: {problem}")


def _problems(
    rows: Sequence[LocatedRow], by_id: dict[str, Row]
) -> Iterator[tuple[LocatedRow, str]]:
    """Yield the rows whose parents are impossible; a seed need not be in the file."""
    for located in rows:
        row = located.row
        parent = by_id.get(row.parent_id or "")
        if parent and parent.round >= row.round:
            problem = f"{parent.id!r} is of round {parent.round}, no earlier than {row.round}"
            yield located, problem
        # A breadth method's row is a seed of its own (`seed_id` is its id), so its parent may be a
        # seed that is not in the file.
        if row.parent_id and not parent and row.parent_id != row.seed_id != row.id:
            yield located, f"{row.parent_id!r} is no seed and not in the file"
