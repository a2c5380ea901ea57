"""Names of runs: what they are of and where they write to, which tells two of one kind apart.

MLflow's list cuts a name after some twenty characters, so what differs comes first. A store is
shared more often than a disk, so a name holds no absolute path.
"""

from pathlib import Path

_PARTS = 3
"""Folders of a path that a name shows."""


def run_name(config: str, folder: Path) -> str:
    """Return the name of a run: `quickstart-2 · runs`, or `tuesday, quickstart · runs`.

    Args:
        config: Name of its config; left out where the folder's name begins with it.
        folder: Gets its files.
    """
    own = folder.absolute().name
    is_enough = own == config or own.startswith((f"{config}-", f"{config}_", f"{config}."))
    parent = shown_path(folder.absolute().parent)
    return " · ".join(filter(None, (own if is_enough else f"{own}, {config}", parent)))


def placed(what: str, folder: Path) -> str:
    """Return the name of any other run: `train rows, seed 0 · runs/train-rows`.

    Args:
        what: Was done, and what it was done with.
        folder: Gets its files.
    """
    return f"{what} · {shown_path(folder)}"


def shown_path(path: Path) -> str:
    """Return a path from the working folder on, at most its last three parts.

    Of one outside it the last two: folders above say whose machine it is, and nothing of the run.
    """
    whole, here = path.absolute(), Path.cwd()
    is_inside = whole.is_relative_to(here)
    parts = whole.relative_to(here).parts[-_PARTS:] if is_inside else whole.parts[1:][-2:]
    return "/".join(parts)
