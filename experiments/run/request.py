"""What a user asks of `run`, `optimize` or `evolve`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Scope = Literal["all", "search", "apply"]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is to be run, and how far.

    Attributes:
        scope: The whole run, the search alone, or the bulk phase alone.
        overrides: `a.b=c`, over the config's keys.
        out: Replaces `output.dir`.
        limit: A small trial of so many rows; None: all.
        fresh: Start anew and keep the old folder beside the new one.
        dry_run: Check and show the plan; call nothing.
        yes: Do not ask before a run that costs money.
    """

    scope: Scope
    file: Path
    overrides: Sequence[str] = ()
    out: Path | None = None
    limit: int | None = None
    fresh: bool = False
    dry_run: bool = False
    yes: bool = False
