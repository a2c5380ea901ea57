"""MLflow's store: runs found by their tags; params, metrics and tables added where missing."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoevol.experiments.tracking.config import TrackingConfig

TABLE_ROWS = 1000
"""Most rows of a table: MLflow's UI loads all of them at once."""

_PARAM_LIMIT = 500  # characters of a value
_TABLES = "mlflow.loggedArtifacts"
"""The tag by which MLflow's UI and `mlflow.load_table` find a run's tables."""


@dataclass(frozen=True, slots=True)
class Store:
    """An experiment in a store, and the client to reach it."""

    client: Any
    experiment_id: str

    def find(self, tag: str, value: str) -> Any | None:
        """Return the latest run with a tag; None: there is none."""
        return self._first(f"tags.{tag} = '{value}'")

    def run(self, run_id: str) -> Any | None:
        """Return a run; None: it is not in this experiment, or was deleted."""
        return self._first(f"attributes.run_id = '{run_id}'")

    def _first(self, query: str) -> Any | None:
        runs = self.client.search_runs([self.experiment_id], query, max_results=1)
        return runs[0] if runs else None


def open_store(config: "TrackingConfig") -> Store:
    """Open the experiment that `mlflow.yaml` names, and create it if it does not exist."""
    # Before the import, when MLflow sets up its loggers.
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # it reports each migration of a new db
    import mlflow

    mlflow.set_tracking_uri(config.tracking_uri)
    mlflow.set_registry_uri(config.tracking_uri)
    experiment = mlflow.set_experiment(config.experiment)
    return Store(mlflow.MlflowClient(), experiment.experiment_id)


def find_store(config: "TrackingConfig") -> Store | None:
    """Return the experiment that `mlflow.yaml` names; None: it does not exist."""
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    from mlflow import MlflowClient

    client = MlflowClient(config.tracking_uri, config.tracking_uri)
    experiment = client.get_experiment_by_name(config.experiment)
    return Store(client, experiment.experiment_id) if experiment else None


def log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    """Log params in one request; long values are cut, since the config is an artifact, too."""
    from mlflow.entities import Param

    entries = [Param(key, str(value)[:_PARAM_LIMIT]) for key, value in params.items()]
    client.log_batch(run_id, params=entries)


def log_metrics(client: Any, run_id: str, figures: Mapping[str, float]) -> None:
    """Log the figures that are missing or have changed, so that a resumed run adds no point."""
    from mlflow.entities import Metric

    existing, now = client.get_run(run_id).data.metrics, int(time.time() * 1000)
    new = {key: value for key, value in figures.items() if existing.get(key) != value}
    client.log_batch(run_id, metrics=[Metric(key, value, now, 0) for key, value in new.items()])


def log_points(client: Any, run_id: str, points: Mapping[int, Mapping[str, float]]) -> None:
    """Log the points of curves that are missing or have changed.

    Args:
        client: Of the store.
        run_id: Gets the metrics.
        points: By step and by the metric's name.
    """
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    metrics = [
        Metric(name, value, now, step)
        for step, values in points.items()
        for name, value in values.items()
    ]
    # `data.metrics` of a run holds the latest point of a metric alone, so the histories are read.
    existing = {
        (name, point.step): point.value
        for name in dict.fromkeys(metric.key for metric in metrics)
        for point in client.get_metric_history(run_id, name)
    }
    new = [metric for metric in metrics if existing.get((metric.key, metric.step)) != metric.value]
    if new:
        client.log_batch(run_id, metrics=new)


def set_tags(client: Any, run: Any, tags: Mapping[str, str]) -> None:
    """Set those tags that a run lacks or has with another value."""
    for name, value in tags.items():
        if run.data.tags.get(name) != value:
            client.set_tag(run.info.run_id, name, value)


def log_table(client: Any, run_id: str, rows: Sequence[Mapping[str, Any]], file: str) -> None:
    """Log a table as `mlflow.log_table` does, but replace an earlier one, where that appends.

    Args:
        client: Of the store.
        run_id: Gets the artifact.
        rows: All with the same keys; only the first 1,000 are logged. Empty: no table.
        file: The artifact's name, `.json`.
    """
    if not rows:
        return
    columns = list(rows[0])
    data = [[_cell(row[column]) for column in columns] for row in rows[:TABLE_ROWS]]
    client.log_dict(run_id, {"columns": columns, "data": data}, file)
    entries = json.loads(client.get_run(run_id).data.tags.get(_TABLES, "[]"))
    entry = {"path": file, "type": "table"}
    if entry not in entries:
        client.set_tag(run_id, _TABLES, json.dumps([*entries, entry]))


def _cell(value: Any) -> Any:
    """Return a value that fits in a cell; lists and groups become text."""
    is_plain = value is None or isinstance(value, str | int | float)
    return value if is_plain else json.dumps(value, ensure_ascii=False)
