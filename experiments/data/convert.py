"""`autoevol convert`: from one format of instruction data to another, by way of rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from autoevol.experiments.data.formats.catalogue import Format, find_format
from autoevol.experiments.data.formats.columns import Columns
from autoevol.experiments.data.formats.conversation import is_conversation
from autoevol.experiments.data.formats.rows import META, Notes, RowDict
from autoevol.experiments.data.formats.source import Invalid, ReadOptions, Source, open_source
from autoevol.experiments.data.formats.target import check_target, write_rows
from autoevol.experiments.files.atomic import refuse_existing, write_whole
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.records import Rejected

AUTO = "auto"
SKIP_HINT = "--skip-unusable leaves them out"
Say = Callable[[str], None]


def convert(
    source: Path,
    target: Path,
    *,
    read_as: str | Columns,
    write_as: str,
    say: Say,
    skip_unusable: bool = False,
) -> None:
    """Read a file in one format and write it in another.

    Args:
        source: JSON Lines, JSON, CSV or Parquet.
        target: A new file.
        read_as: The source's format; `auto`: as its records show; or the names of its columns.
        write_as: The target's format.
        say: Takes messages for the user: the format, and what was left out.
        skip_unusable: Leave out records that make no row, and write them to a file beside.

    Raises:
        ConfigError: Names the file, and row and key where there are any; nothing is written.
    """
    to = find_format(write_as, "--to")
    columns = read_as if isinstance(read_as, Columns) else None
    is_named = isinstance(read_as, str) and read_as != AUTO
    format_ = find_format(str(read_as), "--from") if is_named else None
    check_target(target, to)
    refuse_existing(target)
    if skip_unusable:
        refuse_existing(rejected_beside(target))
    options = ReadOptions(format_, columns, invalid_of(skip_unusable), hint=SKIP_HINT)
    opened = open_source(source, options)
    count = write_rows(target, _counting_cuts(opened.rows, to, opened.recognised.notes), to)
    # After the writing: only a source whose rows are all read knows what was left out.
    say_recognised(opened, say)
    write_rejected(target, opened.recognised.rejected, say)
    say(f"{target}: {to.name}, {count} rows")


def rejected_beside(target: Path) -> Path:
    """Return the file of the records that make no row."""
    return target.with_name(f"{target.stem}.rejected.jsonl")


def write_rejected(target: Path, rejected: Sequence[Rejected], say: Say) -> None:
    """Write the records that make no row beside the target, each with the reason; none: no file."""
    if rejected:
        file = rejected_beside(target)
        write_whole(file, "".join(as_json(item.as_dict()) + "\n" for item in rejected))
        say(f"{file}: {len(rejected)} records that make no row")


def invalid_of(skip_unusable: bool) -> Invalid:
    """Return what becomes of records that make no row, by the option `--skip-unusable`."""
    return "skip" if skip_unusable else "stop"


def say_recognised(source: Source, say: Say) -> None:
    """Report what a reader recognised and left out, once its rows have been read."""
    path, recognised = source.location.path, source.recognised
    say(f"{path}: {recognised.sentence}")
    if recognised.rejected:
        say(f"{path}: the first that was skipped: {recognised.rejected[0].error}")
    for note, count in recognised.notes.items():
        say(f"{path}: {count} {note}")


def _counting_cuts(rows: Iterable[RowDict], to: Format, notes: Notes) -> Iterator[RowDict]:
    """Pass rows on, and count those of which the format cannot hold all."""
    for row in rows:
        if is_conversation(row) and not to.has_turns:
            notes[f"conversations were cut to their first turn: {to.name} holds no turns"] += 1
        if row.get("system") and not to.has_system:
            notes[f"system prompts were left out: {to.name} has none"] += 1
        if row.get(META) and to.shape != "list":
            notes[f"rows lost their further columns: {to.name} has its own alone"] += 1
        yield row
