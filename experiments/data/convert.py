"""`autoevol convert`: one format of instruction data into another, by way of rows."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from autoevol.experiments.data.formats.catalogue import Format, find_format
from autoevol.experiments.data.formats.conversation import is_conversation
from autoevol.experiments.data.formats.rows import Notes, RowDict
from autoevol.experiments.data.formats.source import Source, open_source
from autoevol.experiments.data.formats.target import check_target, write_rows
from autoevol.experiments.files.atomic import refuse_existing

AUTO = "auto"
Say = Callable[[str], None]


def convert(source: Path, target: Path, *, given: str, wanted: str, say: Say) -> None:
    """Read a file in one format and write it in another.

    Args:
        source: JSON Lines, JSON, CSV or Parquet.
        target: A new file.
        given: The source's format; `auto` looks at its first record.
        wanted: The target's format.
        say: Takes what was found and what was left out.

    Raises:
        ConfigError: Names the file, and row and key where there are such; nothing is written.
    """
    into = find_format(wanted, "--to")
    known = None if given == AUTO else find_format(given, "--from")
    check_target(target, into)
    refuse_existing(target)
    opened = open_source(source, known)
    say(f"{source}: {opened.format.name}" + ("" if known else ", by its keys"))
    count = write_rows(target, _told(opened.rows, into, opened.notes), into)
    say_notes(opened, say)
    say(f"{target}: {into.name}, {count} rows")


def say_notes(opened: Source, say: Say) -> None:
    """Say what a reader had to note."""
    for note, count in opened.notes.items():
        say(f"{opened.path}: {count} {note}")


def _told(rows: Iterable[RowDict], into: Format, notes: Notes) -> Iterator[RowDict]:
    """Pass rows on and note the conversations that the format cannot hold."""
    for row in rows:
        if is_conversation(row) and not into.has_turns:
            notes[f"conversations were cut to their first turn: {into.name} holds no turns"] += 1
        yield row
