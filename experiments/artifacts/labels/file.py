"""`labels.jsonl`: marks of a run's rows, a line each; the last line of a row counts.

A mark that was taken back is a line whose label is null. Lines are only ever added, so that no
mark is lost, whoever else writes to the file.
"""

import errno
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.paths import regular_file
from autoevol.program.errors import StorageError

LABELS = "labels.jsonl"
# The last two where the system has them: a link must not lead the line to another file, and a line
# ends in \n on Windows, too.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
_FLAGS |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
Label = Literal["good", "bad"]

KINDS: Mapping[str, tuple[str, ...]] = {
    "kinds": (
        *("unchanged", "easier", "answered", "leaked_answer", "prompt_leak", "changed_task"),
        *("lost_information", "contradiction_or_unsolvable", "language_drift", "refusal"),
        *("nonsense", "truncated", "bloated"),
    ),
    "response_kinds": (
        *("echo", "refusal", "asks_for_input", "dont_know", "continuation", "wrong_language"),
        *("nonsense", "wrong_answer"),
    ),
}
"""Kinds of failure of a rewrite and of its response; `docs/labelling.md` says what each means."""

UNSEEN_BY_F = frozenset(("wrong_answer",))
"""Kinds of failure that F does not look for: it verifies nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody said of a row.

    Attributes:
        key: Identifies the row, by its id and texts.
        label: None: the mark was taken back.
        line: The row and the mark, as the file holds them.
    """

    key: str
    label: Label | None
    line: Mapping[str, Any]

    @property
    def kinds(self) -> dict[str, list[str]]:
        """The kinds of failure that a bad row was given, by the keys of `KINDS`."""
        values = {key: self.line.get(key) for key in KINDS}
        return {key: list(map(str, v)) if isinstance(v, list) else [] for key, v in values.items()}

    @property
    def all_kinds(self) -> list[str]:
        """All of these kinds, each once."""
        return list(dict.fromkeys(kind for kinds in self.kinds.values() for kind in kinds))


def mark_of(text: bytes | str) -> Mark | None:
    """Return the mark of a line; None: it holds none, for example since a crash has torn it."""
    try:
        line = json.loads(text)
        key, label = line["key"], line["label"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    is_mark = isinstance(key, str) and label in ("good", "bad", None)
    return Mark(key, label, line) if is_mark else None


def latest(lines: Iterable[bytes]) -> dict[str, Mark]:
    """Return the last mark of each row, also where it was taken back.

    The line of a mark that was taken back names the row alone; its texts are those of an earlier
    line.
    """
    marks: dict[str, Mark] = {}
    for mark in filter(None, map(mark_of, lines)):
        earlier = marks[mark.key].line if mark.key in marks else {}
        marks[mark.key] = mark if mark.label else Mark(mark.key, None, {**earlier, **mark.line})
    return marks


def read_marks(folder: Path) -> dict[str, Mark]:
    """Return the last mark of each row of a run by its key, also those that were taken back.

    Raises:
        ConfigError: The file cannot be read.
    """
    file = folder / LABELS
    if not file.exists():
        return {}
    with regular_file(file, str(file)).open("rb") as lines:
        return latest(lines)


def append_mark(folder: Path, line: Mapping[str, Any]) -> None:
    """Add a line; it is on the disk when this returns.

    Raises:
        StorageError: The disk is full, or the file cannot be written.
    """
    file = folder / LABELS
    text = as_json(line).encode() + b"\n"
    # Two pages may write at once. With O_APPEND each writes at the end, and one call writes a line
    # as a whole.
    try:
        handle = os.open(file, _FLAGS, 0o644)
        try:
            whole = (b"" if _ends_whole(handle) else b"\n") + text
            if os.write(handle, whole) < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StorageError(f"{file}: cannot be written: {error.strerror}") from error


def _ends_whole(handle: int) -> bool:
    """Tell whether the last line is whole; a crash may have torn it."""
    size = os.fstat(handle).st_size
    if not size:
        return True
    os.lseek(handle, -1, os.SEEK_END)
    return os.read(handle, 1) == b"\n"
