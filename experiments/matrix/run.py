"""`autoevol run` on a config with a matrix: runs the cells, one after the other."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.export.writers import export_finished
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.files.reading import read_json, read_object
from autoevol.experiments.matrix.grid import read_matrix
from autoevol.experiments.matrix.plan import MatrixPlan, PlannedCell, plan_matrix
from autoevol.experiments.matrix.results import figures_of
from autoevol.experiments.matrix.tables import outcome_line, show_cells, show_estimates
from autoevol.experiments.matrix.tracking import MatrixRun, matrix_run
from autoevol.experiments.run.command import perform
from autoevol.experiments.run.planning.notes import notes
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.request import RunRequest
from autoevol.experiments.terminal.console import say
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.experiments.tracking.again import track_later
from autoevol.experiments.tracking.config import TrackingConfig, load_tracking
from autoevol.program.errors import ConfigError

IDENTITY, FIGURES = "matrix.json", "cells.json"
Confirm = Callable[[Sequence[Plan], Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a matrix's folder, by which a resumed matrix finds its MLflow run.

    Attributes:
        key: Drawn when the folder was first used.
        started: When that was.
    """

    key: str
    started: datetime


def run_matrix(request: RunRequest, tree: dict[str, Any], confirm: Confirm) -> None:
    """Check all cells, then run those that are not finished; print a line for each.

    Args:
        request: The command's.
        tree: The config's keys.
        confirm: Asks before money is spent on the plans; its second argument shows them.

    Raises:
        ConfigError: The user must change something; before the first call nothing is written.
        StoppedError: A cell stopped early, and the matrix with it; the same command resumes.
    """
    planned = plan_matrix(read_matrix(tree, request.file, request.overrides), request)
    if planned.note:
        say(planned.note)
    for note in dict.fromkeys(note for cell in planned.cells for note in notes(cell.plan)):
        say(note)
    if request.dry_run:
        show_estimates(planned)
        return
    # A malformed mlflow.yaml is refused before the user is asked for money.
    tracking = load_tracking()
    plans = [cell.plan for cell in planned.pending]
    confirm(plans, lambda: show_estimates(planned))
    done = planned if _is_done(planned, tracking) else _run_pending(planned, request)
    if done is planned:
        for cell in planned.cells:
            say(outcome_line(cell))
    show_cells(done)
    if request.scope != "search":
        folders = (str(cell.plan.config.folder) for cell in done.cells)
        say(f"compare  {command_line('compare', *folders)}")


def _is_done(planned: MatrixPlan, tracking: TrackingConfig | None) -> bool:
    """Tell whether an earlier command finished and tracked these cells, and wrote their figures."""
    if tracking and any(not (cell.summary or {}).get("mlflow_run_id") for cell in planned.cells):
        return False
    file = planned.folder / FIGURES
    # A kill after the last cell leaves all cells finished, but the figures unwritten and the
    # parent run open.
    return not planned.pending and _figures_in(file) == figures_of(planned)


def _figures_in(file: Path) -> Any:
    """Return the figures of an earlier command; None: there are none, or the file is damaged."""
    try:
        return read_json(file)
    except ConfigError:
        return None


def _run_pending(planned: MatrixPlan, request: RunRequest) -> MatrixPlan:
    """Return the cells with their summaries; those that have none are run."""
    # Each cell's run handles signals by itself; these handlers are for the time between the cells.
    with stopping_on_signal(say), alone_in(planned.folder):
        identity = _identity(planned.folder, is_new=request.fresh)
        # The digest makes other values a matrix of their own, though they share the folder.
        key = f"{identity.key}-{planned.matrix.digest}"
        with matrix_run(load_tracking(), planned, key, identity.started) as parent:
            done = _run_cells(planned, request, parent)
            if parent:
                parent.finish(done)
        # After the parent run has ended: for `_is_done` this file marks a finished matrix.
        _write(planned.folder / FIGURES, figures_of(done))
    return done


def _run_cells(planned: MatrixPlan, request: RunRequest, parent: MatrixRun | None) -> MatrixPlan:
    for number, cell in enumerate(planned.cells):
        say(f"cell {number + 1} of {len(planned.cells)}: {cell.cell.name}")
        with _naming(cell):
            done = _run_cell(cell, request, parent, planned.ledgers_beside(number))
        planned = planned.with_cell(number, done)
        if parent:
            parent.record(planned)
        say(outcome_line(done))
    return planned


def _run_cell(
    planned: PlannedCell, request: RunRequest, parent: MatrixRun | None, lenders: Sequence[Path]
) -> PlannedCell:
    """Return a cell with its summary; it is run unless it is finished.

    Args:
        planned: The cell.
        request: The command's.
        parent: The matrix's run in MLflow.
        lenders: The other cells' ledgers. Cells that differ in a late setting ask many of the same
            questions.
    """
    if planned.summary is None:
        tags = parent.tags(planned.cell) if parent else {}
        return replace(planned, summary=perform(planned.plan, request, tags, lenders))
    # `output` may differ on resume, so a finished cell may have new exports to write.
    plan = planned.plan
    export_finished(plan.config, plan.splits.seeds, planned.summary, say)
    return replace(
        planned, summary=track_later(plan.config.folder, planned.summary, load_tracking(), say)
    )


@contextlib.contextmanager
def _naming(planned: PlannedCell) -> Iterator[None]:
    """Add the cell's name to an error that the user has to do something about."""
    try:
        yield
    except ConfigError as error:
        problem = f"{error.problem} (cell {planned.cell.name})"
        raise ConfigError(error.where, problem) from error


def _identity(folder: Path, *, is_new: bool) -> Identity:
    file = folder / IDENTITY
    if file.is_file() and not is_new:
        tree = read_object(file)
        try:
            return Identity(str(tree["key"]), datetime.fromisoformat(tree["started"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                str(file),
                f"is not what a matrix writes there: {error!r}; remove it, or use --fresh",
            ) from error
    identity = Identity(uuid.uuid4().hex, datetime.now(UTC))
    _write(file, {"key": identity.key, "started": identity.started.isoformat()})
    return identity


def _write(file: Path, tree: Any) -> None:
    write_whole(file, json.dumps(tree, indent=2, ensure_ascii=False, default=str) + "\n")
