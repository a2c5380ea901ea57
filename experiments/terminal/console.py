"""Printing: results go to standard output, problems to the error stream."""

import logging
import re

from rich.console import Console

console = Console(log_path=False)
complaints = Console(stderr=True)


# A terminal obeys them, and a line may quote what a server sent.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def say(line: str) -> None:
    """Print a line as it is: brackets are no markup, and nothing is wrapped."""
    console.print(_without_controls(line), markup=False, highlight=False, soft_wrap=True)


def log(line: str) -> None:
    """Print a line with the time, above the live progress."""
    console.log(_without_controls(line), markup=False)


def quiet_libraries() -> None:
    """Hide warnings of the libraries; the run itself reports what matters."""
    for name in ("dspy", "LiteLLM", "httpx", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def complain(message: str) -> None:
    """Print a problem in red on the error stream."""
    line = _without_controls(message)
    complaints.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def _without_controls(text: str) -> str:
    return _CONTROLS.sub("", text)
