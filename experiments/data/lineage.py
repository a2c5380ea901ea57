"""Rows that an earlier run left, with their lineage, as the pool of a further round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autoevol.experiments.config.evolve import EvolveConfig
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and where it stands."""

    place: str
    row: Row


def with_lineage(record: Record, row: Row) -> Row:
    """Return the row with the lineage that its record tells; as it is where there is none."""
    if "round" not in record.value:
        return row
    identity = record.name("seed_id") or row.id
    parent = record.name("parent_id")
    return replace(
        row,
        seed_id=identity,
        parent_id=parent,
        round=record.whole("round"),
        method=record.name("method"),
        trace=tuple(record.texts("trace")),
        origin=record.optional_text("origin") or row.origin,
    )


def pool_of(rows: Sequence[Placed], config: EvolveConfig, where: str) -> list[Row]:
    """Return the rows that round `first_round` evolves.

    Rows without a lineage are all of them taken. Of an earlier run's `evolved.jsonl` those of the
    round before are, or of all rounds before.

    Raises:
        ConfigError: A parent is missing or does not come before its child, or no row is of the
            rounds before.
    """
    _check_parents(rows)
    if not any(placed.row.round for placed in rows):
        return [placed.row for placed in rows]
    last = config.first_round - 1
    least = 0 if config.pool == "all" else last
    found = [placed.row for placed in rows if least <= placed.row.round <= last]
    if not found:
        rounds = sorted({placed.row.round for placed in rows})
        raise ConfigError(
            f"{where}: evolve.first_round",
            f"is {config.first_round}, and no row is of round {last}; there are rounds "
            f"{', '.join(map(str, rounds))}",
        )
    return found


def _check_parents(rows: Sequence[Placed]) -> None:
    known = {placed.row.id: placed.row for placed in rows}
    for placed, problem in _problems(rows, known):
        raise ConfigError(placed.place, f"parent_id of {placed.row.id!r}: {problem}")


def _problems(rows: Sequence[Placed], known: dict[str, Row]) -> Iterator[tuple[Placed, str]]:
    """Yield the rows whose parents cannot be; a seed need not be in the file."""
    for placed in rows:
        row = placed.row
        parent = known.get(row.parent_id or "")
        if parent and parent.round >= row.round:
            told = f"{parent.id!r} is of round {parent.round}, no earlier than {row.round}"
            yield placed, told
        if row.parent_id and not parent and row.parent_id != row.seed_id != row.id:
            yield placed, f"{row.parent_id!r} is no seed and not in the file"
