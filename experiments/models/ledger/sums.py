"""What the finished calls of a ledger used, and its unused replies."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


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


def read_sums(path: Path) -> list[Sums]:
    """Return what the finished calls of an earlier try used, by role; empty without a ledger."""
    if not path.is_file():
        return []
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return list(sums_of(db, "calls"))
    except sqlite3.DatabaseError:  # the run reports it when it opens the ledger
        return []
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
