"""`autoevol score`: scores of a finished set, by round and by row."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from autoevol.experiments.artifacts.folder import SUMMARY, alone_in, read_identity, read_summary
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.judging.session import model_session
from autoevol.experiments.report.plots import write_pictures
from autoevol.experiments.report.run_page import write_report
from autoevol.experiments.report.score_figures import score_figures
from autoevol.experiments.scores.files import EVOLVED, write_scores
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.scores.scoring import (
    ScoringResources,
    asking,
    check_rows,
    open_resources,
    score_set,
    settings_of,
)
from autoevol.experiments.scores.stored import read_stored
from autoevol.experiments.scores.target import ScoreRequest, Target, find_target
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.run import log_scores
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.roles import Role

SOURCE = "scored-file.txt"
"""Names the file whose scores a folder holds that is no run's."""


def score(
    request: ScoreRequest,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
    tracking: TrackingConfig | None,
) -> ScoreResults:
    """Score a run or a file and write the scores; those of a run go to MLflow, too.

    Args:
        request: Names the run or the file, and the scores.
        bar: Shows the progress.
        say: Prints one line for the user.
        tracking: None: nothing is tracked.

    Raises:
        ConfigError: The target, a score, a model or an earlier file of scores is wrong; nothing is
            written.
        StoppedError: The user stopped it; the same command pays no call twice.
    """
    is_run = (request.target / EVOLVED).is_file()
    # The lock of a run comes before its rows are read: another command might be writing them.
    with alone_in(request.target) if is_run else nullcontext():
        target = find_target(request)
        resources = _open(target)
        key = read_identity(target.folder).key if target.is_run else None
        for note in target.notes:
            say(f"{target.folder}: {note}")
        with nullcontext() if is_run else alone_in(target.folder):
            results = _score(target, resources, bar, say)
            for note in results.notes:
                say(note)
            files = _write(target, results, say)
        if tracking and key is not None:
            log_scores(tracking, key, results.figures, files)
    return results


def _open(target: Target) -> ScoringResources:
    """Check the rows and the folder, then open what the scores need beside models."""
    read_stored(target.folder)
    check_rows(target.rounds, target.scores, target.where)
    if not target.is_run:
        _check_source(target)
    return open_resources(target.scores, target.where)


def _write(target: Target, results: ScoreResults, say: Callable[[str], None]) -> list[Path]:
    """Write the scores, and the pages and pictures that show them; return the files."""
    models = {role: settings.model for role, settings in target.models.items()}
    settings = settings_of(target.scores, models)
    if target.is_run:
        files = write_scores(target.folder, results, settings)
        return [*files, *_write_pages(target.folder, say)]
    files = results.write(target.folder, settings)
    write_whole(target.folder / SOURCE, f"{Path(target.where).resolve()}\n")
    return [*files, *_draw(target.folder)]


def _write_pages(folder: Path, say: Callable[[str], None]) -> list[Path]:
    """Write a run's report anew and return its files; before the run's end there is none.

    A damaged folder gets no report. The user is warned, and the scores, which are paid, stay.
    """
    if not (folder / SUMMARY).is_file():
        return _draw(folder)
    try:
        return write_report(folder, read_summary(folder))
    except ConfigError as error:
        say(f"the scores are kept, the report is not written anew: {error}")
        return []


def _draw(folder: Path) -> list[Path]:
    """Write the pictures that the scores of a folder allow."""
    return [*write_pictures(score_figures(read_stored(folder)), folder).values()]


def _score(
    target: Target, resources: ScoringResources, bar: ProgressBar, say: Callable[[str], None]
) -> ScoreResults:
    listeners = Listeners(on_phase=bar.on_phase, on_row=bar.on_row)
    if not target.models:
        return asyncio.run(score_set(target.rounds, target.scores, resources, listeners))

    async def work(roles: Mapping[str, Role], in_flight: int) -> ScoreResults:
        complete = asking(resources, roles, in_flight=in_flight, seed=target.seed)
        return await score_set(target.rounds, target.scores, complete, listeners)

    ledger = target.folder / "ledger.sqlite"
    return model_session(target.models, ledger, work, bar=bar, say=say, adapters=target.adapters)


def _check_source(target: Target) -> None:
    """Refuse a folder with the scores of another file: they would be taken for this one's.

    Raises:
        ConfigError: Names both.
    """
    file = target.folder / SOURCE
    source = file.read_text("utf-8").strip() if file.is_file() else None
    if source not in (None, str(Path(target.where).resolve())):
        raise ConfigError(
            str(target.folder), f"holds the scores of {source}; choose another folder (--out)"
        )
