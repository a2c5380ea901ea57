"""The live view of a run: the phase at work, and a line for each finished one.

On a terminal the line of the phase is drawn anew several times a second. In a pipe or a log file
it is printed when the phase begins and ends, and once a minute between.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from itertools import cycle

from rich.console import Console
from rich.live import Live
from rich.text import Text

from autoevol.experiments.models.budget import Totals
from autoevol.experiments.terminal.console import as_line, time_of_day
from autoevol.experiments.terminal.phase_line import PhaseLine
from autoevol.experiments.terminal.samples import SampleRows
from autoevol.program.listeners import Phase
from autoevol.program.records import Outcome

_INTERVAL = 60.0
"""Seconds between two lines of a phase, where no terminal draws it."""

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"


class ProgressBar:
    """A listener that shows the phase at work.

    Args:
        console: Where it is shown.
        samples: Chooses finished rows to show; None: no row is shown.
    """

    def __init__(self, console: Console, samples: SampleRows | None = None) -> None:
        self._console = console
        self._samples = samples
        self._totals = Totals()
        self._line: PhaseLine | None = None
        self._frames = cycle(_FRAMES if is_unicode(console) else _PLAIN_FRAMES)

    def count_tokens(self, totals: Totals) -> None:
        """Show the tokens per second and the cost of an engine that has just been opened.

        Args:
            totals: Of the engine; they grow with each call.
        """
        # The view is older than the engine: it shows the download of the engine's weights, too.
        self._totals = totals

    def on_phase(self, phase: Phase) -> None:
        """Finish the phase before and begin one."""
        self.finish()
        # A log would not show otherwise what is going on.
        if not draws(self._console):
            self._print([phase.name])
        self._line = PhaseLine(phase.name, phase.total, self._totals)

    def on_row(self, outcome: Outcome) -> None:
        """Count a row, and show it now and then if rows are to be shown."""
        if self._line is not None:
            self._line.count(outcome)
        if self._samples and (panel := self._samples.panel(outcome)):
            self._console.print(panel)

    def advance(self, *, failed: bool) -> None:
        """Count a finished piece of the phase's work."""
        if self._line is not None:
            self._line.advance(failed=failed)

    def on_part(self, done: int, total: int) -> None:
        """Show a download: its finished parts, and all of them."""
        if done == 1 or self._line is None:
            self.on_phase(Phase("download the model", total))
        if self._line is not None:
            self._line.done = done

    def finish(self) -> None:
        """Print the line of the finished phase."""
        if self._line is None:
            return
        line, self._line = self._line, None
        first, *rest = line.result()
        self._print([f"{'✓' if is_unicode(self._console) else 'done:'} {first}", *rest])

    def report(self) -> None:
        """Print the line of the phase at work, for a log that is not drawn anew."""
        if (line := self._line) is not None:
            self._print(line.parts())

    def __rich__(self) -> Text:
        """Return the live line; its parts are wrapped between them, never within one."""
        line = self._line
        if line is None:
            return Text("")
        parts = [f"{next(self._frames)} {line.parts()[0]}", *line.parts()[1:]]
        return Text("\n".join(packed(parts, self._console.width)))

    def _print(self, parts: Sequence[str]) -> None:
        if draws(self._console):
            lines = packed([as_line(part) for part in parts], self._console.width)
        else:
            lines = [as_line(f"[{time_of_day()}] {' · '.join(parts)}")]
        for line in lines:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def packed(parts: Sequence[str], width: int) -> list[str]:
    """Return the parts joined to lines of at most `width` columns; later lines are indented.

    A part that is wider than a line by itself is cut off.
    """
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and Text(longer).cell_len > width:
            lines.append(f"  {part}")
        else:
            lines[-1:] = [longer]
    return [_cut(line, width) for line in lines]


def _cut(line: str, width: int) -> str:
    text = Text(line)
    text.truncate(width, overflow="ellipsis")
    return text.plain


def is_unicode(console: Console) -> bool:
    """Return whether the console's encoding holds what the live view draws."""
    return console.encoding.lower().startswith("utf")


def draws(console: Console) -> bool:
    """Return whether lines can be drawn anew on the console."""
    return console.is_terminal and not console.is_dumb_terminal


@contextlib.contextmanager
def progress_bar(console: Console, samples: SampleRows | None = None) -> Iterator[ProgressBar]:
    """Show progress on `console` until the block is left.

    Args:
        console: Drawn anew if it is a terminal; else a line is printed once a minute.
        samples: Chooses finished rows to show; None: no row is shown.
    """
    bar = ProgressBar(console, samples)
    shown = _drawn(bar, console) if draws(console) else _printed(bar)
    with shown:
        yield bar
        bar.finish()


@contextlib.contextmanager
def _drawn(bar: ProgressBar, console: Console) -> Iterator[None]:
    with Live(bar, console=console, refresh_per_second=5, transient=True):
        yield


@contextlib.contextmanager
def _printed(bar: ProgressBar) -> Iterator[None]:
    stopped = threading.Event()

    def report() -> None:
        while not stopped.wait(_INTERVAL):
            bar.report()

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
