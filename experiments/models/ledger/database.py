"""The file of a ledger: its tables, its versions, and whether its last writer ended cleanly."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from autoevol.program.errors import ConfigError

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
_IN_USE, CLOSED = 0x41450001, 0x41450002
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


def opened_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield the connection to another run's ledger, if it is one of today's version."""
    if not path.is_file():
        return
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        db = sqlite3.connect(address, uri=True, check_same_thread=False)
    except sqlite3.Error:  # its own run reports it
        return
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError:
        version = None
    if version == VERSION:
        yield db
    else:
        db.close()


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    while version in _MIGRATIONS:
        db.executescript(_MIGRATIONS[version])
        version += 1
    if version not in (0, VERSION):  # 0: SQLite's default, a new file
        raise ConfigError(
            str(path), f"is of version {version}, must be {VERSION}; start anew with --fresh"
        )
