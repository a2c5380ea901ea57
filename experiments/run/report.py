"""`autoevol report`: a finished run's page and pictures, made anew from its folder."""

from collections.abc import Callable
from pathlib import Path

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.artifacts.identity import RUN, read_identity
from autoevol.experiments.artifacts.search_record import STEPS
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.report.run_page import write_report
from autoevol.experiments.scores.files import EVOLVED
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.run import log_scores
from autoevol.program.errors import ConfigError

_NEEDED = (RUN, "config.yaml", EVOLVED, "failures.jsonl", SUMMARY)


def renew_report(
    folder: Path, *, say: Callable[[str], None], tracking: TrackingConfig | None
) -> list[Path]:
    """Write the report of a finished run, to its folder and to its MLflow run.

    Args:
        folder: The run's.
        say: Prints one line for the user.
        tracking: None: nothing is tracked.

    Returns:
        The files, the page first.

    Raises:
        ConfigError: The folder is no finished run's, or a file of it is damaged; nothing is
            written.
    """
    if not folder.is_dir():
        raise ConfigError(str(folder), "there is no such folder")
    missing = next((name for name in _NEEDED if not (folder / name).is_file()), None)
    if missing:
        raise ConfigError(str(folder), f"is not the folder of a finished run: it has no {missing}")
    key, summary = read_identity(folder).key, read_summary(folder)
    if not (folder / STEPS).is_file():
        say(f"{folder}: has no {STEPS} (an older run), so the report leaves out the search")
    with alone_in(folder):
        files = write_report(folder, summary)
    if tracking:
        log_scores(tracking, key, {}, files)
    return files
