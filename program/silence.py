"""Keeps what a stretch of work prints off the screen: DSPy's optimisers draw a bar per batch."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO, cast


class _ForKnownThreads:
    """A stream that drops what is written by threads it does not know."""

    def __init__(self, stream: TextIO, known: set[int | None]) -> None:
        self._stream, self._known = stream, known

    def write(self, text: str) -> int:
        """Write, if a known thread asks."""
        is_known = threading.get_ident() in self._known
        return self._stream.write(text) if is_known else len(text)

    def __getattr__(self, name: str) -> Any:
        """Be the stream in all else."""
        return getattr(self._stream, name)


@contextlib.contextmanager
def silent_thread() -> Iterator[None]:
    """Drop what the calling thread prints, and the threads it starts; others print as ever."""
    known = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    out, err = (cast(TextIO, _ForKnownThreads(each, known)) for each in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield
