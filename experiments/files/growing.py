"""Files of lines that another process may be writing: each line is read once, when it is whole."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from autoevol.experiments.files.paths import regular_file
from autoevol.program.errors import ConfigError

_Stamp = tuple[int, int, int, int]
"""Device, inode, size and time of a file: another stamp means other content."""


class GrowingFile:
    """The lines of a file that may grow, be replaced, or not exist yet.

    Args:
        path: Of the file.
        on_reset: Called when what was read before is no longer in the file.
        on_line: Called with the offset of each further line in bytes, and the line.
    """

    def __init__(
        self,
        path: Path,
        on_reset: Callable[[], None],
        on_line: Callable[[int, bytes], None],
    ) -> None:
        self.path = path
        self._on_reset, self._on_line = on_reset, on_line
        self._stamp: _Stamp | None = None
        self._holds_lines = False
        self.forget()

    def forget(self) -> None:
        """Read the whole file anew the next time."""
        self._end, self._last, self._digest = 0, 0, b""
        self._stamp = None

    def update(self) -> bool:
        """Read what is new; return whether anything was.

        Raises:
            ConfigError: The file cannot be read.
        """
        try:
            # A FIFO would be waited for, for ever.
            regular_file(self.path, str(self.path))
            with self.path.open("rb") as file:
                return self._read(file)
        except FileNotFoundError:
            return self._lost()
        except ConfigError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return self._lost()
            raise
        except OSError as error:
            raise ConfigError(str(self.path), f"cannot be read: {error.strerror}") from error

    def _lost(self) -> bool:
        if self._stamp is None and not self._holds_lines:
            return False
        self._reset()
        return True

    def _reset(self) -> None:
        self.forget()
        self._holds_lines = False
        self._on_reset()

    def _read(self, file: BinaryIO) -> bool:
        status = os.fstat(file.fileno())
        stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp == self._stamp:
            return False
        if not self._continues(file, stamp):
            self._reset()
        for line in self._whole_lines(file):
            self._holds_lines = True
            self._on_line(self._end, line)
            self._last, self._digest = self._end, _digest(line)
            self._end += len(line)
        self._stamp = stamp
        return True

    def _whole_lines(self, file: BinaryIO) -> Iterator[bytes]:
        file.seek(self._end)
        for line in file:
            # The end of a file is a line that is being written, unless it is a whole value.
            if not line.endswith(b"\n") and not _is_value(line):
                return
            yield line

    def _continues(self, file: BinaryIO, stamp: _Stamp) -> bool:
        """Tell whether the file still begins with what was read of it."""
        if self._stamp is None or self._stamp[:2] != stamp[:2] or stamp[2] < self._end:
            return False
        # The same file may have been emptied and filled again.
        file.seek(self._last)
        return self._end == 0 or _digest(file.read(self._end - self._last)) == self._digest


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()


def _is_value(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
