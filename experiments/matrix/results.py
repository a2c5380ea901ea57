"""The figures of a matrix, a line for each cell: for the terminal, the folder and MLflow."""

from collections.abc import Mapping
from typing import Any

from autoevol.experiments.matrix.names import concealed
from autoevol.experiments.matrix.plan import MatrixPlan, PlannedCell
from autoevol.metrics.stats.intervals import share

_FROM_SUMMARY = (
    *("rows_in", "rows_out", "rows_failed", "rows_unscored"),
    *("calls", "tokens_in", "tokens_out", "cost_usd", "wall_s", "mlflow_run_id"),
)
_RATES = ("initial", "best")


def figures_of(planned: MatrixPlan) -> list[dict[str, Any]]:
    """Return a line for each cell; a cell that is not finished has no figures."""
    return [line_of(cell) for cell in planned.cells]


def line_of(planned: PlannedCell) -> dict[str, Any]:
    """Return a cell's name, folder, values and figures; without a summary the latter are None.

    A digest replaces a value that may be a secret, as in the cell's name.
    """
    summary: Mapping[str, Any] = planned.summary or {}
    return {
        "cell": planned.cell.name,
        "folder": str(planned.plan.config.folder),
        **{key: concealed(key, value) for key, value in planned.cell.values.items()},
        **{name: summary.get(name) for name in _FROM_SUMMARY},
        **_lost(summary),
        **{key: value for which in _RATES for key, value in _heldout(summary, which).items()},
    }


def _lost(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the loss rate: the share of scored rewrites that failed, with its 95 % interval.

    In [0, 1], lower is better.
    """
    failed, kept = summary.get("rows_failed", 0), summary.get("rows_out", 0)
    rate = share(failed, failed + kept)
    low, high = rate.interval if rate else (None, None)
    return {"lost": rate.value if rate else None, "lost_low": low, "lost_high": high}


def _heldout(summary: Mapping[str, Any], which: str) -> dict[str, float | None]:
    rate = summary.get(f"failure_rate_heldout_{which}") or {}
    parts = {"": "rate", "_low": "low", "_high": "high"}
    return {f"heldout_{which}{end}": rate.get(name) for end, name in parts.items()}
