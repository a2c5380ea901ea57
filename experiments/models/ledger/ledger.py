"""Finished calls by key, on disk before their replies are used."""

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.models.ledger.commits import GroupCommit
from autoevol.experiments.models.ledger.database import CLOSED, open_database, opened_to_read
from autoevol.experiments.models.ledger.sums import Bill, sums_of
from autoevol.experiments.models.transports.protocol import Request
from autoevol.program.calls import CallRecord
from autoevol.program.errors import ConfigError, StorageError

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
class LedgerSettings:
    """Which ledger a run uses, and how.

    Attributes:
        path: Of the file; made if there is none.
        greedy_draws: Whether calls that differ in their draw alone are two at temperature 0.
        lenders: Ledgers of other runs, whose finished calls are used and not paid again.
        parts: Bills of ledgers that hold a part of the run's calls each.
        further: Ledgers of parts, where calls are looked up, too.
    """

    path: Path
    greedy_draws: bool = True
    lenders: Sequence[Path] = ()
    parts: Sequence[Bill] = ()
    further: Sequence[Path] = ()


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
        parts: Bills of the run's ledgers of parts, as they were before this try.
        further: Ledgers of parts, read only, where calls are looked up, too.

    Attributes:
        is_unclean: The process that wrote it last died before it could close it.

    Raises:
        ConfigError: The file is no ledger, is damaged, or is of another version.
    """

    def __init__(
        self,
        path: Path,
        lenders: Sequence[Path] = (),
        parts: Sequence[Bill] = (),
        further: Sequence[Path] = (),
    ) -> None:
        self._db, self.is_unclean = open_database(path)
        self._parts = parts
        self._part: Ledger | None = None
        self._commits = GroupCommit(self._db, path)
        self._lenders = [db for lender in lenders for db in opened_to_read(lender)]
        self._further = [db for part in further for db in opened_to_read(part)]
        # Few runs have borrowed calls, and each look for one costs as much as that for a call.
        self._tables = ("calls", "borrowed") if self._lenders or self.borrowed else ("calls",)

    def get(self, key: bytes) -> CallRecord | None:
        """Return a finished call of this run, its own or borrowed, marked as replayed."""
        if self._part is not None and (record := self._part.get(key)):
            return record
        for table in self._tables:
            if record := _record(self._db, table, key):
                return record
        records = (_record(db, "calls", key) for db in self._further)
        return next(filter(None, records), None)

    def use_part(self, path: Path | None) -> None:
        """Look drawn calls up in a ledger of a part, too, and store them there from now on.

        Args:
            path: Of the file; None: no longer. No write may be under way.

        Raises:
            ConfigError: As for a ledger of a run.
        """
        if self._part is not None:
            self._part.close()
        self._part = None if path is None else _part_of(path)

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

    async def put(self, key: bytes, record: CallRecord, *, is_of_part: bool = True) -> None:
        """Store a finished call; it is on disk when this returns.

        Args:
            key: Of the call.
            record: The call.
            is_of_part: No other part of the run asks the same.

        Raises:
            StorageError: It could not be written.
        """
        if self._part is not None and is_of_part:
            await self._part.put(key, record)
        else:
            await self._commits.insert("calls", _values(key, record))

    async def put_discarded(self, reply: DiscardedReply) -> None:
        """Store what an unused reply cost; it is on disk when this returns.

        Raises:
            StorageError: It could not be written.
        """
        if self._part is not None:
            await self._part.put_discarded(reply)
            return
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

    def bill(self) -> Bill:
        """Return what finished calls and unused replies used, those of parts included."""
        own = Bill(tuple(sums_of(self._db, "calls")), tuple(sums_of(self._db, "discarded")))
        return Bill(
            tuple(sums for bill in (own, *self._parts) for sums in bill.finished),
            tuple(sums for bill in (own, *self._parts) for sums in bill.discarded),
        )

    def close(self) -> None:
        """Close the file; no write may be under way."""
        self.use_part(None)
        with contextlib.suppress(
            sqlite3.Error
        ):  # a full disk was reported by the write that met it
            self._db.execute(f"PRAGMA application_id={CLOSED}")
        for db in (self._db, *self._lenders, *self._further):
            db.close()


def _part_of(path: Path) -> Ledger:
    try:
        return Ledger(path)
    except ConfigError as error:
        problem = error.problem.partition("; ")[0]
        raise ConfigError(
            error.where, f"{problem}; remove this file, whose calls are made again"
        ) from error


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
