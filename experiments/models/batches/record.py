"""Which batches a run has sent, and what came of them, in SQLite.

The intent is on disk before anything is sent, and a result before it is used. So after a kill at
any moment a batch is found again, here or at the provider, and no request is paid twice.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.models.batches.provider import BatchResult
from autoevol.program.errors import ConfigError, StorageError

BATCHES = "batches.sqlite"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    token TEXT PRIMARY KEY, role TEXT, model TEXT, at REAL, file_id TEXT, batch_id TEXT,
    is_ended INTEGER DEFAULT 0, results TEXT DEFAULT '', is_cleared INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS items (
    custom_id TEXT, token TEXT, status INTEGER, body TEXT, is_used INTEGER DEFAULT 0,
    PRIMARY KEY (custom_id, token));
CREATE INDEX IF NOT EXISTS items_of ON items (token);
"""


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch of a run.

    Attributes:
        token: Ours; the provider's copy carries it, so that it is found after a kill.
        requests: How many it has.
        file_id: Of its requests at the provider; None: they are not known to be there.
        batch_id: The provider's; None: it is not known to be there.
        is_ended: Its results are here.
        is_cleared: Its files were deleted at the provider, or are to stay.
        result_files: Ids of the files with its results there, a line each.
    """

    token: str
    role: str
    model: str
    at: float
    requests: int
    file_id: str | None
    batch_id: str | None
    is_ended: bool
    is_cleared: bool
    result_files: str

    @property
    def files(self) -> list[str]:
        """Ids of all its files at the provider, as far as they are known."""
        return [file for file in (self.file_id, *self.result_files.split()) if file]


@dataclass(frozen=True, slots=True)
class Item:
    """A request of a batch whose result has not been used.

    Attributes:
        token: Of its batch.
        is_ended: The batch has ended.
        result: What came of it; None: nothing, or nothing yet.
    """

    token: str
    is_ended: bool
    result: BatchResult | None


class BatchRecord:
    """The batches of a run.

    Args:
        path: Of the file; made with the first batch.

    Raises:
        ConfigError: The file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._db = _Database(path)

    def begin(self, token: str, role: str, model: str, custom_ids: Sequence[str]) -> None:
        """Note a batch that is going to be sent."""
        rows = [(custom_id, token) for custom_id in custom_ids]
        with self._db.writing() as db:
            db.execute(
                "INSERT INTO batches (token, role, model, at) VALUES (?, ?, ?, ?)",
                (token, role, model, time.time()),
            )
            db.executemany("INSERT INTO items (custom_id, token) VALUES (?, ?)", rows)

    def placed(
        self, token: str, *, file_id: str | None = None, batch_id: str | None = None
    ) -> None:
        """Note that the requests of a batch, or the batch itself, are at the provider."""
        self._db.execute(
            "UPDATE batches SET file_id=coalesce(?, file_id), batch_id=coalesce(?, batch_id) "
            "WHERE token=?",
            (file_id, batch_id, token),
        )

    def drop(self, token: str) -> None:
        """Forget a batch that the provider does not have."""
        with self._db.writing() as db:
            db.execute("DELETE FROM items WHERE token=?", (token,))
            db.execute("DELETE FROM batches WHERE token=?", (token,))

    def ended(
        self, token: str, results: Iterable[BatchResult], files: Sequence[str] = ()
    ) -> list[str]:
        """Note the end of a batch with its results and their files; return its requests' ids.

        Requests without a result got none.
        """
        rows = [(one.status, json.dumps(one.body), one.custom_id, token) for one in results]
        with self._db.writing() as db:
            db.executemany("UPDATE items SET status=?, body=? WHERE custom_id=? AND token=?", rows)
            db.execute(
                "UPDATE batches SET is_ended=1, results=? WHERE token=?", ("\n".join(files), token)
            )
        items = self._db.rows("SELECT custom_id FROM items WHERE token=?", (token,))
        return [custom_id for (custom_id,) in items]

    def cleared(self, token: str) -> None:
        """Note that nothing of a batch is left to delete at the provider."""
        self._db.execute("UPDATE batches SET is_cleared=1 WHERE token=?", (token,))

    def used(self, custom_id: str, token: str) -> None:
        """Note that the ledger has the result of a request, or that it is asked again."""
        self._db.execute(
            "UPDATE items SET is_used=1, body=NULL WHERE custom_id=? AND token=?",
            (custom_id, token),
        )

    def batches(self, role: str | None = None) -> list[SentBatch]:
        """Return the batches, of one role or of all, oldest first."""
        rows = self._db.rows(
            """SELECT b.token, b.role, b.model, b.at, count(i.token), b.file_id, b.batch_id,
            b.is_ended != 0, b.is_cleared != 0, b.results FROM batches b
            LEFT JOIN items i ON i.token=b.token
            WHERE ? IS NULL OR b.role=? GROUP BY b.token ORDER BY b.at""",
            (role, role),
        )
        return [SentBatch(*row) for row in rows]

    def find(self, custom_id: str) -> Item | None:
        """Return a request that is in a batch and whose result has not been used."""
        rows = self._db.rows(
            """SELECT i.token, b.is_ended, i.status, i.body FROM items i
            JOIN batches b ON b.token=i.token WHERE i.custom_id=? AND i.is_used=0""",
            (custom_id,),
        )
        for token, is_ended, status, body in rows:
            result = BatchResult(custom_id, status, json.loads(body)) if body is not None else None
            return Item(token, bool(is_ended), result)
        return None

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class _Database:
    """The file, made when something is first written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        if path.is_file():
            self._opened()

    def rows(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return [] if self._db is None else self._db.execute(query, values).fetchall()

    def execute(self, statement: str, values: tuple[Any, ...]) -> None:
        with self.writing() as db:
            db.execute(statement, values)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block writes, on disk when it ends.

        Raises:
            StorageError: It could not be written.
        """
        db = self._opened()
        try:
            with db:
                yield db
        except sqlite3.Error as error:
            raise StorageError(f"the record of batches cannot be written: {error}") from error

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._path.touch(mode=0o600)  # prompts are the user's own
            try:
                self._db = sqlite3.connect(self._path, check_same_thread=False)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_SCHEMA)
            except sqlite3.DatabaseError as error:
                raise ConfigError(str(self._path), f"is no record of batches: {error}") from error
        return self._db


def read_batches(path: Path) -> list[SentBatch]:
    """Return the batches of a run's folder.

    Raises:
        ConfigError: The record is damaged.
    """
    with closing(BatchRecord(path)) as record:
        return record.batches()


def forget_unplaced(path: Path) -> int:
    """Forget the batches that are not known to be at a provider; return how many they are.

    Raises:
        ConfigError: The record is damaged.
    """
    with closing(BatchRecord(path)) as record:
        unplaced = [batch for batch in record.batches() if not batch.batch_id]
        for batch in unplaced:
            record.drop(batch.token)
        return len(unplaced)
