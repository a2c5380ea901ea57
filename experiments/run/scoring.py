"""`autoevol score`: the scores of a run or a file, computed and written."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.artifacts.format import rules_of
from autoevol.experiments.artifacts.identity import read_identity
from autoevol.experiments.artifacts.resume import LEDGER
from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.judging.session import SessionOptions, model_session
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.report.plots import write_pictures
from autoevol.experiments.report.run_page import write_report
from autoevol.experiments.report.score_figures import score_figures
from autoevol.experiments.scores.files import write_scores
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.scores.scoring import (
    ScoringResources,
    check_rows,
    open_resources,
    score_set,
    score_settings,
)
from autoevol.experiments.scores.stored import read_stored, write_score_files
from autoevol.experiments.scores.target import ScoreRequest, Target, find_target
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.tracking.again import log_scores
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.roles import Role

SOURCE = "scored-file.txt"
"""In a folder that is no run's: the path of the file whose scores it holds."""


def score(
    request: ScoreRequest,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
    tracking: TrackingConfig | None,
) -> ScoreResults:
    """Score a run or a file, write the results, and log a run's in MLflow.

    Raises:
        ConfigError: The target, a score, a model or an earlier file of scores is wrong; nothing is
            written.
        StoppedError: The user stopped the command; the same command pays for no call twice.
    """
    is_run = (request.target / EVOLVED).is_file()
    # A run's folder is locked before it is read. A file's folder is known only once its target is
    # read, and created by the lock, so a mistake in the target leaves none.
    with alone_in(request.target) if is_run else nullcontext():
        target = find_target(request)
        resources = _checked_resources(target)
        key = read_identity(target.folder).key if target.is_run else None
        for note in target.notes:
            say(f"{target.folder}: {note}")
        with nullcontext() if is_run else alone_in(target.folder):
            results = _results(target, resources, bar, say)
            for note in results.notes:
                say(note)
            files = _write(target, results, say)
        if tracking and key is not None:
            log_scores(tracking, key, results.figures, files, say)
    return results


def _checked_resources(target: Target) -> ScoringResources:
    """Return what the scores need, once the rows and the folder's earlier scores are checked."""
    # Damaged scores are refused here, before any call is paid.
    read_stored(target.folder)
    check_rows(target.rounds, target.scores, target.where)
    if not target.is_run:
        _check_source(target)
    return open_resources(target.scores, target.where)


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


def _results(
    target: Target, resources: ScoringResources, bar: ProgressBar, say: Callable[[str], None]
) -> ScoreResults:
    listeners = Listeners(on_phase=bar.on_phase, on_row=bar.on_row)
    if not target.models:
        return asyncio.run(score_set(target.rounds, target.scores, resources, listeners))

    async def work(roles: Mapping[str, Role], in_flight: int) -> ScoreResults:
        with_roles = resources.with_roles(roles, in_flight=in_flight, seed=target.seed)
        return await score_set(target.rounds, target.scores, with_roles, listeners)

    # A run's own ledger holds the calls of its judge under the rules of its format.
    number = read_identity(target.folder).format if target.is_run else 1
    ledger = LedgerSettings(target.folder / LEDGER, rules_of(number).greedy_draws)
    options = SessionOptions(target.adapters)
    return model_session(target.models, ledger, work, bar=bar, say=say, options=options)


def _write(target: Target, results: ScoreResults, say: Callable[[str], None]) -> list[Path]:
    """Write the scores with their report or pictures; return the files."""
    models = {role: settings.model for role, settings in target.models.items()}
    settings = score_settings(target.scores, models)
    if target.is_run:
        return [*write_scores(target.folder, results, settings), *_report(target.folder, say)]
    files = write_score_files(target.folder, results, settings)
    write_whole(target.folder / SOURCE, f"{Path(target.where).resolve()}\n")
    return [*files, *_pictures(target.folder)]


def _report(folder: Path, say: Callable[[str], None]) -> list[Path]:
    """Rewrite a run's report and return its files; an unfinished run gets pictures alone.

    A damaged folder gets no report: the user is told, and the scores that were paid for stay.
    """
    if not (folder / SUMMARY).is_file():
        return _pictures(folder)
    try:
        return write_report(folder, read_summary(folder))
    except ConfigError as error:
        say(f"the scores are kept, the report is not rewritten: {error}")
        return []


def _pictures(folder: Path) -> list[Path]:
    """Write the pictures that the scores of a folder allow; return the files."""
    return [*write_pictures(score_figures(read_stored(folder)), folder).values()]
