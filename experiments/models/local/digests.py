"""The SHA-256 of large files, computed again only when a file has changed."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

_BLOCK = 1 << 22
"""Bytes read at once: a model may be larger than the free memory."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def recorded_sha256(path: Path, records: Path) -> str:
    """Return the SHA-256 of a file; the one on record while its size and time are the same.

    Args:
        path: Of the file.
        records: Folder of the records, made if there is none; without it nothing is recorded.
    """
    record = records / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.json"
    state = _state_of(path)
    with contextlib.suppress(OSError, ValueError, TypeError):
        size_and_time, digest = json.loads(record.read_text("utf-8"))
        if size_and_time == state:
            return str(digest)
    digest = sha256_of(path)
    # A cache that cannot be written costs the time to read the file again, nothing else.
    with contextlib.suppress(OSError):
        _write(record, json.dumps([state, digest]))
    return digest


def _state_of(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _write(record: Path, text: str) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    # Several processes may start with one new model: each writes a file of its own and renames it.
    partial = record.with_suffix(f".{os.getpid()}")
    partial.write_text(text, "utf-8")
    partial.replace(record)
