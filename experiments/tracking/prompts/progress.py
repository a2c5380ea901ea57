"""A search in MLflow's active run: the failure rate by step, and every candidate."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from autoevol.experiments.tracking.background import reason_of
from autoevol.experiments.tracking.naming.metrics import rate_metrics, rate_values
from autoevol.experiments.tracking.store import log_points, log_table
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.records import Candidate, Evaluation, FinalChoice, StepRecord

logger = logging.getLogger(__name__)

TABLE = "candidates.json"


@contextlib.contextmanager
def logging_progress(is_enabled: bool) -> Iterator[Listeners]:
    """Return listeners that log a search in the active run, which is the user's own.

    Args:
        is_enabled: Without it, and without an active run, nothing is logged.
    """
    import mlflow

    run = mlflow.active_run() if is_enabled else None
    if run is None:
        yield Listeners()
        return
    # The user's process names the store to MLflow; the run is known to this thread alone.
    progress = _Progress(mlflow.MlflowClient(), run.info.run_id)
    yield Listeners(on_step=progress.on_step, on_choice=progress.on_choice)


def mlflow_listeners() -> Listeners:
    """Return listeners for `autoevol.AutoEvol` that log its search in MLflow's active run.

    The run gets the failure rate by step with its interval and `candidates.json` (each candidate
    with text and verdict), once there is a step, and the tag `confirmation`, once fresh rows were
    run. A fault of MLflow never ends the search.

    Raises:
        ConfigError: No run is active.
    """
    import mlflow

    if mlflow.active_run() is None:
        raise ConfigError("autoevol.mlflow_listeners", "no run is active; use mlflow.start_run()")
    with logging_progress(is_enabled=True) as listeners:
        return listeners


class _Progress:
    """Logs steps; a fault of MLflow never ends the search."""

    def __init__(self, client: Any, run_id: str) -> None:
        self._client, self._run_id = client, run_id
        self._lines: list[dict[str, Any]] = []

    def on_step(self, record: StepRecord) -> None:
        """Log the failure rate after a step, and its candidates."""
        points = {record.step + 1: _rate(record.best)}
        if record.step == 0:
            points[0] = _rate(record.incumbent)
        self._lines += [_line(candidate) for candidate in record.candidates]
        with _harmless():
            log_points(self._client, self._run_id, points)
            log_table(self._client, self._run_id, self._lines, TABLE)

    def on_choice(self, choice: FinalChoice) -> None:
        """Log what the confirmation showed."""
        evaluations = [choice.initial, *(finalist.fresh for finalist in choice.finalists)]
        rates = [(e.method.name, e.failure_rate) for e in evaluations]
        lines = [f"{name}: {rate.failed} of {rate.scored} fail" for name, rate in rates]
        with _harmless():
            self._client.set_tag(self._run_id, "confirmation", "; ".join(lines))


def _rate(evaluation: Evaluation) -> dict[str, float]:
    return rate_metrics(rate_values(evaluation.failure_rate))


def _line(candidate: Candidate) -> dict[str, Any]:
    rate = candidate.failure_rate
    return {
        "id": candidate.id,
        "verdict": candidate.rejected or candidate.verdict,
        "is_better": candidate.is_better,
        "failed": rate.failed if rate else None,
        "scored": rate.scored if rate else None,
        "operator": candidate.operator,
        "prompt": candidate.predictor,
        "text": candidate.method.instructions if candidate.method else "",
    }


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    # MLflow, its database driver and its HTTP client raise what they like.
    except Exception as error:  # noqa: BLE001
        logger.warning("a step is not tracked: %s", reason_of(error))
