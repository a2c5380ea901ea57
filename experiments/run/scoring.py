"""`autoevol score`: what a finished set is worth, in figures by round and by row."""

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
"""Says whose scores a folder holds that is no run's."""


def score(
    request: ScoreRequest,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
    tracking: TrackingConfig | None,
) -> ScoreResults:
    """Score a run or a file, write what was found out, and tell MLflow of a run's.

    Raises:
        ConfigError: The target, a score, a model or an earlier file of scores is wrong; nothing is
            written.
        StoppedError: The user wishes to stop; the same command pays no call twice.
    """
    is_run = (request.target / EVOLVED).is_file()
    with alone_in(request.target) if is_run else nullcontext():
        target = find_target(request)
        given = _checked(target)
        key = read_identity(target.folder).key if target.is_run else None
        for note in target.notes:
            say(f"{target.folder}: {note}")
        with nullcontext() if is_run else alone_in(target.folder):
            book = _scored(target, given, bar, say)
            for note in book.notes:
                say(note)
            files = _written(target, book, say)
        if tracking and key is not None:
            log_scores(tracking, key, book.figures, files)
    return book


def _checked(target: Target) -> ScoringResources:
    """Return what the scores are made with; the rows and what is in the folder are fit for it."""
    read_stored(target.folder)
    check_rows(target.rounds, target.scores, target.where)
    if not target.is_run:
        _check_source(target)
    return open_resources(target.scores, target.where)


def _written(target: Target, book: ScoreResults, say: Callable[[str], None]) -> list[Path]:
    """Write the scores, and what shows them; return the files."""
    models = {role: settings.model for role, settings in target.models.items()}
    settings = settings_of(target.scores, models)
    if target.is_run:
        return [*write_scores(target.folder, book, settings), *_shown(target.folder, say)]
    files = book.write(target.folder, settings)
    write_whole(target.folder / SOURCE, f"{Path(target.where).resolve()}\n")
    return [*files, *_draw(target.folder)]


def _shown(folder: Path, say: Callable[[str], None]) -> list[Path]:
    """Write a run's report anew and return its files; before the run's end there is none.

    A damaged folder gets none: that is said, and the scores that were paid for stay.
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


def _scored(
    target: Target, given: ScoringResources, bar: ProgressBar, say: Callable[[str], None]
) -> ScoreResults:
    listeners = Listeners(on_phase=bar.on_phase, on_row=bar.on_row)
    if not target.models:
        return asyncio.run(score_set(target.rounds, target.scores, given, listeners))

    async def work(roles: Mapping[str, Role], in_flight: int) -> ScoreResults:
        asked = asking(given, roles, in_flight=in_flight, seed=target.seed)
        return await score_set(target.rounds, target.scores, asked, listeners)

    ledger = target.folder / "ledger.sqlite"
    return model_session(target.models, ledger, work, bar=bar, say=say, adapters=target.adapters)


def _check_source(target: Target) -> None:
    """Refuse a folder with the scores of another file: they would be taken for this one's.

    Raises:
        ConfigError: Names both.
    """
    file = target.folder / SOURCE
    known = file.read_text("utf-8").strip() if file.is_file() else None
    if known not in (None, str(Path(target.where).resolve())):
        raise ConfigError(
            str(target.folder), f"holds the scores of {known}; choose another (--out)"
        )
