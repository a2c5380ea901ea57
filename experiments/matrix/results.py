"""What the cells of a matrix came to, a line for each: for the terminal, the folder and MLflow."""

from collections.abc import Mapping
from typing import Any

from autoevol.experiments.matrix.names import concealed
from autoevol.experiments.matrix.plan import Planned, PlannedCell
from autoevol.metrics.stats.intervals import share

_FROM_SUMMARY = (
    *("rows_in", "rows_out", "rows_failed", "rows_unscored"),
    *("calls", "tokens_in", "tokens_out", "cost_usd", "wall_s", "mlflow_run_id"),
)
_RATES = ("initial", "best")


def figures_of(planned: Planned) -> list[dict[str, Any]]:
    """Return a line for each cell; a cell that is not finished has no figures."""
    return [line_of(each) for each in planned.cells]


def line_of(each: PlannedCell) -> dict[str, Any]:
    """Return a cell's name, folder, values and figures; without a summary the latter are None.

    A digest stands for a value that may be a secret, as in the cell's name.
    """
    summary: Mapping[str, Any] = each.summary or {}
    return {
        "cell": each.cell.name,
        "folder": str(each.plan.config.folder),
        **{key: concealed(key, value) for key, value in each.cell.values.items()},
        **{name: summary.get(name) for name in _FROM_SUMMARY},
        **_lost(summary),
        **{key: value for which in _RATES for key, value in _heldout(summary, which).items()},
    }


def _lost(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the share of scored rewrites that were lost, in [0, 1], with its 95 % interval."""
    failed, kept = summary.get("rows_failed", 0), summary.get("rows_out", 0)
    found = share(failed, failed + kept)
    low, high = found.interval if found else (None, None)
    return {"lost": found.value if found else None, "lost_low": low, "lost_high": high}


def _heldout(summary: Mapping[str, Any], which: str) -> dict[str, float | None]:
    rate = summary.get(f"failure_rate_heldout_{which}") or {}
    named = {"": "rate", "_low": "low", "_high": "high"}
    return {f"heldout_{which}{end}": rate.get(name) for end, name in named.items()}
