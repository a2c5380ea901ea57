"""Group commits: the rows of many calls in one transaction."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoevol.program.errors import StorageError


class GroupCommit:
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
