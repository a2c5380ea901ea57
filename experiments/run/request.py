"""A request of the commands `run`, `optimize` and `evolve`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Scope = Literal["all", "search", "apply"]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run, and how far.

    Attributes:
        scope: The whole run, the search alone, or the bulk phase alone.
        overrides: `a.b=c`, over the config's keys.
        out: Replaces `output.dir`.
        limit: Rows of a small trial; None: all rows.
        fresh: Start anew and keep the old folder beside the new one.
        dry_run: Check and show the plan; call nothing.
        yes: Do not ask before a run that costs money.
        show: Show a finished row now and then.
    """

    scope: Scope
    file: Path
    overrides: Sequence[str] = ()
    out: Path | None = None
    limit: int | None = None
    fresh: bool = False
    dry_run: bool = False
    yes: bool = False
    show: bool = False
