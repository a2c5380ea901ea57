"""Rows that are shown while a run works: before and after, with F's verdict."""

import time
from collections.abc import Callable

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autoevol.experiments.terminal.console import as_line, as_text
from autoevol.program.records import Outcome

_INTERVAL = 20.0
"""Seconds between two rows: one can read them, and they do not push all else off the screen."""

_LONGEST = 400
"""Characters of a text in a panel that is shown while a run works."""


class SampleRows:
    """Chooses a finished row now and then, at most one in 20 seconds.

    Args:
        clock: Gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock()

    def panel(self, outcome: Outcome) -> RenderableType | None:
        """Return the panel of a row; None: another was shown a moment ago."""
        now = self._clock()
        if now < self._next:
            return None
        self._next = now + _INTERVAL
        return outcome_panel(outcome, longest=_LONGEST)


def outcome_panel(outcome: Outcome, longest: int | None = None) -> Panel:
    """Return a row before and after, with its reasons.

    Args:
        outcome: Of the row.
        longest: Characters of a text that are shown; None: all.
    """
    row, grid = outcome.row, Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    # As text: rows may hold what the console takes for markup.
    grid.add_row("before", _text(outcome.source.question, longest))
    grid.add_row("after", _text(row.question or outcome.raw, longest))
    if row.response:
        grid.add_row("response", _text("\n\n".join(row.answers) or row.response, longest))
    for reason in (*outcome.reasons, *row.suspected_by):
        grid.add_row(reason.rule, Text(as_text(reason.evidence)))
    title = f"{row.seed_id} · round {row.round} · {row.method or 'answered'} · {verdict(outcome)}"
    return Panel(grid, title=Text(as_line(title)), title_align="left")


def verdict(outcome: Outcome) -> str:
    """Return what became of a row, in words."""
    if outcome.status == "failed":
        return f"failed at {outcome.failed_at}"
    return "kept under suspicion" if outcome.row.suspected_by else outcome.status


def shortened(text: str, longest: int | None) -> str:
    """Return a text of at most `longest` characters; None: the whole."""
    is_cut = longest is not None and len(text) > longest
    return f"{text[:longest].rstrip()} …" if is_cut else text


def _text(text: str, longest: int | None) -> Text:
    return Text(as_text(shortened(text, longest)))
