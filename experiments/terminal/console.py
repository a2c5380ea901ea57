"""Printing: results go to standard output, problems to the error stream."""

import logging
from datetime import datetime

from rich.console import Console

console = Console()
complaints = Console(stderr=True)


def say(line: str) -> None:
    """Print a line as it is: brackets are no markup, and nothing is wrapped."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def say_at(line: str) -> None:
    """Print a line as `say` does, behind the time of day."""
    say(f"[{datetime.now():%H:%M:%S}] {line}")


def quiet_libraries() -> None:
    """Hide warnings of the libraries; the run itself reports what matters."""
    for name in ("dspy", "LiteLLM", "httpx", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # It logs the errors that it raises, too, and the tracker reports them in a line.
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)


def complain(message: str) -> None:
    """Print a problem in red on the error stream."""
    complaints.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
