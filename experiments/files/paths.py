"""Paths that a person wrote, and texts that they lead to: an error names the key and says why.

The system refuses some paths before it looks for a file: a name of more than 255 bytes, a NUL, the
home of a user who does not exist, a loop of links. And not all that can be opened can be read to
its end: a FIFO waits for a writer for ever, a device may never end.
"""

import os
import shlex
import stat
from pathlib import Path

from autoevol.program.errors import ConfigError

_MOST_PATH_BYTES = 3500
"""Of a folder; Linux takes 4,095, and the names of its files come on top."""

MOST_BYTES = 4 << 20
"""Size of the largest text that is read whole: a config, a method, a prompt."""


def command_line(*words: str | Path) -> str:
    """Return a command of ours as one types it: a word with a space or a sign is quoted."""
    return shlex.join(("autoevol", *map(str, words)))


def local_path(name: str | Path, where: str) -> Path:
    """Return a path with `~` expanded; whether there is a file, it does not say.

    Args:
        name: As it was written.
        where: File and key, or the option, for the message.

    Raises:
        ConfigError: The system allows no such path.
    """
    try:
        path = Path(name).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    except OSError as error:
        raise ConfigError(where, f"{_shown(name)}: {error.strerror}") from error
    # A RuntimeError: the home of a user who does not exist. A ValueError: a NUL, or half of a
    # surrogate pair.
    except (RuntimeError, ValueError) as error:
        raise ConfigError(where, f"{_shown(name)} is no path: {error}") from error
    return path


def regular_file(path: Path, where: str) -> Path:
    """Return the path of a file that has an end.

    Raises:
        ConfigError: It is missing, a folder, a FIFO, a device or a socket, or cannot be reached.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(where, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(where, f"is no path: {error}") from error
    if not stat.S_ISREG(mode):
        raise ConfigError(where, f"is {_kind(mode)}, must be a file; save it as one first")
    return path


def read_text(path: Path, where: str, *, newline: str | None = None) -> str:
    """Return the text of a file.

    Args:
        path: Of a text that people write by hand.
        where: For the message: the path itself, or the key that names it.
        newline: As `open` takes it; None: lines end as Python has them, however the file does.

    Raises:
        ConfigError: It is no file, is too large for what it is, cannot be read, or is no UTF-8.
    """
    regular_file(path, where)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(where, f"is larger than {MOST_BYTES >> 20} MiB, no text of this kind")
        # A byte order mark, which some editors put first, is no part of the text.
        with path.open(encoding="utf-8-sig", newline=newline) as file:
            return file.read()
    except OSError as error:
        raise ConfigError(where, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(where, f"cannot be read: it is no UTF-8 text ({error.reason})") from error


def name_problem(path: str) -> str | None:
    """Return why no file or folder can have this path; None: nothing is wrong with it.

    A check by the letters alone, for paths that need not exist yet.
    """
    if "\0" in path:
        return "holds a NUL; remove it"
    try:
        Path(path).expanduser()
    except RuntimeError:
        return f"begins with {path.split('/', maxsplit=1)[0]}, which is no user here"
    if len(os.fsencode(path)) > _MOST_PATH_BYTES:
        return f"is longer than {_MOST_PATH_BYTES:,} bytes; shorten it"
    long = next((part for part in path.split("/") if len(os.fsencode(part)) > 255), None)
    if long is not None:
        return f"has a name of more than 255 bytes ({long[:20]}…); shorten it"
    return None


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe (FIFO)"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _shown(name: str | Path) -> str:
    text = str(name)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
