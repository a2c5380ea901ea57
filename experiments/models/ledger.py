"""The ledger: every finished call of a run, written before its reply is handed on.

A run that starts again asks the same questions and finds the answers here, so a finished call is
paid once.
"""

import hashlib
import json
import sqlite3
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.models.wire import Reply, WireCall
from program.errors import ConfigError

VERSION = 1


def ledger_key(identity: str, call: WireCall, params: dict[str, Any], draw: int) -> str:
    """Return the key of a call: endpoint, messages, sampling, response format, and draw."""
    content = [identity, {**call.body(), "seed": None}, params, draw]
    return hashlib.sha256(
        json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()


class Ledger:
    """Finished calls by key, in SQLite.

    Raises:
        ConfigError: The file is no ledger, or one of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, reply TEXT)")
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise ConfigError(str(path), f"is no usable ledger ({error}); use --fresh") from error
        if found not in (0, VERSION):
            raise ConfigError(str(path), f"is of version {found}, this is {VERSION}; use --fresh")
        self._db.execute(f"PRAGMA user_version={VERSION}")

    def get(self, key: str) -> Reply | None:
        """Return the reply of a finished call."""
        with self._lock:
            found = self._db.execute("SELECT reply FROM calls WHERE key=?", (key,)).fetchone()
        return Reply(**json.loads(found[0])) if found else None

    def put(self, key: str, reply: Reply) -> None:
        """Commit a reply; it is on disk when this returns."""
        with self._lock:
            self._db.execute(
                "INSERT OR IGNORE INTO calls VALUES (?, ?)",
                (key, json.dumps(asdict(reply), ensure_ascii=False)),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
