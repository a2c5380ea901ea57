"""The live progress of a run: phase, rows, tokens per second, failures, time left."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from autoevol.experiments.models.budget import Totals
from autoevol.program.listeners import Phase
from autoevol.program.records import Outcome


class _Speed(ProgressColumn):
    """Rows and tokens per second since the phase began."""

    def render(self, task: Task) -> Text:
        """Return the figures of `task`."""
        elapsed = task.finished_time if task.finished else task.elapsed
        if not elapsed or elapsed < 1:  # too short for a rate
            return Text("")
        tokens = task.fields["tokens"]()
        return Text(f"{task.completed / elapsed:.2f} rows/s {tokens / elapsed:.0f} tok/s", "dim")


class ProgressBar:
    """A listener that shows one line per phase."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._totals = Totals()
        self._task: Task | None = None

    def count_tokens(self, totals: Totals) -> None:
        """Show the tokens per second of an engine that has just been opened.

        Args:
            totals: Of the engine; they grow with each call.
        """
        # The bar is older than the engine: it shows the download of the engine's weights, too.
        self._totals = totals

    def on_phase(self, phase: Phase) -> None:
        """Finish the line before and start one."""
        self.finish()
        # Without a terminal no live line is drawn, so a log file would not show what is going on.
        if not self._progress.console.is_terminal:
            self._progress.console.log(escape(phase.name))
        before = self._tokens()  # the engine counts the whole run, a line its own phase
        number = self._progress.add_task(
            phase.name,
            total=phase.total or None,
            tokens=lambda: self._tokens() - before,
            failed=0,
        )
        self._task = self._progress.tasks[self._progress.task_ids.index(number)]

    def on_row(self, outcome: Outcome) -> None:
        """Count a row."""
        self.advance(failed=outcome.status == "failed")

    def advance(self, *, failed: bool) -> None:
        """Count a finished piece of the phase's work."""
        if self._task is not None:
            failures = self._task.fields["failed"] + failed
            self._progress.update(self._task.id, advance=1, failed=failures)

    def on_part(self, done: int, total: int) -> None:
        """Show a download: its finished parts, and all of them."""
        if done == 1 or self._task is None:
            self.on_phase(Phase("download the model", total))
        if self._task is not None:
            self._progress.update(self._task.id, completed=done)

    def finish(self) -> None:
        """Close the phase's line, and freeze its figures."""
        if self._task is None:
            return
        # A phase may end before its total, and then it is complete all the same.
        done, tokens = max(self._task.completed, 1), self._task.fields["tokens"]()
        self._progress.update(self._task.id, total=done, completed=done, tokens=lambda: tokens)
        self._task = None

    def _tokens(self) -> int:
        return self._totals.tokens_in + self._totals.tokens_out


def _whole() -> Column:
    return Column(no_wrap=True)


@contextlib.contextmanager
def progress_bar(console: Console) -> Iterator[ProgressBar]:
    """Show progress on `console`; without a terminal only finished lines are printed."""
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}", markup=False, table_column=_whole()),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed", style="yellow", table_column=_whole()),
        _Speed(table_column=_whole()),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        bar = ProgressBar(progress)
        yield bar
        bar.finish()
