"""A matrix in MLflow: one parent run, found again on resume; each cell's run is its child."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from autoevol.experiments.matrix.grid import Cell
from autoevol.experiments.matrix.names import concealed
from autoevol.experiments.matrix.plan import MatrixPlan, PlannedCell
from autoevol.experiments.matrix.results import figures_of
from autoevol.experiments.terminal.console import say
from autoevol.experiments.tracking.background import BackgroundLog
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.naming.runs import run_name
from autoevol.experiments.tracking.parent import CELL_OF
from autoevol.experiments.tracking.run import ABANDONING_S, FINISHING_S, STOPPING_S
from autoevol.experiments.tracking.store import (
    Store,
    log_metrics,
    log_params,
    log_table,
    open_store,
    set_tags,
)
from autoevol.program.errors import StoppedError

TABLE = "cells.json"
SUMMED = {
    "rows_out": "matrix/rows_kept",
    "rows_failed": "matrix/rows_failed",
    "calls": "matrix/calls",
    "tokens_in": "matrix/tokens_in",
    "tokens_out": "matrix/tokens_out",
    "cost_usd": "matrix/cost_usd",
}
"""Figures of the cells that are summed, with the metrics of their sums."""


class MatrixRun:
    """The parent run, logged on a thread of its own: a tracker that fails stops no cell.

    Args:
        config: Where.
        planned: The checked matrix.
        key: Identifies it in the store.
        started: When it was first run.
    """

    def __init__(
        self, config: TrackingConfig, planned: MatrixPlan, key: str, started: datetime
    ) -> None:
        self._key, self._name, self._folder = key, planned.name, planned.folder
        self._log = BackgroundLog(_say_untracked)
        self._parent: _Parent | None = None
        self._log.submit(partial(self._open, config, planned, started))

    def tags(self, cell: Cell) -> dict[str, str]:
        """Return the tags that make a cell's run a child of the matrix, and name the cell."""
        return {
            CELL_OF: self._key,
            "mlflow.runName": run_name(cell.name, self._folder / cell.name),
            "run_kind": "cell",
            "matrix": self._name,
            "cell": cell.name,
        }

    def record(self, planned: MatrixPlan) -> None:
        """Log the table of the cells as far as they are finished, and make them children."""
        self._submit(lambda parent: parent.record(planned, self.tags))

    def finish(self, planned: MatrixPlan) -> None:
        """Log the sums over all cells."""
        self._submit(lambda parent: parent.finish(planned))

    def end(self, status: str, seconds: float) -> None:
        """End the parent run, and wait for MLflow at most so long."""
        self._submit(lambda parent: parent.end(status))
        self._log.close(seconds)

    def _open(self, config: TrackingConfig, planned: MatrixPlan, started: datetime) -> None:
        store = open_store(config)
        self._parent = _Parent(store, _parent(store, config, planned, self._key, started))

    def _submit(self, action: Callable[["_Parent"], None]) -> None:
        def act() -> None:
            # The thread has opened the parent before.
            if self._parent:
                action(self._parent)

        self._log.submit(act)


@dataclass(frozen=True, slots=True)
class _Parent:
    """The parent run as it is in the store; its methods run on the tracker's thread."""

    store: Store
    run_id: str

    def record(self, planned: MatrixPlan, tags: Callable[[Cell], dict[str, str]]) -> None:
        for cell in planned.cells:
            self._adopt(cell, tags(cell.cell))
        log_table(self.store.client, self.run_id, figures_of(planned), TABLE)

    def finish(self, planned: MatrixPlan) -> None:
        """Log the sums; a sum of which a cell lacks its part is left out."""
        lines = figures_of(planned)
        figures = {}
        for name, metric in SUMMED.items():
            values = [line[name] for line in lines]
            if None not in values:
                figures[metric] = float(sum(values))
        log_metrics(self.store.client, self.run_id, figures)

    def end(self, status: str) -> None:
        self.store.client.set_terminated(self.run_id, status)

    def _adopt(self, planned: PlannedCell, tags: dict[str, str]) -> None:
        """Make the run of a finished cell a child, unless it is one already."""
        run_id = (planned.summary or {}).get("mlflow_run_id")
        run = self.store.run(run_id) if run_id else None
        if run is not None:
            set_tags(self.store.client, run, {**tags, "mlflow.parentRunId": self.run_id})


def _say_untracked(reason: str) -> None:
    say(f"the matrix is not tracked: {reason}; the same command logs it later")


@contextlib.contextmanager
def matrix_run(
    config: TrackingConfig | None, planned: MatrixPlan, key: str, started: datetime
) -> Iterator[MatrixRun | None]:
    """Open the parent run, the same one on resume; it ends FINISHED, KILLED or FAILED.

    Args:
        config: None: nothing is tracked.
        planned: The checked matrix.
        key: Identifies it in the store.
        started: When it was first run.
    """
    if config is None:
        yield None
        return
    parent = MatrixRun(config, planned, key, started)
    status, seconds = "FAILED", STOPPING_S
    try:
        yield parent
        status, seconds = "FINISHED", FINISHING_S
    except KeyboardInterrupt:
        status, seconds = "KILLED", ABANDONING_S
        raise
    except StoppedError:
        status = "KILLED"
        raise
    finally:
        parent.end(status, seconds)


def _parent(
    store: Store, config: TrackingConfig, planned: MatrixPlan, key: str, started: datetime
) -> str:
    run = store.find("matrix_key", key) or _new_parent(store, config, planned, key, started)
    # An earlier command has ended it; a resumed matrix opens it again.
    store.client.update_run(run.info.run_id, status="RUNNING")
    params = {
        "name": planned.name,
        "cells": len(planned.cells),
        **{name: _listed(name, values) for name, values in planned.matrix.varied.items()},
    }
    # A param of MLflow cannot be changed, so only those that are missing are logged.
    new = {name: value for name, value in params.items() if name not in run.data.params}
    log_params(store.client, run.info.run_id, new)
    return str(run.info.run_id)


def _new_parent(
    store: Store, config: TrackingConfig, planned: MatrixPlan, key: str, started: datetime
) -> Any:
    tags = {
        **config.tags,
        "run_kind": "matrix",
        "matrix": planned.name,
        "matrix_key": key,
        "folder": str(planned.folder),
    }
    return store.client.create_run(
        store.experiment_id,
        start_time=int(started.astimezone(UTC).timestamp() * 1000),
        tags=tags,
        run_name=run_name(planned.name, planned.folder),
    )


def _listed(key: str, values: Sequence[Any]) -> str:
    return str([concealed(key, value) for value in values])
