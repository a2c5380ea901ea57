"""What fills the memory as one line that says what to try."""

import contextlib
from collections.abc import Iterator

from autoevol.program.errors import ConfigError

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc")


@contextlib.contextmanager
def memory_errors(where: str, problem: str) -> Iterator[None]:
    """Turn an error for want of memory into one line.

    Args:
        where: The key that decides how much is needed.
        problem: What takes too much, and what to try.

    Raises:
        ConfigError: The memory did not suffice.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(
            words in str(error).lower() for words in _NO_MEMORY
        ):
            raise
        raise ConfigError(where, problem) from error
