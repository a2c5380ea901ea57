"""`autoevol run` on a config with a matrix: the cells, one after the other."""

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
from autoevol.experiments.matrix.grid import read_matrix
from autoevol.experiments.matrix.plan import Planned, PlannedCell, plan_matrix
from autoevol.experiments.matrix.results import figures_of
from autoevol.experiments.matrix.tables import show_cells, show_estimates, told_of
from autoevol.experiments.matrix.tracking import MatrixRun, matrix_run
from autoevol.experiments.run.command import perform
from autoevol.experiments.run.plan import Plan
from autoevol.experiments.run.request import RunRequest
from autoevol.experiments.terminal.console import say
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.experiments.tracking.config import load_tracking
from autoevol.program.errors import ConfigError

IDENTITY, FIGURES = "matrix.json", "cells.json"
Confirm = Callable[[Sequence[Plan], Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a matrix the same one on resume.

    Attributes:
        key: Of the folder; drawn when it was first used.
        started: When that was.
    """

    key: str
    started: datetime


def run_matrix(request: RunRequest, tree: dict[str, Any], confirm: Confirm) -> None:
    """Check all cells, then run those that are not finished; print a line for each.

    Args:
        request: What the user asked for.
        tree: The config's keys.
        confirm: Asks before money is spent on plans, which the second argument shows.

    Raises:
        ConfigError: The user must change something; before the first call nothing is written.
        StoppedError: A cell stopped early, and the matrix with it; the same command goes on.
    """
    planned = plan_matrix(read_matrix(tree, request.file, request.overrides), request)
    if planned.note:
        say(planned.note)
    if request.dry_run:
        show_estimates(planned)
        return
    load_tracking()
    plans = [each.plan for each in planned.pending]
    confirm(plans, lambda: show_estimates(planned))
    done = planned if _is_done(planned) else _all_done(planned, request)
    if done is planned:
        for each in planned.cells:
            say(told_of(each))
    show_cells(done)
    if request.scope != "search":
        folders = (str(each.plan.config.folder) for each in done.cells)
        say(f"compare  autoevol compare {' '.join(folders)}")


def _is_done(planned: Planned) -> bool:
    """Tell whether an earlier command has finished and told of these very cells."""
    file = planned.folder / FIGURES
    return not planned.pending and file.is_file() and _read(file) == figures_of(planned)


def _all_done(planned: Planned, request: RunRequest) -> Planned:
    """Return the cells with their summaries; those that have none are run."""
    with stopping_on_signal(say), alone_in(planned.folder):
        identity = _identity(planned.folder, is_new=request.fresh)
        key = f"{identity.key}-{planned.matrix.digest}"
        with matrix_run(load_tracking(), planned, key, identity.started) as parent:
            found = _run_cells(planned, request, parent)
            if parent:
                parent.finish(found)
        _write(planned.folder / FIGURES, figures_of(found))
    return found


def _run_cells(planned: Planned, request: RunRequest, parent: MatrixRun | None) -> Planned:
    for number, each in enumerate(planned.cells):
        say(f"cell {number + 1} of {len(planned.cells)}: {each.cell.name}")
        with _naming(each):
            done = _done(each, request, parent)
        planned = planned.with_cell(number, done)
        if parent:
            parent.record(planned)
        say(told_of(done))
    return planned


def _done(each: PlannedCell, request: RunRequest, parent: MatrixRun | None) -> PlannedCell:
    """Return a cell with its summary; it is run unless it is finished."""
    if each.summary is None:
        tags = parent.tags(each.cell) if parent else {}
        return replace(each, summary=perform(each.plan, request, tags))
    export_finished(each.plan.config, each.plan.splits.seeds, each.summary, say)
    if parent:
        parent.adopt(each)
    return each


@contextlib.contextmanager
def _naming(each: PlannedCell) -> Iterator[None]:
    """Say which cell it was that the user has to do something about."""
    try:
        yield
    except ConfigError as error:
        told = f"{error.problem} (cell {each.cell.name})"
        raise ConfigError(error.where, told) from error


def _identity(folder: Path, *, is_new: bool) -> Identity:
    file = folder / IDENTITY
    if file.is_file() and not is_new:
        known = _read(file)
        return Identity(known["key"], datetime.fromisoformat(known["started"]))
    identity = Identity(uuid.uuid4().hex, datetime.now(UTC))
    _write(file, {"key": identity.key, "started": identity.started.isoformat()})
    return identity


def _read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def _write(file: Path, told: Any) -> None:
    write_whole(file, json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n")
