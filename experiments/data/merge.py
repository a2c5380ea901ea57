"""`autoevol merge`: several files of rows into one, each instruction once, each id once."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoevol.experiments.data.convert import (
    SKIP_HINT,
    Say,
    invalid_of,
    rejected_beside,
    say_recognised,
    write_rejected,
)
from autoevol.experiments.data.fingerprint import fingerprint, row_fingerprint
from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.rows import RowDict
from autoevol.experiments.data.formats.source import ReadOptions, open_source
from autoevol.experiments.data.formats.target import check_target, write_rows
from autoevol.experiments.files.atomic import refuse_existing
from autoevol.experiments.files.records import Rejected
from autoevol.program.errors import ConfigError

_SHOWN = 3
"""Renamed ids that the message spells out."""


def merge(target: Path, sources: Sequence[Path], *, say: Say, skip_unusable: bool = False) -> None:
    """Write the rows of all files, in their order, to a new one.

    Args:
        target: A new file.
        sources: Files of any format.
        say: Takes the counts, and the ids that were renamed.
        skip_unusable: Leave out and count records that make no row.

    Raises:
        ConfigError: The target exists or is among the sources, or a source cannot be read.
    """
    # Before `refuse_existing`, whose advice to remove the file would cost the user a source.
    # Not `Path.resolve`, which raises where links lead in a circle.
    if os.path.realpath(target) in {os.path.realpath(source) for source in sources}:
        raise ConfigError(str(target), "is among the files to merge; name another file")
    check_target(target, FORMATS["rows"])
    refuse_existing(target)
    ids = _UniqueIds()
    options = ReadOptions(invalid=invalid_of(skip_unusable), hint=SKIP_HINT)
    rejected: list[Rejected] = []
    rows = (row for source in sources for row in _new_rows(source, options, ids, rejected, say))
    if skip_unusable:
        refuse_existing(rejected_beside(target))
    count = write_rows(target, rows, FORMATS["rows"])
    write_rejected(target, rejected, say)
    # The rows are made while they are written, so clashes are known only now.
    if ids.clashes:
        shown = ", ".join(f"{old} became {new}" for old, new in ids.clashes[:_SHOWN])
        say(f"{len(ids.clashes)} ids were taken by other rows or seeds: {shown}")
    say(f"{target}: {count} rows")


def _new_rows(
    path: Path, options: ReadOptions, ids: "_UniqueIds", rejected: list[Rejected], say: Say
) -> Iterator[RowDict]:
    """Yield the rows of a file that are no duplicates of earlier ones."""
    source = open_source(path, options)
    # A map for each file: the same old id in two files may mean two rows.
    names: dict[str, str] = {}
    count = duplicates = 0
    for row in source.rows:
        count += 1
        text = row_fingerprint(row)
        if text in ids.kept:
            duplicates += 1
            # Children of the dropped row become children of the row that it repeats.
            names[row["id"]] = ids.kept[text]
            continue
        yield ids.renamed(row, text, names)
    rejected += source.recognised.rejected
    say_recognised(source, say)
    say(f"{path}: {duplicates} of {count} rows are duplicates")


@dataclass
class _UniqueIds:
    """The ids in the merged file, and how rows are renamed to keep them unique.

    Attributes:
        kept: Id of each row that was kept, by the fingerprint of its prompt.
        seeds: Fingerprint of each seed's text, by its id.
        clashes: Ids that other rows or seeds had taken, and what they became.
    """

    kept: dict[bytes, str] = field(default_factory=dict)
    seeds: dict[str, bytes] = field(default_factory=dict)
    clashes: list[tuple[str, str]] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def renamed(self, row: RowDict, text: bytes, names: dict[str, str]) -> RowDict:
        """Return a row with unique ids, its lineage in the new ids of its file.

        Args:
            row: As read from its file.
            text: Fingerprint of its prompt.
            names: New ids of the file's earlier rows, by their old ones; this row's is added.
        """
        origin = fingerprint(row["origin"] or row["instruction"])
        is_seed = row["seed_id"] == row["id"]
        identity = self._free(row["id"], origin if is_seed else None)
        names[row["id"]] = self.kept[text] = identity
        if is_seed:
            self.seeds[identity] = origin
        seed_id = identity if is_seed else self._seed(row["seed_id"], origin, names)
        parent = row["parent_id"]
        # A seed need not be a row of the file, so `names` may not know it.
        is_child = parent == row["seed_id"]
        parent_id = seed_id if is_child else names.get(parent, parent)
        return {**row, "id": identity, "seed_id": seed_id, "parent_id": parent_id}

    def _free(self, identity: str, origin: bytes | None) -> str:
        """Return an id that no other row and no other seed has; `origin` is None but for a seed."""
        name, number = identity, 1
        # Rows may name a seed that is no row of any file. Its own row may come later.
        while name in self._taken or self.seeds.get(name, origin) != origin:
            number += 1
            name = f"{identity}-{number}"
        self._taken.add(name)
        if number > 1:
            self.clashes.append((identity, name))
        return name

    def _seed(self, seed_id: str, origin: bytes, names: dict[str, str]) -> str:
        """Return a seed's id, with a suffix if another row or a seed with another text has it."""
        if seed_id in names:
            return names[seed_id]
        name, number = seed_id, 1
        # Two runs on unnumbered seeds both call their first one `row-000001`; only the text tells
        # whether they are the same seed.
        while self.seeds.get(name, None if name in self._taken else origin) != origin:
            number += 1
            name = f"{seed_id}-{number}"
        self.seeds[name] = origin
        if number > 1:
            names[seed_id] = name
            self.clashes.append((seed_id, name))
        return name
