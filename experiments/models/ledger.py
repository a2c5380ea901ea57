"""The ledger: every finished call of a run, on disk before its reply is handed on.

A run that starts again asks the same questions and finds the answers here, so a finished call is
paid once. What was paid and not used (a hedged call's loser, a reply that had to be asked for
again) stands beside it, so the ledger's sums are the run's bill.
"""

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.models.transports.protocol import Request
from autoevol.program.calls import CallRecord
from autoevol.program.errors import ConfigError, StorageError

VERSION = 3
"""Version 2 had no confidence; such a ledger gets the column."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key BLOB PRIMARY KEY, role TEXT, model TEXT, text TEXT, is_truncated INTEGER,
    tokens_in INTEGER, tokens_cached INTEGER, shared_tokens INTEGER, tokens_out INTEGER,
    seconds REAL, cost_usd REAL, at REAL, confidence REAL);
CREATE TABLE IF NOT EXISTS discarded (
    why TEXT, role TEXT, model TEXT, is_estimated INTEGER,
    tokens_in INTEGER, tokens_cached INTEGER, tokens_out INTEGER, cost_usd REAL, at REAL);
"""
_IN_USE, _CLOSED = 0x41450001, 0x41450002
"""SQLite's `application_id` while a process writes and after it has closed the file; a ledger of an
earlier version has neither."""

UNCLEAN = (
    "the process that wrote it last did not end cleanly (a kill, a crash, a power cut); "
    "calls whose record is not whole are made again"
)

_FROM_VERSION_2 = """
BEGIN; ALTER TABLE calls ADD COLUMN confidence REAL; PRAGMA user_version=3; COMMIT;
"""
_COLUMNS = (
    "role, model, text, is_truncated, tokens_in, tokens_cached, shared_tokens, tokens_out, "
    "seconds, cost_usd, confidence"
)


@dataclass(frozen=True, slots=True)
class Discarded:
    """A call that was paid and whose reply was not used.

    Attributes:
        why: "hedged": another try was faster; "empty" or "cut off": it was asked for again.
        is_estimated: The provider did not say what the call used.
        cost_usd: None when the model's price is unknown.
    """

    why: str
    role: str
    model: str
    is_estimated: bool
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Sums:
    """What the finished calls of one role used."""

    role: str
    calls: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    cost_usd: float
    unpriced: int


def ledger_key(identity: str, call: Request, params: dict[str, Any], draw: int) -> bytes:
    """Return the key of a call: endpoint, messages, sampling, response format, and draw."""
    content = [identity, {**call.body(), "seed": None}, params, draw]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Ledger:
    """Finished calls by key, in SQLite; used from one event loop.

    Attributes:
        is_unclean: The process that wrote it last died before it could close it.

    Raises:
        ConfigError: The file is no ledger, is damaged, or is of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_unclean = False
        self._pending: dict[str, list[tuple[Any, ...]]] = {}
        self._committed: asyncio.Future[None] | None = None
        try:
            self._open(path)
        except sqlite3.DatabaseError as error:
            raise ConfigError(
                str(path), f"is no sound ledger ({error}); start anew with --fresh"
            ) from error

    def _open(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self.is_unclean = self._db.execute("PRAGMA application_id").fetchone()[0] == _IN_USE
        _check_version(self._db, path)
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        self._db.executescript(
            f"{_SCHEMA} PRAGMA user_version={VERSION}; PRAGMA application_id={_IN_USE};"
        )

    def get(self, key: bytes) -> CallRecord | None:
        """Return a finished call, marked as replayed."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM calls WHERE key=?", (key,)).fetchone()
        if row is None:
            return None
        role, model, text, is_truncated, *rest = row
        tokens_in, tokens_cached, shared, tokens_out, seconds, cost, confidence = rest
        return CallRecord(
            role=role,
            model=model,
            text=text,
            is_truncated=bool(is_truncated),
            is_replayed=True,
            tokens_in=tokens_in,
            tokens_cached=tokens_cached,
            shared_tokens=shared,
            tokens_out=tokens_out,
            seconds=seconds,
            cost_usd=cost,
            confidence=confidence,
        )

    async def put(self, key: bytes, record: CallRecord) -> None:
        """Keep a finished call; it is on disk when this returns.

        Raises:
            StorageError: It could not be written.
        """
        r = record
        text = (r.role, r.model, r.text, r.is_truncated)
        usage = (r.tokens_in, r.tokens_cached, r.shared_tokens, r.tokens_out)
        values = (key, *text, *usage, r.seconds, r.cost_usd, time.time(), r.confidence)
        await self._written("calls", values)

    async def discard(self, lost: Discarded) -> None:
        """Keep what a call cost whose reply is not used.

        Raises:
            StorageError: It could not be written.
        """
        what = (lost.why, lost.role, lost.model, lost.is_estimated)
        usage = (lost.tokens_in, lost.tokens_cached, lost.tokens_out)
        values = (*what, *usage, lost.cost_usd, time.time())
        await self._written("discarded", values)

    def sums(self) -> list[Sums]:
        """Return what the finished calls used, by role."""
        return list(_sums(self._db, "calls"))

    def discarded_sums(self) -> list[Sums]:
        """Return what the discarded calls used, by role."""
        return list(_sums(self._db, "discarded"))

    def close(self) -> None:
        """Close the file; nothing may be under way."""
        with contextlib.suppress(sqlite3.Error):  # a full disk was told of when it was met
            self._db.execute(f"PRAGMA application_id={_CLOSED}")
        self._db.close()

    async def _written(self, table: str, values: tuple[Any, ...]) -> None:
        """Write a row with all others of this turn of the event loop.

        The loop waits for the disk: what arrives meanwhile makes the next group, so groups grow
        with the disk's latency. A thread of its own would be slower, for the loop's work would keep
        it from the interpreter's lock.
        """
        self._pending.setdefault(table, []).append(values)
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            loop.call_soon(self._commit, self._committed)
        await asyncio.shield(self._committed)

    def _commit(self, committed: "asyncio.Future[None]") -> None:
        batch, self._pending, self._committed = self._pending, {}, None
        try:
            self._db.execute("BEGIN")
            for table, rows in batch.items():
                self._insert(table, rows)
            self._db.execute("COMMIT")
        except (sqlite3.Error, ValueError, OverflowError) as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            problem = f"{self.path}: cannot be written: {error}"
            committed.set_exception(StorageError(problem))
        else:
            committed.set_result(None)

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(rows[0]))
        self._db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)


def read_sums(path: Path) -> list[Sums]:
    """Return what the finished calls of an earlier try used; empty without a ledger to read."""
    if not path.is_file():
        return []
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return list(_sums(db, "calls"))
    except sqlite3.DatabaseError:  # the run itself says what is wrong with it
        return []
    finally:
        db.close()


def _sums(db: sqlite3.Connection, table: str) -> Iterator[Sums]:
    rows = db.execute(
        f"SELECT role, count(*), sum(tokens_in), sum(tokens_out), sum(tokens_cached), "
        f"total(cost_usd), sum(cost_usd IS NULL) FROM {table} GROUP BY role ORDER BY min(rowid)"
    )
    return (Sums(*row) for row in rows)


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found == VERSION - 1:
        db.executescript(_FROM_VERSION_2)
    elif found not in (0, VERSION):
        raise ConfigError(
            str(path), f"is of version {found}, this is {VERSION}; start anew with --fresh"
        )
