"""Rows in a file instead of in memory: a sequence whose memory hardly grows with it."""

import contextlib
import itertools
import os
import pickle
import tempfile
import weakref
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import IO, overload

from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

IN_MEMORY = 50_000
"""Rows of a data set that are held in memory, about 500 bytes each; more go to a file."""

_BLOCK = 256  # rows that are read at once
_values = attrgetter(*(field.name for field in fields(Row)))


class StoredRows(Sequence[Row]):
    """Rows in a file without a name, which is gone when the process ends; 8 bytes each in memory.

    The file lies in the folder for temporary files (`TMPDIR`), and is as large as the texts. It is
    pickled, since nobody else can write to it.
    """

    def __init__(self) -> None:
        try:
            self._file = tempfile.TemporaryFile(prefix="autoevol-")  # noqa: SIM115 (lives with it)
        except OSError as error:
            raise _no_room(error) from error
        weakref.finalize(self, _close, self._file)
        self._ends = array("Q", [0])

    def append(self, row: Row) -> None:
        """Store a row.

        Raises:
            ConfigError: The disk is full.
        """
        content = pickle.dumps(_values(row), pickle.HIGHEST_PROTOCOL)
        try:
            self._file.write(content)
        except OSError as error:
            raise _no_room(error) from error
        self._ends.append(self._ends[-1] + len(content))

    def finish(self) -> None:
        """Write what waits to be written.

        Raises:
            ConfigError: The disk is full.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise _no_room(error) from error

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        numbers = range(len(self))[index]
        if isinstance(numbers, int):
            return next(self._read(numbers, numbers + 1))
        if numbers.step == 1:
            return list(self._read(numbers.start, numbers.stop))
        return [self[number] for number in numbers]

    def __iter__(self) -> Iterator[Row]:
        return self._read(0, len(self))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == their for mine, their in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def _read(self, start: int, stop: int) -> Iterator[Row]:
        self.finish()
        for first in range(start, stop, _BLOCK):
            last = min(first + _BLOCK, stop)
            begin, ends = self._ends[first], self._ends[first : last + 1]
            content = memoryview(os.pread(self._file.fileno(), ends[-1] - begin, begin))
            for left, right in itertools.pairwise(ends):
                yield Row(*pickle.loads(content[left - begin : right - begin]))


def _close(file: IO[bytes]) -> None:
    # What could not be written is tried once more, and somebody has been told.
    with contextlib.suppress(OSError):
        file.close()


def _no_room(error: OSError) -> ConfigError:
    return ConfigError(
        "TMPDIR", f"the folder for temporary files cannot hold the seeds: {error}; name another one"
    )
