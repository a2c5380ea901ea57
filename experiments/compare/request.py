"""The arguments of `autoevol compare`, checked, and the folder that a comparison is written to."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, get_args

from autoevol.experiments.compare.sides import Side, What, read_side
from autoevol.program.errors import ConfigError
from autoevol.program.scoring.comparison import AskOrder

Value = TypeVar("Value")
_MOST_NAMES = 4
"""Sides that are named in a folder's name."""

_NAME_BYTES = 200
"""File systems take 255; a digest and the kind of the comparison follow the names."""


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Two sets and a judge.

    Attributes:
        ours: The side whose wins and losses are counted.
        judge: A litellm name, or `local/NAME`.
        what: The texts that are compared.
        order: `both`: each pair is judged twice; `drawn`: once.
        limit: Most pairs, the first of ours; None: all.
        out: Folder of the results and the ledger.
    """

    ours: Side
    theirs: Side
    judge: str
    what: What = "responses"
    order: AskOrder = "both"
    limit: int | None = None
    out: Path = Path("runs/compare")


def sides_of(targets: Sequence[Path]) -> list[Side]:
    """Return the sets to compare.

    Raises:
        ConfigError: There are fewer than two, or one is neither a finished run nor a file of rows.
    """
    if len(targets) < 2:
        raise ConfigError("compare", "name two runs or files, or more")
    return with_distinct_names([read_side(target) for target in targets])


def with_distinct_names(sides: Sequence[Side]) -> list[Side]:
    """Return the sides; equal names are replaced by the last parts of the paths, at least two."""
    names, paths = [side.name for side in sides], [side.path.resolve().parts for side in sides]
    for depth in range(2, max(map(len, paths)) + 1):
        # Counted over different paths: a set that is compared with itself keeps its name.
        counts = Counter(name for name, _ in {*zip(names, paths, strict=True)})
        names = [
            "/".join(path[-depth:]) if counts[name] > 1 else name
            for name, path in zip(names, paths, strict=True)
        ]
    return [replace(side, name=name) for side, name in zip(sides, names, strict=True)]


def request_of(
    sides: Sequence[Side],
    judge: str | None,
    what: str,
    order: str,
    limit: int | None,
    out: Path | None,
) -> CompareRequest | None:
    """Return what a judge is to decide; None: no judge is named.

    Raises:
        ConfigError: There are more than two sides, or an option has an invalid value.
    """
    texts: What = _choice("--what", what, get_args(What))
    ask_order: AskOrder = _choice("--order", order, get_args(AskOrder))
    if judge is None and not all(side.summary for side in sides):
        raise ConfigError("compare", "files have no figures of a run; name a judge with --judge")
    if judge is None:
        return None
    if len(sides) != 2:
        raise ConfigError("--judge", f"decides between two sets, {len(sides)} are named")
    ours, theirs = sides
    folder = folder_of(sides, out)
    if out is None:
        # The two questions about the same sets must not overwrite each other's verdicts.
        folder = folder.with_name(f"{folder.name}-{what}")
    return CompareRequest(ours, theirs, judge, texts, ask_order, limit, folder)


def folder_of(sides: Sequence[Side], out: Path | None) -> Path:
    """Return the folder that a comparison is written to: `out`, or one named after the sides.

    Raises:
        ConfigError: There is a file of that name.
    """
    folder = out or Path("runs") / _folder_name(sides)
    if folder.exists() and not folder.is_dir():
        raise ConfigError("--out", f"{folder} is a file")
    return folder


def _folder_name(sides: Sequence[Side]) -> str:
    # Sides of equal names are called by parts of their paths, and a slash would make folders.
    names = [side.name.rpartition("/")[2] for side in sides]
    is_named = len(names) <= _MOST_NAMES
    parts = names if is_named else [*names[:_MOST_NAMES], f"{len(names) - _MOST_NAMES}-more"]
    name = "-".join(["compare", *parts])
    # The limit is in bytes, so the cut may go through a character: its first half is dropped.
    cut = name.encode()[:_NAME_BYTES].decode(errors="ignore")
    is_whole = name == cut and is_named and len({*names}) == len(names)
    homes = {side.path.resolve().parent for side in sides}
    if is_whole and homes in ({Path("runs").resolve()}, {Path.cwd()}):
        return name
    # The names alone do not say which sets these are: another comparison must not be overwritten.
    paths = "\n".join(str(side.path.resolve()) for side in sides)
    return f"{cut}-{hashlib.sha256(paths.encode()).hexdigest()[:8]}"


def _choice(option: str, value: str, choices: Sequence[Value]) -> Value:
    for choice in choices:
        if choice == value:
            return choice
    raise ConfigError(f"{option} {value}", f"must be one of {', '.join(map(str, choices))}")
