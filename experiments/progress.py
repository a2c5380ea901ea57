"""The live progress of a run: phase, rows, tokens per second, failures, time left."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from experiments.models.engine import Totals
from program.listeners import Phase
from program.records import Outcome


class _Speed(ProgressColumn):
    """Rows and tokens per second of the phase, from its own clock."""

    def render(self, task: Task) -> Text:
        """Return the figures of `task`."""
        elapsed = task.elapsed or 0.0
        if elapsed < 1:
            return Text("")
        tokens = task.fields["tokens_now"]() - task.fields["tokens_before"]
        return Text(f"{task.completed / elapsed:.2f} rows/s · {tokens / elapsed:.0f} tok/s", "dim")


@dataclass
class ProgressBar:
    """A listener that shows one line per phase.

    Attributes:
        totals: Read for tokens per second, once the engine is open.
    """

    progress: Progress
    totals: Totals = field(default_factory=Totals)
    _task: int | None = None

    def on_phase(self, phase: Phase) -> None:
        """Start a line; the line before is finished."""
        self.finish()
        self._task = self.progress.add_task(
            phase.name,
            total=phase.total or None,
            tokens_now=self._tokens,
            tokens_before=self._tokens(),
            failed=0,
        )

    def on_row(self, outcome: Outcome) -> None:
        """Count a row."""
        if self._task is not None:
            task = self.progress.tasks[self._task]
            failed = task.fields["failed"] + (outcome.status == "failed")
            self.progress.update(task.id, advance=1, failed=failed)

    def on_part(self, done: int, total: int) -> None:
        """Show a download: parts done and in all."""
        if done == 1 or self._task is None:
            self.on_phase(Phase("download the model", total))
        if self._task is not None:
            self.progress.update(self.progress.tasks[self._task].id, completed=done)

    def finish(self) -> None:
        """Close the line of the phase."""
        if self._task is not None:
            task = self.progress.tasks[self._task]
            self.progress.update(
                task.id, total=max(task.completed, 1), completed=max(task.completed, 1)
            )

    def _tokens(self) -> int:
        return self.totals.tokens_in + self.totals.tokens_out


@contextlib.contextmanager
def progress_bar(console: Console) -> Iterator[ProgressBar]:
    """Show progress on `console`; without a terminal only finished lines are printed."""
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed", style="yellow"),
        _Speed(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        bar = ProgressBar(progress)
        yield bar
        bar.finish()
