"""Files and folders that appear complete, or not at all.

They are written under another name in the same folder, so that the last step is a rename.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from autoevol.experiments.files.paths import local_path
from autoevol.program.errors import ConfigError

PARTIAL = ".new-"
"""Prefix of files that are being written; what a crash leaves has it, too."""


@contextlib.contextmanager
def whole_path(target: Path) -> Iterator[Path]:
    """Yield a path to write to, renamed to `target` at the end; an error leaves the old file."""
    with _place_for(target):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=PARTIAL)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
    # BaseException: Ctrl-C must not leave a partial file, either.
    except BaseException:
        partial.unlink()
        raise
    partial.chmod(0o644)  # mkstemp gives 0600: nobody else could read the file
    partial.replace(target)


@contextlib.contextmanager
def _place_for(target: Path) -> Iterator[None]:
    """Make the folder of a new file, and turn what the system refuses into the user's error."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        # A full disk is reported by the command line, with advice of its own.
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ConfigError(str(target), f"cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[TextIO]:
    """Open a text file that is renamed to `target` when it is complete and on disk."""
    # newline: on Windows, too, a line ends in \n, so that equal texts are equal files.
    with whole_path(target) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        yield file
        # Before the rename: after a power cut the new name must not point to an empty file.
        file.flush()
        os.fsync(file.fileno())


def write_whole(target: Path, text: str) -> Path:
    """Write a file and return its path; after a crash it is as it was before."""
    with whole_file(target) as file:
        file.write(text)
    return target


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a folder to fill, which replaces `target` at the end; an error leaves the old one."""
    with _place_for(target):
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=PARTIAL))
    try:
        yield partial
    except BaseException:
        shutil.rmtree(partial)
        raise
    # mkdtemp gives 0700: nobody else could open the folder.
    partial.chmod(0o755)
    # A rename replaces a file but no folder with files in it, so the old folder goes first. After a
    # crash in between the new one is complete under its other name.
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)


def refuse_existing(*targets: Path, hint: str = "name another file, or remove it") -> None:
    """Refuse to overwrite files.

    Raises:
        ConfigError: Names the first of them that exists, or that no file can be called.
    """
    for target in targets:
        # Also a link that leads nowhere: it would be replaced.
        if local_path(target, str(target)).exists() or target.is_symlink():
            raise ConfigError(str(target), f"exists already; {hint}")
