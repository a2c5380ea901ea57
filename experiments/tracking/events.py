"""What a run reports to a tracker, as plain data, and the journal of it in the run's folder.

The folder holds all that a tracker logs, so a run can be logged at any time: while it runs, by the
same command again, or by `autoevol track`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.tracking.store import now_ms
from autoevol.program.errors import StorageError

JOURNAL = "tracking.jsonl"

Kind = Literal[
    "run", "candidate", "method", "points", "document", "scores", "trace", "results", "end"
]
Body = Mapping[str, Any]

CLOSING: tuple[Kind, ...] = ("run", "results", "end")
"""Kinds that open and close a run: they are logged in their place, not with earlier events."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to be logged.

    Attributes:
        key: Its name in the run; a later event of this name takes its place.
        kind: How it is logged.
        at: When it was first reported, in milliseconds since 1970.
        body: JSON data.
    """

    key: str
    kind: Kind
    at: int
    body: Body


class Journal:
    """The events of a run, in its folder.

    Args:
        folder: The run's. What an earlier try has reported there is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / JOURNAL
        self._events = {event.key: event for event in read_events(folder)}
        # A kill may have torn the last line, and another line must not be added to it.
        if self._file.is_file() and not self._file.read_bytes().endswith(b"\n"):
            write_whole(self._file, "".join(map(_line, self._events.values())))

    @property
    def events(self) -> list[Event]:
        """All events so far, in the order in which they were last changed."""
        return list(self._events.values())

    def add(self, kind: Kind, key: str, body: Body) -> tuple[Event, bool]:
        """Add an event; return it, and whether it says anything new.

        A resumed run reports everything again, and each event keeps its first time.

        Args:
            kind: How it is logged.
            key: Its name in the run.
            body: JSON data.

        Raises:
            StorageError: The folder cannot be written.
        """
        plain, earlier = json.loads(json.dumps(body)), self._events.get(key)
        # A call that is replayed takes no time, so the trace of the call itself stays.
        if earlier and (kind == "trace" or earlier.body == plain):
            return earlier, False
        event = Event(key, kind, now_ms(), plain)
        # It moves to the end, as in the file: what closes a run comes last.
        self._events.pop(key, None)
        self._events[key] = event
        self._append(_line(event))
        return event, True

    def _append(self, line: str) -> None:
        try:
            # Traces hold prompts and replies, as the ledger does.
            self._file.touch(mode=0o600)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise StorageError(f"{self._file}: cannot be written: {error.strerror}") from error


def read_events(folder: Path) -> list[Event]:
    """Return the events that a run reported, the last of each name; a torn line is skipped."""
    file = folder / JOURNAL
    events: dict[str, Event] = {}
    for event in _read_lines(file) if file.is_file() else ():
        events.pop(event.key, None)
        events[event.key] = event
    return list(events.values())


def _read_lines(file: Path) -> Iterator[Event]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                yield Event(**json.loads(line))
            # A kill in the middle of a write. What it tore is reported again on resume.
            except (ValueError, TypeError):
                continue


def _line(event: Event) -> str:
    return json.dumps(asdict(event)) + "\n"
