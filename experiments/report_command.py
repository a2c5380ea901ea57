"""`autoevol report`: a finished run's page and pictures, made anew of what its folder holds."""

from collections.abc import Callable
from pathlib import Path

from experiments.report import write_report
from experiments.run_facts import RUN, SUMMARY, read_identity, read_summary
from experiments.run_folder import alone_in
from experiments.score_files import EVOLVED
from experiments.search_record import STEPS
from experiments.tracking import log_scores
from experiments.tracking_config import TrackingConfig
from program.errors import ConfigError

_NEEDED = (RUN, "config.yaml", EVOLVED, "failures.jsonl", SUMMARY)


def report(
    folder: Path, *, say: Callable[[str], None], tracking: TrackingConfig | None
) -> list[Path]:
    """Write the report of a finished run; its MLflow run gets it, too.

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
        raise ConfigError(str(folder), f"is no finished run's folder: no {missing}")
    key, summary = read_identity(folder).key, read_summary(folder)
    if not (folder / STEPS).is_file():
        say(f"{folder}: no {STEPS}, so the report is without the search (an older run)")
    with alone_in(folder):
        files = write_report(folder, summary)
    if tracking:
        log_scores(tracking, key, {}, files)
    return files
