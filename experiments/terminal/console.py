"""The terminal: what was asked for goes out, complaints go to the error stream."""

import logging

from rich.console import Console

console = Console()
complaints = Console(stderr=True)


def say(line: str) -> None:
    """Print a line as it is: brackets are no markup, and nothing is wrapped."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def quiet_libraries() -> None:
    """Silence the libraries' chatter; what matters is reported by the run itself."""
    for name in ("dspy", "LiteLLM", "httpx", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def complain(message: str) -> None:
    """Print what the user has to know, in red, on the error stream."""
    complaints.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
