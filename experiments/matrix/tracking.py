"""A matrix in MLflow: one parent run, found again on resume; each cell's run is its child."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from autoevol.experiments.matrix.grid import Cell
from autoevol.experiments.matrix.names import concealed
from autoevol.experiments.matrix.plan import MatrixPlan, PlannedCell
from autoevol.experiments.matrix.results import figures_of
from autoevol.experiments.tracking.config import TrackingConfig
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
SUMMED = ("rows_out", "rows_failed", "calls", "tokens_in", "tokens_out", "cost_usd")


@dataclass(frozen=True, slots=True)
class MatrixRun:
    """The parent run.

    Attributes:
        name: The config's.
    """

    store: Store
    run_id: str
    name: str

    def tags(self, cell: Cell) -> dict[str, str]:
        """Return the tags that make a cell's run a child of the matrix, and name the cell."""
        return {
            "mlflow.parentRunId": self.run_id,
            "mlflow.runName": cell.name,
            "run_kind": "cell",
            "matrix": self.name,
            "cell": cell.name,
        }

    def adopt(self, planned: PlannedCell) -> None:
        """Make the run of a cell that was finished earlier a child, unless it is one already."""
        run_id = (planned.summary or {}).get("mlflow_run_id")
        run = self.store.run(run_id) if run_id else None
        if run is not None:
            set_tags(self.store.client, run, self.tags(planned.cell))

    def record(self, planned: MatrixPlan) -> None:
        """Log the table of the cells as far as they are finished."""
        log_table(self.store.client, self.run_id, figures_of(planned), TABLE)

    def finish(self, planned: MatrixPlan) -> None:
        """Log the sums over all cells; a sum of which a cell lacks its part is left out."""
        lines = figures_of(planned)
        figures = {"matrix.cells": float(len(lines))}
        for name in SUMMED:
            values = [line[name] for line in lines]
            if None not in values:
                figures[f"matrix.{name}"] = float(sum(values))
        log_metrics(self.store.client, self.run_id, figures)


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
    store = open_store(config)
    run_id = _parent(store, config, planned, key, started)
    status = "FAILED"
    # Not `mlflow.start_run`, which keeps a single active run: each cell needs it for its own.
    try:
        yield MatrixRun(store, run_id, planned.name)
        status = "FINISHED"
    except (KeyboardInterrupt, StoppedError):
        status = "KILLED"
        raise
    finally:
        store.client.set_terminated(run_id, status)


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
        run_name=planned.name,
    )


def _listed(key: str, values: Sequence[Any]) -> str:
    return str([concealed(key, value) for value in values])
