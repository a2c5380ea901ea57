"""Files that are there complete, or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from autoevol.program.errors import ConfigError

PARTIAL = ".new-"
"""Prefix of files that are being written."""


@contextlib.contextmanager
def whole_path(target: Path) -> Iterator[Path]:
    """Give a path to write to, which gets its name afterwards; an error leaves the old file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=PARTIAL)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
    except BaseException:
        partial.unlink()
        raise
    partial.chmod(0o644)
    partial.replace(target)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[TextIO]:
    """Open a text file that gets its name when it is complete."""
    with whole_path(target) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_whole(target: Path, text: str) -> Path:
    """Write a file so that it is there complete or, after a crash, as it was before."""
    with whole_file(target) as file:
        file.write(text)
    return target


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of the old one afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=PARTIAL))
    try:
        yield partial
    except BaseException:
        shutil.rmtree(partial)
        raise
    partial.chmod(0o755)
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)


def refuse_existing(*targets: Path, hint: str = "name another file, or remove it") -> None:
    """Refuse to write where something is already.

    Raises:
        ConfigError: Names the first of the files that is there.
    """
    for target in targets:
        if target.exists():
            raise ConfigError(str(target), f"is there already; {hint}")
