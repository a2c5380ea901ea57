"""What a run leaves at its end: exports, report, MLflow, and the summary last; the report again."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.bandit import BANDIT
from autoevol.experiments.artifacts.folder import RunFolder, alone_in
from autoevol.experiments.artifacts.funnel import counts_by_stage, funnel
from autoevol.experiments.artifacts.identity import RUN, read_identity
from autoevol.experiments.artifacts.row_files import (
    COUNTED,
    EVOLVED,
    FAILURES,
    REJECTED,
    SURPLUS,
    check_rows,
)
from autoevol.experiments.artifacts.search_record import STEPS, record_of
from autoevol.experiments.artifacts.summary import SUMMARY, RunResult, read_summary
from autoevol.experiments.artifacts.suspects import counts_by_rule, suspects_in
from autoevol.experiments.export.writers import export_finished
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.files.records import Rejected
from autoevol.experiments.report.run_page import write_report
from autoevol.experiments.run.context import OpenRun
from autoevol.experiments.scores.filtering import FILTERED
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.scores.stored import BY_ROUND, BY_ROW
from autoevol.experiments.tracking.again import log_scores
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.program.errors import ConfigError
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import FailureMetric
from autoevol.signatures import Method

_ARTIFACTS = ("config.yaml", EVOLVED, FAILURES, STEPS)
_NEEDED = (RUN, "config.yaml", EVOLVED, FAILURES, SUMMARY)


def write_best(folder: RunFolder, student: Evolver, method: Method) -> None:
    """Write the best method, and the predictor that holds it, for use outside AutoEvol."""
    folder.write_method("best", method)
    student.with_method(method).evolve.save(str(folder.path / "program.json"))


def write_rejected(folder: RunFolder, rejected: Sequence[Rejected]) -> None:
    """Write the records of the data set that make no row, each with the reason."""
    if rejected:
        folder.write(REJECTED, "".join(as_json(item.as_dict()) + "\n" for item in rejected))


def write_search(opened: OpenRun, summary: dict[str, Any], result: RunResult) -> dict[str, Any]:
    """Write the steps of a search alone and its summary, and return the summary."""
    _write_steps(opened, result)
    run_id = opened.tracker.finish(summary, [], result.methods[0], has_rows=False)
    summary = {**summary, "mlflow_run_id": run_id}
    opened.folder.write("search.json", _as_json(summary))
    return summary


def write_run(
    opened: OpenRun, figures: dict[str, Any], result: RunResult, scores: ScoreResults | None
) -> dict[str, Any]:
    """Write everything that a whole run leaves, and return its summary.

    Args:
        opened: The run; its rows, scores and methods are written already.
        figures: Of the summary, as far as a search alone has them, too.
        result: Of the phases.
        scores: None: the config asks for none.
    """
    plan, folder = opened.plan, opened.folder
    # From the file, since a run does not hold its rows in memory.
    stopped = funnel(read_rows(folder.path / FAILURES))
    summary = {
        **figures,
        "judge_fitness": _fitness(opened.pipeline.failure),
        "scores": scores.by_round() if scores else [],
        "failures_by_rule": counts_by_stage(stopped),
        "suspected_by_rule": counts_by_rule(suspects_in(folder.path, figures)),
        "evolver": _evolver(folder),
    }
    export_finished(plan.config, plan.splits.seeds, summary, opened.context.say)
    _write_steps(opened, result)
    files = write_report(folder.path, summary)
    artifacts = [*(str(file.relative_to(folder.path)) for file in files), *_ARTIFACTS]
    run_id = opened.tracker.finish(summary, artifacts, result.methods[0], has_rows=True)
    summary = {**summary, "mlflow_run_id": run_id}
    # Last, for it marks the run as finished: a kill before this line leaves a run to resume.
    summary["files"] = _names(folder.path, files)
    folder.write(SUMMARY, _as_json(summary))
    return summary


def _write_steps(opened: OpenRun, result: RunResult) -> None:
    search = result.search
    record = record_of(opened.plan.start, search.steps, result.methods, search.importances)
    opened.folder.write(STEPS, record.as_json())


def _names(folder: Path, files: Sequence[Path]) -> list[str]:
    """Return the names of what the run leaves beside its ledger and its exports, sorted.

    Args:
        folder: The run's.
        files: The report and its pictures.
    """
    optional = (folder / name for name in (REJECTED, SURPLUS, BANDIT, FILTERED, BY_ROW, BY_ROUND))
    left = [
        *files,
        *(folder / name for name in (*_ARTIFACTS, RUN, "program.json")),
        *(folder / "methods").glob("*.md"),
        *(file for file in optional if file.is_file()),
    ]
    return sorted(file.relative_to(folder).as_posix() for file in left)


def _fitness(failure: FailureMetric) -> dict[str, Any]:
    """Return what the witnesses showed in their exams, by rule."""
    return {rule: fitness.as_dict() for rule, fitness in failure.fitness.items()}


def _evolver(folder: RunFolder) -> dict[str, Any] | None:
    """Return what the first rewrites showed of the evolver; None: nobody looked."""
    look = read_identity(folder.path).evolver
    return {"class": look.evolver_class, **asdict(look)} if look else None


def _as_json(summary: dict[str, Any]) -> str:
    return json.dumps(summary, indent=2, ensure_ascii=False) + "\n"


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
    for name in COUNTED:
        try:
            check_rows(folder, summary, name)
        except ConfigError as error:
            say(f"the report shows the rows that are there: {error}")
    if tracking:
        log_scores(tracking, key, {}, files, say)
    return files
