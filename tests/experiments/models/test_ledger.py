"""The ledger: what is in it survives, and damage is reported."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.ledger import DiscardedReply, Ledger, ledger_key, read_bill
from autoevol.experiments.models.transports.protocol import Request
from autoevol.program.calls import CallRecord
from autoevol.program.errors import ConfigError, StorageError
from tests.conftest import REPOSITORY

REQUEST = Request(({"role": "user", "content": "Why?"},), temperature=0.5, max_tokens=9)


def record(text: str = "Because.", *, cost: float | None = 0.5) -> CallRecord:
    return CallRecord(
        role="evolver",
        model="m",
        text=text,
        is_truncated=True,
        is_replayed=False,
        tokens_in=10,
        tokens_cached=4,
        shared_tokens=7,
        tokens_out=2,
        seconds=0.25,
        cost_usd=cost,
    )


def filled(path: Path, calls: int, text: str = "Because.") -> Ledger:
    ledger = Ledger(path)

    async def fill() -> None:
        await asyncio.gather(*(ledger.put(b"%d" % i, record(text)) for i in range(calls)))

    asyncio.run(fill())
    return ledger


def test_what_was_put_is_found_again_as_replayed(tmp_path: Path) -> None:
    filled(tmp_path / "ledger.sqlite", 3).close()
    ledger = Ledger(tmp_path / "ledger.sqlite")
    stored = ledger.get(b"2")
    ledger.close()
    assert stored is not None
    assert stored.is_replayed
    assert (stored.text, stored.tokens_out, stored.cost_usd) == ("Because.", 2, 0.5)
    assert stored.is_truncated
    assert not ledger.is_unclean


def test_a_put_returns_after_its_commit(tmp_path: Path) -> None:
    """Another connection, which sees committed rows alone, finds the call at once."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    other = sqlite3.connect(tmp_path / "ledger.sqlite")

    async def put_and_look() -> list[int]:
        seen = []
        for i in range(20):
            await ledger.put(b"%d" % i, record())
            seen.append(other.execute("SELECT count(*) FROM calls").fetchone()[0])
        return seen

    assert asyncio.run(put_and_look()) == list(range(1, 21))
    ledger.close()


def test_calls_that_finish_together_share_a_commit(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    statements: list[str] = []
    ledger._db.set_trace_callback(statements.append)

    async def fill() -> None:
        await asyncio.gather(*(ledger.put(b"%d" % i, record()) for i in range(50)))

    asyncio.run(fill())
    assert statements.count("COMMIT") == 1
    ledger.close()


def test_only_its_owner_reads_a_ledger(tmp_path: Path) -> None:
    filled(tmp_path / "ledger.sqlite", 1).close()
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o077 == 0


def test_the_sums_are_the_bill(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "ledger.sqlite", 3)
    lost = DiscardedReply("hedged", "evolver", "m", True, 10, 0, 5, None)
    asyncio.run(ledger.put_discarded(lost))
    bill = ledger.bill()
    (paid,), (discarded,) = bill.finished, bill.discarded
    ledger.close()
    assert (paid.calls, paid.tokens_in, paid.tokens_out, paid.cost_usd) == (3, 30, 6, 1.5)
    assert (discarded.calls, discarded.tokens_out, discarded.unpriced) == (1, 5, 1)
    assert read_bill(tmp_path / "ledger.sqlite").finished == (paid,)
    assert read_bill(tmp_path / "none.sqlite").finished == ()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("there", REQUEST, {}, 1), id="endpoint"),
        pytest.param(("here", Request(REQUEST.messages, temperature=0.6), {}, 1), id="sampling"),
        pytest.param(("here", REQUEST, {"top_k": 4}, 1), id="params"),
        pytest.param(("here", REQUEST, {}, 2), id="draw"),
    ],
)
def test_the_ledger_key_knows_everything_that_matters(other: Any) -> None:
    assert ledger_key("here", REQUEST, {}, 1) != ledger_key(*other)


def test_half_a_surrogate_pair_has_a_key() -> None:
    broken = Request(({"role": "user", "content": "\ud83d"},))
    assert ledger_key("here", broken, {}, 1) != ledger_key("here", REQUEST, {}, 1)


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("years of work, but no database" * 100)
    with pytest.raises(ConfigError, match="--fresh"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    db.execute("PRAGMA user_version=99")
    db.commit()
    db.close()
    with pytest.raises(ConfigError, match="99"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_of_the_version_before_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path, 2, "Because.").close()
    with sqlite3.connect(path) as db:
        for column in ("confidence", "thinking", "problem", "is_estimated"):
            db.execute(f"ALTER TABLE calls DROP COLUMN {column}")
        db.execute("PRAGMA user_version=2")
    assert [sums.calls for sums in read_bill(path).finished] == [2], "read before it is upgraded"
    ledger = Ledger(path)
    assert calls_in(ledger) == 2
    put = replace(record(), confidence=0.75, thinking="Hm.", problem="none", is_estimated=True)
    asyncio.run(ledger.put(b"new", put))
    new, old = ledger.get(b"new"), ledger.get(b"0")
    (sums,) = ledger.bill().finished
    ledger.close()
    assert new == replace(put, is_replayed=True)
    assert old == replace(record(), is_replayed=True)
    assert (sums.calls, sums.estimated) == (3, 1)
    Ledger(path).close()


def test_a_ledger_that_lost_its_second_half_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path, 200, "Because. " * 100).close()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ConfigError, match=r"no sound ledger.*--fresh"):
        Ledger(path)


WRITE_AND_DIE = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.experiments.models.test_ledger import filled, record
ledger = filled(Path(sys.argv[1]), 30)
async def fill():
    await asyncio.gather(*(ledger.put(b"late %d" % i, record()) for i in range(10)))
asyncio.run(fill())
os._exit(9)
"""
"""Two commits: of 30 calls and of 10."""


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """Return a ledger whose process died without closing it, so that its log still exists."""
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, "-c", WRITE_AND_DIE, str(path), str(REPOSITORY)]
    assert subprocess.run(command, check=False).returncode == 9
    assert log_of(path).stat().st_size > 0
    return path


def log_of(path: Path) -> Path:
    return path.with_name("ledger.sqlite-wal")


def calls_in(ledger: Ledger) -> int:
    return sum(sums.calls for sums in ledger.bill().finished)


def test_a_crash_after_the_commit_loses_nothing(crashed: Path) -> None:
    ledger = Ledger(crashed)
    assert calls_in(ledger) == 40
    assert ledger.is_unclean
    ledger.close()


def test_a_log_cut_within_a_record_keeps_what_is_whole(crashed: Path) -> None:
    with log_of(crashed).open("r+b") as log:
        log.truncate(log_of(crashed).stat().st_size - 1000)
    ledger = Ledger(crashed)
    assert ledger.is_unclean
    assert calls_in(ledger) == 30
    ledger.close()


def test_a_log_with_a_damaged_record_keeps_what_is_whole(crashed: Path) -> None:
    size = log_of(crashed).stat().st_size
    with log_of(crashed).open("r+b") as log:
        log.seek(size - 2000)
        log.write(b"noise" * 50)
    ledger = Ledger(crashed)
    assert ledger.is_unclean
    assert calls_in(ledger) == 30
    ledger.close()


def test_a_ledger_of_an_earlier_version_opens_as_before(crashed: Path) -> None:
    with closing(sqlite3.connect(crashed)) as db:
        db.execute("PRAGMA application_id=0")
    ledger = Ledger(crashed)
    assert not ledger.is_unclean
    assert calls_in(ledger) == 40
    ledger.close()


def test_a_full_disk_is_reported_and_nothing_is_stored(tmp_path: Path) -> None:
    """SQLite's own limit of pages gives the error that a full disk gives."""
    ledger = filled(tmp_path / "ledger.sqlite", 1)
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count={pages + 1}")
    with pytest.raises(StorageError, match="full"):
        asyncio.run(ledger.put(b"large", record("Because. " * 10_000)))
    ledger.close()
    again = Ledger(tmp_path / "ledger.sqlite")
    assert calls_in(again) == 1
    again.close()
