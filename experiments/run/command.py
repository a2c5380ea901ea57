"""One run for the command line and for a matrix: check it, find it finished, or run it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.folder import check_folder
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.run.finished import find_summary
from autoevol.experiments.run.planning.plan import Plan, make_plan
from autoevol.experiments.run.request import RunRequest
from autoevol.experiments.terminal.console import console, quiet_libraries, say, say_at
from autoevol.experiments.terminal.progress import progress_bar
from autoevol.experiments.terminal.samples import SampleRows
from autoevol.experiments.tracking.config import load_tracking
from autoevol.program.errors import ConfigError, TargetMissedError


def checked_plan(config: ExperimentConfig, request: RunRequest) -> Plan:
    """Check everything that needs no model and return the plan; nothing is written.

    Raises:
        ConfigError: Names the file and the key.
    """
    if request.scope == "search" and not config.is_search:
        raise ConfigError(
            f"{request.file}: optimizer.name", "is none, so there is no search; set another name"
        )
    plan = replace(make_plan(config, str(request.file)), is_fresh=request.fresh)
    check_folder(plan.config, plan.content, fresh=request.fresh)
    return plan


def finished(plan: Plan, request: RunRequest) -> dict[str, Any] | None:
    """Return the summary of a run that is finished; None: something is left to do.

    Raises:
        ConfigError: The run was finished, a file of it is damaged, and its ledger is gone.
    """
    return None if request.fresh else find_summary(plan, say)


def check_target(plan: Plan, summary: Mapping[str, Any]) -> None:
    """Return, or raise where fewer rows came out than were asked for.

    Raises:
        TargetMissedError: All is written; more seeds, rounds or children would give more rows.
    """
    target = plan.config.evolve.target
    filtered = sum(summary["rows_filtered"].values())
    kept = summary["rows_out"] - filtered
    if target and kept < target:
        raise TargetMissedError(
            f"evolve.target: {kept:,} of {target:,} rows, and the seeds are used up"
        )


def perform(
    plan: Plan,
    request: RunRequest,
    tags: Mapping[str, str] | None = None,
    lenders: Sequence[Path] = (),
) -> dict[str, Any]:
    """Run a plan and return its summary.

    Args:
        plan: Of the run.
        request: Says whether to start anew, and which phases to run.
        tags: Of its MLflow run.
        lenders: Ledgers of other runs, whose finished calls are used and not paid again.
    """
    # These load aiohttp and Optuna, which a dry run and a finished run do without.
    from autoevol.experiments.models.runtime import load_libraries
    from autoevol.experiments.run.context import RunContext
    from autoevol.experiments.run.runner import load_search, run

    quiet_libraries()
    # Before the progress bar, which starts a thread.
    load_libraries(plan.models)
    load_search(plan, request.scope)
    tracking = load_tracking()
    samples = SampleRows() if request.show else None
    with progress_bar(console, samples) as bar:
        context = RunContext(
            bar=bar,
            say=say_at,
            tracking=tracking,
            fresh=request.fresh,
            scope=request.scope,
            tags=tags or {},
            lenders=lenders,
        )
        return run(plan, context)
