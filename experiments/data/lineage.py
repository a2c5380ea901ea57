"""Rows of an earlier run, with their lineage, as the seeds of a further round."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from autoevol.experiments.config.evolve import EvolveConfig
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row


@dataclass(frozen=True, slots=True)
class LocatedRow:
    """A row and its location in a file, for messages."""

    place: str
    row: Row


def is_plain_seed(row: Row) -> bool:
    """Tell whether a row has nothing that a run gives a row."""
    is_own = row.seed_id == row.id and row.origin == row.instruction
    history = (row.round, row.parent_id, row.trace, row.method, row.thinking, row.draw)
    figures = (row.scores, row.usage, row.filtered_by, row.suspected_by)
    models = (row.model_evolve, row.model_respond)
    return is_own and len(row.turns) != 1 and not any((*history, *figures, *models))


def as_new_seed(row: Row) -> Row:
    """Return the row as the beginning of a new lineage, without its own."""
    return replace(
        row,
        seed_id=row.id,
        parent_id=None,
        round=0,
        method=None,
        trace=(),
        origin=row.instruction,
        thinking="",
        model_evolve="",
        model_respond="",
        draw=0,
        scores={},
        suspected_by=(),
    )


def changed_seed(seeds: Iterable[Row], lineages: Iterable[tuple[str, str]]) -> str | None:
    """Return the id of a seed that is another one than a run had; None: all are the run's.

    Args:
        seeds: As they are read now.
        lineages: Of the run's rows: the seed's id, and its text then.
    """
    texts = {seed.id: seed.origin for seed in seeds}
    # A row that began a lineage is its own seed and not among these, so it proves no change.
    return next((seed for seed, text in lineages if text and texts.get(seed, text) != text), None)


def first_round_of(rows: Sequence[Row], config: EvolveConfig) -> int:
    """Return the number of the run's first round: the config's, or the one after the rows' last.

    Rows of an earlier run, or of a system whose files say how often a row was evolved, go on in the
    next round; all others begin in round 1.
    """
    if config.has_first_round:
        return config.first_round
    return 1 + max((row.round for row in rows), default=0)


def pool_of(
    rows: Sequence[LocatedRow], config: EvolveConfig, first_round: int, where: str
) -> list[Row]:
    """Return the rows that round `first_round` evolves, or that are answered as they are.

    Without lineages, and where no round follows, these are all rows. Of an earlier run's
    `evolved.jsonl` they are the rows of the round before, or with `pool: all` those of all rounds
    before.

    Raises:
        ConfigError: A parent is missing or is not of an earlier round than its child, or no row is
            of the rounds before.
    """
    _check_parents(rows)
    if not config.rounds or not any(located.row.round for located in rows):
        return [located.row for located in rows]
    last = first_round - 1
    first = 0 if config.pool == "all" else last
    pool = [located.row for located in rows if first <= located.row.round <= last]
    if not pool:
        rounds = sorted({located.row.round for located in rows})
        raise ConfigError(
            f"{where}: evolve.first_round",
            f"is {first_round}, and no row is of round {last}; the file has rounds "
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
    # The first rows of a continued run have parents in the run before, not in this file.
    lowest = min((located.row.round for located in rows if located.row.round), default=0)
    for located in rows:
        row = located.row
        parent = by_id.get(row.parent_id or "")
        if parent and parent.round >= row.round:
            problem = f"{parent.id!r} is of round {parent.round}, no earlier than {row.round}"
            yield located, problem
        # A breadth method's row is a seed of its own (`seed_id` is its id), so its parent may be a
        # seed that is not in the file.
        is_seedless = row.parent_id and not parent and row.parent_id != row.seed_id != row.id
        if is_seedless and row.round > lowest:
            yield located, f"{row.parent_id!r} is no seed and not in the file"
