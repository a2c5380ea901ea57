"""MLflow's store: runs found by their tags, and what is added only where it is not there yet."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoevol.experiments.tracking.config import TrackingConfig

TABLE_ROWS = 1000
"""Most rows of a table: MLflow's UI loads it whole."""

_PARAM_LIMIT = 500
_TABLES = "mlflow.loggedArtifacts"
"""The tag by which MLflow's UI and `mlflow.load_table` know a run's tables."""


@dataclass(frozen=True, slots=True)
class Store:
    """An experiment in a store."""

    client: Any
    experiment_id: str

    def find(self, tag: str, value: str) -> Any | None:
        """Return the run with a tag; None: there is none."""
        return self._first(f"tags.{tag} = '{value}'")

    def run(self, run_id: str) -> Any | None:
        """Return a run; None: it is not in this experiment, or was deleted."""
        return self._first(f"attributes.run_id = '{run_id}'")

    def _first(self, query: str) -> Any | None:
        found = self.client.search_runs([self.experiment_id], query, max_results=1)
        return found[0] if found else None


def open_store(config: "TrackingConfig") -> Store:
    """Open the experiment that `mlflow.yaml` names; it is made if it is not there."""
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # its migrations are not the user's news
    import mlflow

    mlflow.set_tracking_uri(config.tracking_uri)
    mlflow.set_registry_uri(config.tracking_uri)
    experiment = mlflow.set_experiment(config.experiment)
    return Store(mlflow.MlflowClient(), experiment.experiment_id)


def find_store(config: "TrackingConfig") -> Store | None:
    """Return the experiment that `mlflow.yaml` names; None: nothing was tracked there."""
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    from mlflow import MlflowClient

    client = MlflowClient(config.tracking_uri, config.tracking_uri)
    experiment = client.get_experiment_by_name(config.experiment)
    return Store(client, experiment.experiment_id) if experiment else None


def log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    """Log params in one request; long values are cut, the whole config is an artifact."""
    from mlflow.entities import Param

    entries = [Param(key, str(value)[:_PARAM_LIMIT]) for key, value in params.items()]
    client.log_batch(run_id, params=entries)


def log_metrics(client: Any, run_id: str, figures: Mapping[str, float]) -> None:
    """Log the figures that are not there yet, so that a try after a kill adds no point."""
    from mlflow.entities import Metric

    known, now = client.get_run(run_id).data.metrics, int(time.time() * 1000)
    new = {key: value for key, value in figures.items() if known.get(key) != value}
    client.log_batch(run_id, metrics=[Metric(key, value, now, 0) for key, value in new.items()])


def log_points(client: Any, run_id: str, points: Mapping[int, Mapping[str, float]]) -> None:
    """Log the points of curves that are not there yet.

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
    existing = {
        (name, point.step): point.value
        for name in dict.fromkeys(metric.key for metric in metrics)
        for point in client.get_metric_history(run_id, name)
    }
    new = [metric for metric in metrics if existing.get((metric.key, metric.step)) != metric.value]
    if new:
        client.log_batch(run_id, metrics=new)


def set_tags(client: Any, run: Any, tags: Mapping[str, str]) -> None:
    """Set the tags of a run that it does not have."""
    for name, value in tags.items():
        if run.data.tags.get(name) != value:
            client.set_tag(run.info.run_id, name, value)


def log_table(client: Any, run_id: str, rows: Sequence[Mapping[str, Any]], file: str) -> None:
    """Log a table as `mlflow.log_table` does, but in the place of what an earlier try left.

    Args:
        client: Of the store.
        run_id: Gets the artifact.
        rows: All with the same keys; those behind the first 1,000 are left out. None: no table.
        file: The artifact's name, `.json`.
    """
    if not rows:
        return
    columns = list(rows[0])
    data = [[_cell(row[column]) for column in columns] for row in rows[:TABLE_ROWS]]
    client.log_dict(run_id, {"columns": columns, "data": data}, file)
    known = json.loads(client.get_run(run_id).data.tags.get(_TABLES, "[]"))
    entry = {"path": file, "type": "table"}
    if entry not in known:
        client.set_tag(run_id, _TABLES, json.dumps([*known, entry]))


def _cell(value: Any) -> Any:
    """Return a value that fits in a cell; lists and groups become text."""
    plain = value is None or isinstance(value, str | int | float)
    return value if plain else json.dumps(value, ensure_ascii=False)
