"""`autoevol merge`: several files of rows in one, each instruction once, each id once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoevol.experiments.data.convert import Say, say_notes
from autoevol.experiments.data.fingerprint import fingerprint, row_fingerprint
from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.rows import RowDict
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.data.formats.target import check_target, write_rows
from autoevol.experiments.files.atomic import refuse_existing
from autoevol.program.errors import ConfigError

_SHOWN = 3


def merge(target: Path, sources: Sequence[Path], *, say: Say) -> None:
    """Write the rows of all files, in their order, to a new one.

    Args:
        target: A new file.
        sources: Of any format.
        say: Takes the counts, and what was renamed.

    Raises:
        ConfigError: The target is there or among the sources, or a source cannot be read.
    """
    if target.resolve() in {source.resolve() for source in sources}:
        raise ConfigError(str(target), "is among the files to merge; name another file")
    check_target(target, FORMATS["rows"])
    refuse_existing(target)
    ids = _Ids()
    rows = (row for source in sources for row in _new_rows(source, ids, say))
    count = write_rows(target, rows, FORMATS["rows"])
    if ids.clashes:
        shown = ", ".join(f"{old} became {new}" for old, new in ids.clashes[:_SHOWN])
        say(f"{len(ids.clashes)} ids were taken by other rows or seeds: {shown}")
    say(f"{target}: {count} rows")


def _new_rows(path: Path, ids: "_Ids", say: Say) -> Iterator[RowDict]:
    """Yield the rows of a file whose instruction has not been there yet."""
    source = open_source(path)
    names: dict[str, str] = {}
    read = dropped = 0
    for row in source.rows:
        read += 1
        mark = row_fingerprint(row)
        if mark in ids.kept:
            dropped += 1
            names[row["id"]] = ids.kept[mark]
            continue
        yield ids.renamed(row, mark, names)
    say_notes(source, say)
    say(f"{path}: {source.format.name}, {read} rows, {dropped} of them duplicates")


@dataclass
class _Ids:
    """The ids given so far.

    Attributes:
        kept: Id of each row that was kept, by its text.
        seeds: Text of each seed, by its id.
        clashes: Ids that stood for another row already, and what they became.
    """

    kept: dict[bytes, str] = field(default_factory=dict)
    seeds: dict[str, bytes] = field(default_factory=dict)
    clashes: list[tuple[str, str]] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def renamed(self, row: RowDict, mark: bytes, names: dict[str, str]) -> RowDict:
        """Return a new row under an id of its own, its lineage by the names of the others.

        Args:
            row: As its file has it.
            mark: Of its text.
            names: What earlier rows of the same file are called now; gets this one's.
        """
        identity = self._free(row["id"])
        names[row["id"]] = self.kept[mark] = identity
        origin = fingerprint(row["origin"] or row["instruction"])
        is_seed = row["seed_id"] == row["id"]
        if is_seed:
            self.seeds[identity] = origin
        seed_id = identity if is_seed else self._seed(row["seed_id"], origin, names)
        parent = row["parent_id"]
        is_child = parent == row["seed_id"]
        parent_id = seed_id if is_child else names.get(parent, parent)
        return {**row, "id": identity, "seed_id": seed_id, "parent_id": parent_id}

    def _free(self, identity: str) -> str:
        if identity not in self._taken:
            self._taken.add(identity)
            return identity
        number = 2
        while f"{identity}-{number}" in self._taken:
            number += 1
        self._taken.add(f"{identity}-{number}")
        self.clashes.append((identity, f"{identity}-{number}"))
        return f"{identity}-{number}"

    def _seed(self, seed_id: str, origin: bytes, names: dict[str, str]) -> str:
        """Return a seed's id; another seed's id of the same name gets a suffix."""
        if seed_id in names:
            return names[seed_id]
        name, number = seed_id, 1
        while self.seeds.setdefault(name, origin) != origin:
            number += 1
            name = f"{seed_id}-{number}"
        if number > 1:
            names[seed_id] = name
            self.clashes.append((seed_id, name))
        return name
