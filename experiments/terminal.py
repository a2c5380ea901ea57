"""The terminal: what was asked for goes out, complaints go to the error stream."""

from rich.console import Console

console = Console()
complaints = Console(stderr=True)
