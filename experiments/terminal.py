"""The terminal: what was asked for goes out, complaints go to the error stream."""

from rich.console import Console

console = Console()
complaints = Console(stderr=True)


def say(line: str) -> None:
    """Print a line as it is: brackets are no markup, and nothing is wrapped."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
