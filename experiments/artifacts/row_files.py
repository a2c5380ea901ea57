"""The files of rows, written as rows are finished and put into canonical order at the end.

A resumed run makes all rows again, from its ledger. A reader of its files sees the earlier try's
rows until all of them are there again.
"""

import contextlib
import itertools
import json
import os
import struct
import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from autoevol.experiments.artifacts.summary import SUMMARY
from autoevol.experiments.files.atomic import PARTIAL, whole_path
from autoevol.experiments.files.json_text import as_json
from autoevol.program.errors import ConfigError, StorageError
from autoevol.program.records import Outcome, Status

EVOLVED, FAILURES, UNSCORED = "evolved.jsonl", "failures.jsonl", "unscored.jsonl"
SURPLUS = "surplus.jsonl"
"""Kept rows beyond the number that was asked for."""

REJECTED = "rejected.jsonl"
"""Records of the data set that make no row."""

COUNTED = {EVOLVED: "rows_out", FAILURES: "rows_failed"}
"""The figure of `summary.json` that counts a file's rows."""

_NAMES: dict[Status, str] = {"kept": EVOLVED, "failed": FAILURES, "unscored": UNSCORED}


@contextlib.contextmanager
def row_files(folder: Path, live: Path | None = None) -> Iterator["RowWriter"]:
    """Open the files of rows of a folder; leaving the block puts them into canonical order.

    `unscored.jsonl` is made only when there are unscored rows. After an error, finished rows are
    there in the order in which they were finished.

    Args:
        folder: Of a run, or of a part of one.
        live: Another folder whose files get each row, too, behind those that they have; None: none.
    """
    # An earlier try's file would name rows that are scored by now.
    (folder / UNSCORED).unlink(missing_ok=True)
    (folder / SURPLUS).unlink(missing_ok=True)
    writer = RowWriter(folder, live)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise
    writer.finish()


def check_rows(folder: Path, summary: Mapping[str, Any], name: str = EVOLVED) -> None:
    """Check that a file of a finished run has as many rows as its summary counts.

    Args:
        folder: The run's.
        summary: Its figures.
        name: Of the file, a key of `COUNTED`.

    Raises:
        ConfigError: Rows are missing.
    """
    counted = summary.get(COUNTED[name])
    try:
        with (folder / name).open("rb") as lines:
            rows = sum(1 for line in lines if line.strip())
    except OSError as error:
        raise ConfigError(str(folder / name), f"cannot be read: {error.strerror}") from error
    if isinstance(counted, int) and rows < counted:
        raise ConfigError(
            str(folder / name),
            f"has {rows} rows, {SUMMARY} counts {counted}; `autoevol run` with the run's config "
            "makes the file again from the ledger",
        )


def cut_surplus(folder: Path, target: int, counts: Callable[[Mapping[str, Any]], bool]) -> int:
    """Move the rows after the first `target` that count to a file of their own.

    Args:
        folder: The run's; its rows are in canonical order.
        target: How many rows that count stay.
        counts: Tells whether a row counts.

    Returns:
        The number of rows that were moved.
    """
    (folder / SURPLUS).unlink(missing_ok=True)
    left, moved = target, 0
    with (
        whole_path(folder / EVOLVED) as kept,
        whole_path(folder / SURPLUS) as surplus,
        (folder / EVOLVED).open("rb") as rows,
        kept.open("wb") as first,
        surplus.open("wb") as rest,
    ):
        for line in rows:
            (first if left else rest).write(line)
            moved += not left
            left -= bool(left and counts(json.loads(line)))
    if not moved:
        (folder / SURPLUS).unlink()
    return moved


class RowWriter:
    """Writes each row as it is finished, to the file that it belongs to.

    Args:
        folder: See `row_files`.
        live: See `row_files`.
    """

    def __init__(self, folder: Path, live: Path | None = None) -> None:
        self._folder, self._live = folder, live
        self._copies: dict[str, BinaryIO] = {}
        self._files = {name: _RowFile(folder / name) for name in (EVOLVED, FAILURES)}

    def __call__(self, outcome: Outcome) -> None:
        """Append one row.

        Raises:
            StorageError: The disk is full, or the folder cannot be written.
        """
        name = _NAMES[outcome.status]
        try:
            if name not in self._files:
                self._files[name] = _RowFile(self._folder / name)
            line = self._files[name].append(outcome)
            if self._live is not None:
                self._copy(self._live / name, line)
        except OSError as error:
            raise StorageError(f"{self._folder}: cannot be written: {error.strerror}") from error

    def _copy(self, target: Path, line: bytes) -> None:
        if target.name not in self._copies:
            self._copies[target.name] = target.open("ab")
        self._copies[target.name].write(line)
        self._copies[target.name].flush()

    def _close_copies(self) -> None:
        with contextlib.suppress(OSError):
            for file in self._copies.values():
                file.close()

    def finish(self) -> None:
        """Close the files, and put their rows into canonical order."""
        self._close_copies()
        for file in self._files.values():
            file.finish()

    def reopen(self) -> None:
        """Open files that are in order for further rows, which come after those that are there."""
        for file in self._files.values():
            file.reopen()

    def abandon(self) -> None:
        """Close the files of a run that stops early."""
        self._close_copies()
        for file in self._files.values():
            file.abandon()


class _RowFile:
    """One file of rows.

    While an earlier try's rows are not all there again, it grows under another name.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._missing = _ids_in(target)
        self._path = _partial_beside(target) if self._missing else target
        self._file = self._path.open("wb")
        # Keys and offsets alone are in memory: a run may have more rows than memory holds.
        self._keys: list[bytes] = []
        self._offsets = array("q")
        self._size = 0

    def append(self, outcome: Outcome) -> bytes:
        line = as_json(outcome.as_dict(), is_repaired=True).encode() + b"\n"
        self._file.write(line)
        # Row by row, so that a kill leaves whole rows.
        self._file.flush()
        self._keys.append(_sort_key(outcome.place))
        self._offsets.append(self._size)
        self._size += len(line)
        if self._missing:
            self._missing.discard(outcome.row.id)
            if not self._missing:
                self._move_into_place()
        return line

    def finish(self) -> None:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        ordered = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        if ordered == list(range(len(ordered))):
            if self._path != self._target:
                self._path.replace(self._target)
                self._path = self._target
            return
        with (
            self._path.open("rb") as rows,
            whole_path(self._target) as partial,
            partial.open("wb") as file,
        ):
            for number in ordered:
                rows.seek(self._offsets[number])
                file.write(rows.readline())
            file.flush()
            os.fsync(file.fileno())
        self._keys.sort()  # the file is in order now, should it be finished once more
        if self._path != self._target:
            self._path.unlink()
            self._path = self._target

    def reopen(self) -> None:
        # Marks and figures may have been written into the rows, so they lie elsewhere by now.
        with self._target.open("rb") as lines:
            sizes = [len(line) for line in lines]
        self._offsets = array("q", itertools.accumulate([0, *sizes[:-1]]) if sizes else ())
        self._size = sum(sizes)
        self._missing, self._path = set(), self._target
        self._file = self._target.open("ab")

    def abandon(self) -> None:
        # On a full disk the last row is still in the buffer, and closing tries to write it again.
        with contextlib.suppress(OSError):
            self._file.close()
        if self._path != self._target:
            self._path.unlink(missing_ok=True)

    def _move_into_place(self) -> None:
        # Closed first: Windows renames no file that is open.
        self._file.close()
        self._path.replace(self._target)
        self._path = self._target
        self._file = self._path.open("ab")


def _sort_key(place: tuple[int, ...]) -> bytes:
    """Return bytes that sort as the places do, in a third of their memory."""
    return struct.pack(f">{len(place)}I", *place)


def _partial_beside(target: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=PARTIAL)
    os.close(handle)
    path = Path(name)
    path.chmod(0o644)  # mkstemp gives 0600: nobody else could read the file
    return path


def _ids_in(file: Path) -> set[str]:
    """Return the ids of the rows in an earlier try's file; what a crash has damaged is left out."""
    if not file.is_file():
        return set()
    with file.open("rb") as lines:
        return {identity for line in lines if (identity := _id_in(line))}


def _id_in(line: bytes) -> str | None:
    try:
        identity = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return identity if isinstance(identity, str) else None
