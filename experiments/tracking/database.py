"""A store that is an SQLite file: checked before MLflow opens it, and created by one process."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from autoevol.program.errors import AutoEvolError

_SQLITE = "sqlite:///"
_HEADER = b"SQLite format 3\x00"
LOCK_S = 10.0
"""The longest wait for a database that another process has locked."""
CREATION_S = 60.0
"""The longest wait for another process that creates the database."""


class TrackingError(AutoEvolError):
    """The store of `mlflow.yaml` cannot be used; a run goes on without it."""


def without_password(text: str) -> str:
    """Return an address, or a message with one, without the user and the password in it."""
    return re.sub(r"//[^/@\s]+@", "//", text)


def database_file(uri: str) -> Path | None:
    """Return the file of an SQLite store; None: the store is another one."""
    is_file = uri.startswith(_SQLITE) and len(uri) > len(_SQLITE)
    return Path(uri.removeprefix(_SQLITE).partition("?")[0]) if is_file else None


def foreign_content(file: Path) -> str | None:
    """Return why an existing file is no SQLite database; None: it is one, empty, or not there."""
    try:
        with file.open("rb") as content:
            header = content.read(len(_HEADER))
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}"
    return None if header in (b"", _HEADER) else f"{file} is not an SQLite database"


def check_database(file: Path) -> None:
    """Read from an existing database.

    MLflow itself tries again for most of an hour before it reports a file that it cannot open.

    Raises:
        TrackingError: The file is no database, or another process keeps it locked.
    """
    problem = foreign_content(file)
    if problem:
        raise TrackingError(problem)
    if not file.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=LOCK_S)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise TrackingError(f"{file}: {error}") from error


@contextlib.contextmanager
def creating(file: Path | None) -> Iterator[None]:
    """Let one process at a time create the database and its experiment."""
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock", timeout=CREATION_S):
        yield


def identity(file: Path | None) -> tuple[int, int] | None:
    """Return what tells a database file from one that replaces it; None: there is no file."""
    # A database that was deleted takes what is written to it, and all of it is lost.
    try:
        status = file.stat() if file else None
    except FileNotFoundError:
        return None
    return (status.st_dev, status.st_ino) if status else None
