"""Names of runs: what they are of and the folder they write to, which tells two of one kind apart.

A store is shared more often than a disk, so a name holds no absolute path.
"""

from pathlib import Path

_PARTS = 3
"""Folders of a path that a name shows: the list of runs cuts longer names off."""


def run_name(name: str, folder: Path) -> str:
    """Return the name of a run: `quickstart · runs/quickstart-2`.

    Args:
        name: Of its config, or what was done.
        folder: Gets its files.
    """
    return f"{name} · {shown_path(folder)}"


def shown_path(path: Path) -> str:
    """Return a path from the working folder on, at most its last three parts."""
    whole, here = path.absolute(), Path.cwd()
    # Outside it, folders above say whose machine it is, and nothing of the run.
    is_inside = whole != here and whole.is_relative_to(here)
    parts = whole.relative_to(here).parts[-_PARTS:] if is_inside else whole.parts[1:][-2:]
    return "/".join(parts)
