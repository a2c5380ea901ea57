"""A ledger's torn end: records that a crash left half written, found before SQLite drops them.

SQLite's write-ahead log ends at the last record whose checksums hold; what lies behind is ignored
without a word. Source of the layout: sqlite.org/fileformat2.html, section 4.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

_HEADER, _FRAME_HEADER = 32, 24


@dataclass(frozen=True, slots=True)
class TornTail:
    """What was found behind the last sound record.

    Attributes:
        frames: Whole pages that belong to this log and that SQLite does not accept.
        has_fragment: The file ends in the middle of a page.
    """

    frames: int
    has_fragment: bool

    def __str__(self) -> str:
        """Say what happened and what it means."""
        return (
            "the ledger's end is torn (a crash or a power cut while it was written): "
            "calls whose record is not whole are made again"
        )


def torn_tail(db: sqlite3.Connection, path: Path) -> TornTail | None:
    """Return what the log holds beyond what SQLite accepts; None: nothing.

    Args:
        db: An open connection to the ledger.
        path: The ledger; its log lies beside it.
    """
    log = path.with_name(f"{path.name}-wal")
    frames, has_fragment = _written(log)
    _, accepted, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    beyond = max(0, frames - max(0, accepted))
    return TornTail(beyond, has_fragment) if beyond or has_fragment else None


def _written(log: Path) -> tuple[int, bool]:
    """Return the number of this log's frames in the file, and whether it ends within one."""
    data = log.read_bytes() if log.is_file() else b""
    if len(data) < _HEADER:
        return 0, bool(data)
    size = int.from_bytes(data[8:12], "big") + _FRAME_HEADER
    salts = data[16:24]
    starts = range(_HEADER, len(data) - size + 1, size)
    count = next((i for i, at in enumerate(starts) if data[at + 8 : at + 16] != salts), len(starts))
    fragment = data[_HEADER + count * size :]
    return count, count == len(starts) and bool(fragment) and fragment[8:16] == salts
