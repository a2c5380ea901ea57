"""Printing: results go to standard output, problems to the error stream."""

import logging
import re
from datetime import datetime

from rich.console import Console

_LONGEST = 800
"""Characters of a problem that are shown; one may quote a whole option."""

_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Names of runs, files and models may hold brackets, which are texts and no markup.
console = Console(log_path=False, markup=False)
complaints = Console(stderr=True, log_path=False, markup=False)


def say(line: str) -> None:
    """Print a line as it is: brackets are no markup, and nothing is wrapped."""
    console.print(as_line(line), markup=False, highlight=False, soft_wrap=True)


def say_at(line: str) -> None:
    """Print a line as `say` does, behind the time of day."""
    say(f"[{time_of_day()}] {line}")


def time_of_day() -> str:
    """Return the time as hours, minutes and seconds."""
    return f"{datetime.now():%H:%M:%S}"


def quiet_libraries() -> None:
    """Hide warnings of the libraries; the run itself reports what matters."""
    for name in ("dspy", "LiteLLM", "httpx", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # It logs the errors that it raises, too, and the tracker reports them in a line.
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)


def complain_at(line: str) -> None:
    """Print a line with the time, beside the results: brackets are no markup."""
    complaints.log(as_line(line), markup=False, highlight=False)


def complain(message: str) -> None:
    """Print a problem in red on the error stream, in one line of a readable length."""
    line = as_line(message)
    if len(line) > _LONGEST:
        # What is wrong stands at the end, behind a name that may be long.
        line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
    complaints.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def as_text(text: str) -> str:
    """Return a text of several lines that moves no cursor; see `as_line`."""
    return "\n".join(map(as_line, text.replace("\t", "    ").split("\n")))


def as_line(line: str) -> str:
    """Return a line that moves no cursor and that every terminal's encoding holds.

    A name or a value that is part of it may hold a line break, an escape sequence, or a byte of a
    file's name that is no UTF-8.
    """
    return _UNPRINTABLE.sub(lambda match: repr(match[0])[1:-1], line)
