"""`dedent` and `indent` of `textwrap`, for Monty, which has no such module."""

from typing import Any


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _shared(first: str, second: str) -> str:
    size = 0
    while size < min(len(first), len(second)) and first[size] == second[size]:
        size += 1
    return first[:size]


def dedent(text: str) -> str:
    """Remove the white space that all lines begin with."""
    lines = [line if line.strip(" \t") else "" for line in text.split("\n")]
    margin: str | None = None
    for line in lines:
        if line:
            margin = _margin(line) if margin is None else _shared(margin, _margin(line))
    size = len(margin or "")
    return "\n".join([line[size:] if line else line for line in lines])


def indent(text: str, prefix: str, predicate: Any = None) -> str:
    """Put a prefix before each line that holds more than white space."""
    marked = predicate or (lambda line: bool(line.strip()))
    return "".join([(prefix if marked(line) else "") + line for line in text.splitlines(True)])
