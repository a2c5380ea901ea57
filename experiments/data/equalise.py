"""`autoevol equalise`: make two data sets comparable, by their seeds or by their size.

`rows` keeps the rows of the seeds that both sets share; `count` draws as many rows from the larger
set as the smaller one has. Records are written as they were read, in JSON Lines.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoevol.experiments.data.convert import Say
from autoevol.experiments.data.fingerprint import fingerprint
from autoevol.experiments.files.atomic import refuse_existing, whole_file
from autoevol.experiments.files.data_sets import rows_file
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.reading import read_file
from autoevol.program.errors import ConfigError

Kept = tuple[Collection[int], Collection[int]]
"""Zero-based numbers of the records that stay, of the first file and of the second."""

Keys = Sequence[str | None] | Sequence[bytes | None]
"""Of each row the id of its seed, or the fingerprint of its seed's text."""


def equalise(paths: tuple[Path, Path], *, by: str, seed: int, out: Path | None, say: Say) -> None:
    """Write both files anew with the rows that make them comparable.

    Args:
        paths: Files of any format, or runs' folders; for `rows` each record must name its seed or
            hold its text.
        by: `rows` or `count`.
        seed: Of the draw for `count`.
        out: Folder of `NAME.equal.jsonl`; None: beside each file.
        say: Takes the counts.

    Raises:
        ConfigError: Names the file, and row and key where there are any; nothing is written.
    """
    paths = (rows_file(paths[0]), rows_file(paths[1]))
    if by not in _RULES:
        raise ConfigError(f"--by {by}", f"must be one of {', '.join(_RULES)}")
    targets = _targets(paths, out)
    refuse_existing(*targets)
    kept = _RULES[by](paths, seed)
    for path, target, numbers in zip(paths, targets, kept, strict=True):
        count = _copy(path, target, numbers)
        say(f"{path}: {len(numbers)} of {count} rows → {target}")


def _targets(paths: tuple[Path, Path], out: Path | None) -> list[Path]:
    """Return the new files; two of one name get the name of their source's folder in front."""
    files = [(out or path.parent) / f"{path.stem}.equal.jsonl" for path in paths]
    if files[0] != files[1]:
        return files
    targets = [
        file.with_name(f"{path.absolute().parent.name}-{file.name}")
        for file, path in zip(files, paths, strict=True)
    ]
    if targets[0] == targets[1]:
        raise ConfigError(str(paths[1]), f"and {paths[0]} would both become {targets[0]}")
    return targets


def _copy(path: Path, target: Path, numbers: Collection[int]) -> int:
    """Write the records with these numbers, and return how many there are in all."""
    count = 0
    with whole_file(target) as file:
        # Read a second time: the first reading kept a key of each row, not the records.
        for record in read_file(path):
            if count in numbers:
                file.write(as_json(record.value) + "\n")
            count += 1
    return count


def _by_count(paths: tuple[Path, Path], seed: int) -> Kept:
    counts = [sum(1 for _ in read_file(path)) for path in paths]
    fewer = min(counts)
    if not fewer:
        raise ConfigError(str(paths[counts.index(0)]), "holds no rows")
    # A generator for each file: what one holds does not change the draw of the other. A set, since
    # the rows are copied in the order of their file.
    first, second = (frozenset(random.Random(seed).sample(range(n), fewer)) for n in counts)
    return first, second


def _by_rows(paths: tuple[Path, Path], seed: int) -> Kept:
    first, second = _seeds(paths[0]), _seeds(paths[1])
    # Ids or texts for all rows of both files: a seed known by its id in one and by its text in the
    # other would be two seeds.
    if None not in (*first.ids, *second.ids):
        _check_same(first, second)
        return _shared(first, second, first.ids, second.ids)
    for seeds in (first, second):
        if None in seeds.texts:
            raise ConfigError(
                f"{seeds.path} row {seeds.texts.index(None) + 1}",
                "has no text of its seed, and other rows have no seed_id",
            )
    return _shared(first, second, first.texts, second.texts)


@dataclass
class _Seeds:
    """The seeds of a file's rows, in their order.

    Attributes:
        ids: None for a row that names no seed.
        texts: Fingerprints; None for a row that does not hold its seed's text.
    """

    path: Path
    ids: list[str | None] = field(default_factory=list)
    texts: list[bytes | None] = field(default_factory=list)


def _seeds(path: Path) -> _Seeds:
    seeds = _Seeds(path)
    for record in read_file(path):
        # In auto-evol-instruct's files `root` is the seed's text; in our rows it is a data set.
        is_auto_evol = "reference" in record.value and "seed_id" not in record.value
        keys = ("root",) if is_auto_evol else ("origin", "parent")
        text = next(filter(None, map(record.optional_text, keys)), None)
        identity = record.name("seed_id")
        if text is None and identity is None:
            problem = f"is missing, and so is {' and '.join(keys)}; --by count needs none"
            raise record.error("seed_id", problem)
        seeds.ids.append(identity)
        seeds.texts.append(None if text is None else fingerprint(text))
    return seeds


def _check_same(first: _Seeds, second: _Seeds) -> None:
    """Refuse files with equal seed ids for different seeds, such as `row-000001` of two runs."""
    texts = dict(zip(first.ids, first.texts, strict=True))
    for identity, text in zip(second.ids, second.texts, strict=True):
        # A row with an id need not hold its seed's text, and then contradicts nothing.
        if text is not None and texts.get(identity) not in (None, text):
            raise ConfigError(
                f"{second.path}: seed_id", f"{identity!r} is another seed in {first.path}"
            )


def _shared(first: _Seeds, second: _Seeds, keys: Keys, second_keys: Keys) -> Kept:
    shared = {*keys} & {*second_keys}
    if not shared:
        raise ConfigError(str(second.path), f"has no seed in common with {first.path}")
    return _numbers(keys, shared), _numbers(second_keys, shared)


def _numbers(keys: Keys, wanted: Collection[str | bytes | None]) -> frozenset[int]:
    return frozenset(number for number, key in enumerate(keys) if key in wanted)


_RULES: dict[str, Callable[[tuple[Path, Path], int], Kept]] = {
    "rows": _by_rows,
    "count": _by_count,
}
