"""What the finished calls of a ledger used, and its unused replies."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sums:
    """What the finished calls of one role used.

    Attributes:
        unpriced: Calls of models without a known price.
        estimated: Calls whose tokens are estimated.
        seconds: Wall time of the calls, one after the other; 0 for replies that were not used.
    """

    role: str
    calls: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    cost_usd: float
    unpriced: int
    estimated: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What a ledger's calls used.

    Attributes:
        finished: Of its finished calls, by role.
        discarded: Of replies that were paid and not used, by role.
    """

    finished: tuple[Sums, ...] = ()
    discarded: tuple[Sums, ...] = ()

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> "Bill":
        """Return the bill that `dataclasses.asdict` has made a tree of.

        Raises:
            KeyError: A part is missing.
            TypeError: A part is no bill's.
        """
        return cls(*(tuple(Sums(**sums) for sums in tree[name]) for name in cls.__slots__))


def by_role(bills: Iterable[Bill]) -> dict[str, Sums]:
    """Return what the finished calls of all bills used, by role."""
    total: dict[str, Sums] = {}
    for sums in (sums for bill in bills for sums in bill.finished):
        held = total.get(sums.role)
        figures = zip(astuple(held)[1:], astuple(sums)[1:], strict=True) if held else ()
        total[sums.role] = Sums(sums.role, *(a + b for a, b in figures)) if held else sums
    return total


def read_bill(path: Path) -> Bill:
    """Return the bill of an earlier try's ledger; empty without one."""
    if not path.is_file():
        return Bill()
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return Bill(tuple(sums_of(db, "calls")), tuple(sums_of(db, "discarded")))
    except sqlite3.DatabaseError:  # the run reports it when it opens the ledger
        return Bill()
    finally:
        db.close()


def sums_of(db: sqlite3.Connection, table: str) -> Iterator[Sums]:
    """Yield what the rows of a table used, by role: `calls`, `borrowed` or `discarded`."""
    # The ledger of an earlier version may be read before it is opened for writing.
    columns = {column[1] for column in db.execute(f"PRAGMA table_info({table})")}
    estimated = "total(is_estimated)" if "is_estimated" in columns else "0"
    seconds = "total(seconds)" if "seconds" in columns else "0.0"
    rows = db.execute(
        f"SELECT role, count(*), sum(tokens_in), sum(tokens_out), sum(tokens_cached), "
        f"total(cost_usd), sum(cost_usd IS NULL), CAST({estimated} AS INTEGER), {seconds} "
        f"FROM {table} GROUP BY role ORDER BY min(rowid)"
    )
    return (Sums(*row) for row in rows)
