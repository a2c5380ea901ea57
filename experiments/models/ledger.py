"""The ledger: every finished call of a run, on disk before its reply is used.

A resumed run asks the same questions and finds the answers here, so a finished call is paid once.
Replies that were paid and not used (the loser of a hedge, an empty reply) are stored beside them,
so the ledger's sums are the run's bill. Calls that another run has paid are borrowed: they are
stored here too, and are no part of the bill.
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

VERSION = 4
"""Version 2 had no confidence, version 3 no thinking, problem and estimates; such a ledger gets the
columns."""
_CALLS = """
CREATE TABLE IF NOT EXISTS {table} (
    key BLOB PRIMARY KEY, role TEXT, model TEXT, text TEXT, is_truncated INTEGER,
    tokens_in INTEGER, tokens_cached INTEGER, shared_tokens INTEGER, tokens_out INTEGER,
    seconds REAL, cost_usd REAL, at REAL, confidence REAL,
    thinking TEXT, problem TEXT, is_estimated INTEGER);
"""
_SCHEMA = f"""
{_CALLS.format(table="calls")}
{_CALLS.format(table="borrowed")}
CREATE TABLE IF NOT EXISTS served (name TEXT PRIMARY KEY, model TEXT);
CREATE TABLE IF NOT EXISTS discarded (
    why TEXT, role TEXT, model TEXT, is_estimated INTEGER,
    tokens_in INTEGER, tokens_cached INTEGER, tokens_out INTEGER, cost_usd REAL, at REAL);
"""
_IN_USE, _CLOSED = 0x41450001, 0x41450002
"""SQLite's `application_id` while a process writes, and after it has closed the file.

A ledger of an earlier version has neither.
"""

UNCLEAN = (
    "the process that wrote it last did not end cleanly (a kill, a crash, a power cut); "
    "calls whose record is not whole are made again"
)
"""Message for the user about an unclean ledger; nothing has to be done."""

_MIGRATIONS = {
    2: "BEGIN; ALTER TABLE calls ADD COLUMN confidence REAL; PRAGMA user_version=3; COMMIT;",
    3: """BEGIN; ALTER TABLE calls ADD COLUMN thinking TEXT;
    ALTER TABLE calls ADD COLUMN problem TEXT;
    ALTER TABLE calls ADD COLUMN is_estimated INTEGER; PRAGMA user_version=4; COMMIT;""",
}
"""From each earlier version to the next one."""

_COLUMNS = (
    "role, model, text, is_truncated, tokens_in, tokens_cached, shared_tokens, tokens_out, "
    "seconds, cost_usd, confidence, thinking, problem, is_estimated"
)


@dataclass(frozen=True, slots=True)
class DiscardedReply:
    """What a reply cost that was paid and not used.

    Attributes:
        why: "hedged": the other request was faster; "empty" or "cut off": the call was retried.
        is_estimated: The request was cancelled, so the provider did not say what it used.
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
class LedgerSettings:
    """Which ledger a run uses, and how.

    Attributes:
        path: Of the file; made if there is none.
        greedy_draws: Whether calls that differ in their draw alone are two at temperature 0.
        lenders: Ledgers of other runs, whose finished calls are used and not paid again.
    """

    path: Path
    greedy_draws: bool = True
    lenders: Sequence[Path] = ()


def ledger_key(identity: str, request: Request, params: dict[str, Any], draw: int) -> bytes:
    """Return the key of a call: endpoint, messages, sampling, response format, and draw."""
    # Without the seed: it follows from the draw, and at temperature 0 there is none.
    content = [identity, {**request.body(), "seed": None}, params, draw]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    # Half a surrogate pair in a seed row has no UTF-8 form, but must have a key.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Ledger:
    """Finished calls by key, in SQLite; used from one event loop.

    Args:
        path: Of the file; made if there is none.
        lenders: Ledgers of other runs, read only; those that cannot be read lend nothing.

    Attributes:
        is_unclean: The process that wrote it last died before it could close it.

    Raises:
        ConfigError: The file is no ledger, is damaged, or is of another version.
    """

    def __init__(self, path: Path, lenders: Sequence[Path] = ()) -> None:
        self._db, self.is_unclean = open_database(path)
        self._commits = _GroupCommit(self._db, path)
        self._lenders = [db for lender in lenders for db in _opened_to_read(lender)]
        # Few runs have borrowed calls, and each look for one costs as much as that for a call.
        self._tables = ("calls", "borrowed") if self._lenders or self.borrowed else ("calls",)

    def get(self, key: bytes) -> CallRecord | None:
        """Return a finished call of this run, its own or borrowed, marked as replayed."""
        for table in self._tables:
            if record := _record(self._db, table, key):
                return record
        return None

    async def borrow(self, key: bytes) -> CallRecord | None:
        """Return a finished call of another run, stored here by then; None: there is none.

        Raises:
            StorageError: It could not be written.
        """
        for lender in self._lenders:
            if record := _record(lender, "calls", key):
                await self._commits.insert("borrowed", _values(key, record))
                return record
        return None

    @property
    def borrowed(self) -> int:
        """Finished calls that other runs have paid."""
        return int(self._db.execute("SELECT count(*) FROM borrowed").fetchone()[0])

    async def put(self, key: bytes, record: CallRecord) -> None:
        """Store a finished call; it is on disk when this returns.

        Raises:
            StorageError: It could not be written.
        """
        await self._commits.insert("calls", _values(key, record))

    async def put_discarded(self, reply: DiscardedReply) -> None:
        """Store what an unused reply cost; it is on disk when this returns.

        Raises:
            StorageError: It could not be written.
        """
        origin = (reply.why, reply.role, reply.model, reply.is_estimated)
        usage = (reply.tokens_in, reply.tokens_cached, reply.tokens_out)
        await self._commits.insert("discarded", (*origin, *usage, reply.cost_usd, time.time()))

    def served(self, name: str, model: str | None = None) -> str | None:
        """Return what servers have called a model so far; None: they were not asked.

        Args:
            name: Of the model, here.
            model: What they call it from now on; None: as before.

        Raises:
            StorageError: It could not be written.
        """
        row = self._db.execute("SELECT model FROM served WHERE name=?", (name,)).fetchone()
        if model is not None:
            try:
                self._db.execute("INSERT OR REPLACE INTO served VALUES (?, ?)", (name, model))
            except sqlite3.Error as error:
                raise StorageError(f"the ledger cannot be written: {error}") from error
        return str(row[0]) if row else None

    def sums(self) -> list[Sums]:
        """Return what the finished calls used, by role."""
        return list(_sums(self._db, "calls"))

    def discarded_sums(self) -> list[Sums]:
        """Return what the unused replies cost, by role."""
        return list(_sums(self._db, "discarded"))

    def close(self) -> None:
        """Close the file; no write may be under way."""
        with contextlib.suppress(
            sqlite3.Error
        ):  # a full disk was reported by the write that met it
            self._db.execute(f"PRAGMA application_id={_CLOSED}")
        for db in (self._db, *self._lenders):
            db.close()


def _record(db: sqlite3.Connection, table: str, key: bytes) -> CallRecord | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM {table} WHERE key=?", (key,)).fetchone()
    if row is None:
        return None
    role, model, text, is_truncated, *rest = row
    tokens_in, tokens_cached, shared, tokens_out, seconds, cost, confidence, *notes = rest
    thinking, problem, is_estimated = notes
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
        # None in a ledger of an earlier version.
        thinking=thinking or "",
        problem=problem or "",
        is_estimated=bool(is_estimated),
    )


def _values(key: bytes, record: CallRecord) -> tuple[Any, ...]:
    """Return a call as a row of the tables `calls` and `borrowed`."""
    r = record
    text = (r.role, r.model, r.text, r.is_truncated)
    usage = (r.tokens_in, r.tokens_cached, r.shared_tokens, r.tokens_out)
    notes = (r.thinking, r.problem, r.is_estimated)
    return (key, *text, *usage, r.seconds, r.cost_usd, time.time(), r.confidence, *notes)


def _opened_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield the connection to another run's ledger, if it is one of today's version."""
    if not path.is_file():
        return
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError:  # its own run reports it
        version = None
    if version == VERSION:
        yield db
    else:
        db.close()


class _GroupCommit:
    """Writes the rows of many calls in one transaction.

    A commit waits for the disk, so a commit for each call would bound the calls per second. Rows
    that arrive in one turn of the event loop share a commit.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._pending: dict[str, list[tuple[Any, ...]]] = {}
        self._committed: asyncio.Future[None] | None = None

    async def insert(self, table: str, values: tuple[Any, ...]) -> None:
        """Insert a row; it is on disk when this returns.

        Raises:
            StorageError: The group could not be written; none of its rows is stored.
        """
        self._pending.setdefault(table, []).append(values)
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            # The commit runs on the loop, which waits for the disk: replies that arrive meanwhile
            # make the next group, so groups grow with the disk's latency. A thread of its own was
            # slower (27 ms a put in the median): it had to wait for the interpreter's lock.
            loop.call_soon(self._commit, self._committed)
        # Shielded: a cancelled call must not cancel the future that the group's other calls await.
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
            committed.set_exception(StorageError(f"{self._path}: cannot be written: {error}"))
        else:
            committed.set_result(None)

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        # OR IGNORE: both requests of a hedge may bring a reply; the first one stored stays.
        marks = ", ".join("?" * len(rows[0]))
        self._db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)


def open_database(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Open a ledger's file; tell as well whether its last writer died before it could close it.

    Raises:
        ConfigError: The file is no ledger, is damaged, or is of another version.
    """
    try:
        return _open_checked(path)
    except sqlite3.DatabaseError as error:
        raise ConfigError(
            str(path), f"is no sound ledger ({error}); start anew with --fresh"
        ) from error


def _open_checked(path: Path) -> tuple[sqlite3.Connection, bool]:
    # Prompts and replies are the user's own; SQLite gives its log the mode of the file.
    path.touch(mode=0o600)
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    # A write-ahead log with FULL: a commit is on disk before the reply is used. After a kill SQLite
    # drops the log's torn end itself, back to the last whole commit; the calls lost with it are
    # made again, because no row that used them can have been written before.
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    # A torn end leaves no trace once the log is replayed, so the file itself says that it is open.
    is_unclean = db.execute("PRAGMA application_id").fetchone()[0] == _IN_USE
    _check_version(db, path)
    result = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        raise sqlite3.DatabaseError(result)
    db.executescript(f"{_SCHEMA} PRAGMA user_version={VERSION}; PRAGMA application_id={_IN_USE};")
    return db, is_unclean


def read_sums(path: Path) -> list[Sums]:
    """Return what the finished calls of an earlier try used, by role; empty without a ledger."""
    if not path.is_file():
        return []
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return list(_sums(db, "calls"))
    except sqlite3.DatabaseError:  # the run reports it when it opens the ledger
        return []
    finally:
        db.close()


def _sums(db: sqlite3.Connection, table: str) -> Iterator[Sums]:
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


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    while version in _MIGRATIONS:
        db.executescript(_MIGRATIONS[version])
        version += 1
    if version not in (0, VERSION):  # 0: SQLite's default, a new file
        raise ConfigError(
            str(path), f"is of version {version}, must be {VERSION}; start anew with --fresh"
        )
