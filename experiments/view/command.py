"""`autoevol view`: the server until Ctrl-C; then MLflow gets the marks of rows that were traced."""

from collections.abc import Callable
from pathlib import Path

from autoevol.experiments.artifacts.identity import read_identity
from autoevol.experiments.artifacts.labels.file import LABELS
from autoevol.experiments.artifacts.summary import SUMMARY
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.tracking.again import log_marks, reporting
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.view.run_rows import RunRows
from autoevol.experiments.view.server import ViewServer

Say = Callable[[str], None]


def view(folder: Path, port: int, tracking: TrackingConfig | None, say: Say) -> None:
    """Serve the page of a run until Ctrl-C.

    Args:
        folder: The run's, which may be at work.
        port: On the loopback address; 0: any that is free.
        tracking: Where the marks are logged; None: nowhere.
        say: Prints one line.

    Raises:
        ConfigError: The folder is no run's, a file of it cannot be read, or the port is in use.
    """
    # For its check alone: it raises where the folder is no run's.
    read_identity(folder)
    rows = RunRows(folder)
    rows.refresh()
    with ViewServer(rows, port) as server:
        try:
            say(server.guard.address)
            say(f"g: good, b: bad, ?: help; marks go to {folder / LABELS}; Ctrl-C ends it")
            server.serve_forever()
        except KeyboardInterrupt:
            _say_end(folder, len(rows.marked), say)
    if tracking and rows.marked:
        _log(folder, tracking, say)


def _say_end(folder: Path, count: int, say: Say) -> None:
    say(f"{count} rows marked" if count != 1 else "1 row marked")
    if count:
        export = command_line("export", folder, "--overwrite")
        say(f"`{export}` and `autoevol train` leave out the bad ones")


def _log(folder: Path, tracking: TrackingConfig, say: Say) -> None:
    track = command_line("track", folder)
    try:
        with reporting(say, f"the marks are saved, and `{track}` tries again"):
            if count := log_marks(folder, tracking):
                say(f"MLflow has {count} marks of this run, those of rows that were traced")
            elif not (folder / SUMMARY).is_file():
                say(f"`{track}` logs the marks in MLflow once the run is over")
    except KeyboardInterrupt:
        say(f"the marks are saved; `{track}` logs them in MLflow")
