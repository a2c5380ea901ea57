"""What a user asks `autoevol compare` for, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

from experiments.compare_targets import Side, What, read_side
from program.comparison import Order
from program.errors import ConfigError

Choice = TypeVar("Choice")
_NAMED = 4
"""Most sides whose names make up the name of a folder."""


@dataclass(frozen=True, slots=True)
class Request:
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
    order: Order = "both"
    limit: int | None = None
    out: Path = Path("runs/compare")


def sides_of(targets: Sequence[Path]) -> list[Side]:
    """Return the sets that are compared.

    Raises:
        ConfigError: There are fewer than two, or one is neither a finished run nor a file of rows.
    """
    if len(targets) < 2:
        raise ConfigError("compare", "name two runs or files, or more")
    return [read_side(target) for target in targets]


def request_of(
    sides: Sequence[Side],
    judge: str | None,
    what: str,
    order: str,
    limit: int | None,
    out: Path | None,
) -> Request | None:
    """Return what a judge is to decide; None: no judge is named.

    Raises:
        ConfigError: There are more than two sides, or an option has a value it does not know.
    """
    chosen: What = _one_of("--what", what, get_args(What))
    turns: Order = _one_of("--order", order, get_args(Order))
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
    return Request(ours, theirs, judge, chosen, turns, limit, folder)


def folder_of(sides: Sequence[Side], out: Path | None) -> Path:
    """Return where a comparison is written: `out`, or a folder that the sides name.

    Raises:
        ConfigError: There is a file of that name.
    """
    names = [side.name for side in sides]
    told = names if len(names) <= _NAMED else [*names[:_NAMED], f"{len(names) - _NAMED}-more"]
    folder = out or Path("runs") / "-".join(["compare", *told])
    if folder.exists() and not folder.is_dir():
        raise ConfigError("--out", f"{folder} is a file")
    return folder


def _one_of(option: str, given: str, known: Sequence[Choice]) -> Choice:
    for each in known:
        if each == given:
            return each
    raise ConfigError(f"{option} {given}", f"there are {', '.join(map(str, known))}")
