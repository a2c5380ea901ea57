"""What a user asks `autoevol compare` for, checked."""

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
_NAMED = 4
"""Most sides whose names make up the name of a folder."""

_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Two sets and a judge.

    Attributes:
        ours: The side that wins or loses.
        judge: A litellm name, or `local/NAME`.
        what: Is compared.
        order: `both`: each pair is asked about twice; `drawn`: once.
        limit: Most pairs, the first of ours; None: all.
        out: Folder of what is found out, and of the ledger.
    """

    ours: Side
    theirs: Side
    judge: str
    what: What = "responses"
    order: AskOrder = "both"
    limit: int | None = None
    out: Path = Path("runs/compare")


def sides_of(targets: Sequence[Path]) -> list[Side]:
    """Return the sets that are compared.

    Raises:
        ConfigError: There are fewer than two, or one is neither a finished run nor a file of rows.
    """
    if len(targets) < 2:
        raise ConfigError("compare", "name two runs or files, or more")
    return told_apart([read_side(target) for target in targets])


def told_apart(sides: Sequence[Side]) -> list[Side]:
    """Return the sides; where names repeat they are the last parts of the paths, at least two."""
    names, paths = [side.name for side in sides], [side.path.resolve().parts for side in sides]
    for depth in range(2, max(map(len, paths)) + 1):
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
        ConfigError: There are more than two sides, or an option has a value it does not know.
    """
    chosen: What = _one_of("--what", what, get_args(What))
    turns: AskOrder = _one_of("--order", order, get_args(AskOrder))
    if judge is None and not all(side.summary for side in sides):
        raise ConfigError("compare", "files have no figures of a run; name a judge with --judge")
    if judge is None:
        return None
    if len(sides) != 2:
        raise ConfigError("--judge", f"decides between two, {len(sides)} are named")
    ours, theirs = sides
    folder = folder_of(sides, out)
    if out is None:
        folder = folder.with_name(f"{folder.name}-{what}")
    return CompareRequest(ours, theirs, judge, chosen, turns, limit, folder)


def folder_of(sides: Sequence[Side], out: Path | None) -> Path:
    """Return where a comparison is written: `out`, or a folder that the sides name.

    A digest of the paths stands for what the names alone do not tell: sides that do not all lie in
    `runs`, or all in the working folder, and names that are cut.

    Raises:
        ConfigError: There is a file of that name.
    """
    folder = out or Path("runs") / _folder_name(sides)
    if folder.exists() and not folder.is_dir():
        raise ConfigError("--out", f"{folder} is a file")
    return folder


def _folder_name(sides: Sequence[Side]) -> str:
    names = [side.name.rpartition("/")[2] for side in sides]
    told = names if len(names) <= _NAMED else [*names[:_NAMED], f"{len(names) - _NAMED}-more"]
    name = "-".join(["compare", *told])
    cut = name.encode()[:_NAME_BYTES].decode(errors="ignore")
    is_whole = name == cut and told is names and len({*names}) == len(names)
    homes = {side.path.resolve().parent for side in sides}
    if is_whole and homes in ({Path("runs").resolve()}, {Path.cwd()}):
        return name
    paths = "\n".join(str(side.path.resolve()) for side in sides)
    return f"{cut}-{hashlib.sha256(paths.encode()).hexdigest()[:8]}"


def _one_of(option: str, given: str, known: Sequence[Value]) -> Value:
    for each in known:
        if each == given:
            return each
    raise ConfigError(f"{option} {given}", f"there are {', '.join(map(str, known))}")
