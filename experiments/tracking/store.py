"""MLflow's store: runs found by their tags; params, metrics and tables added where missing.

Only clients that are handed their address are used. MLflow's global functions write the address to
the environment, while other threads may read it.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from autoevol.experiments.tracking.database import (
    TrackingError,
    check_database,
    creating,
    database_file,
    identity,
)
from autoevol.experiments.tracking.naming.safe import safe_metrics, safe_name, safe_names

if TYPE_CHECKING:
    from autoevol.experiments.tracking.config import TrackingConfig

TABLE_ROWS = 1000
"""Most rows of a table: MLflow's UI loads all of them at once."""

_SHOWS_RUNS = {"mlflow.experimentKind": "custom_model_development"}
"""The tag by which MLflow's UI opens `#/experiments/ID` at the runs. By itself it finds traces, and
shows pages in which runs have no place."""

_PARAM_LIMIT = 500  # characters of a value
_TABLES = "mlflow.loggedArtifacts"
"""The tag by which MLflow's UI and `mlflow.load_table` find a run's tables."""


@dataclass(frozen=True, slots=True)
class Store:
    """An experiment in a store, and the client to reach it.

    Attributes:
        uri: Of the store.
        database: Its SQLite file when it was opened; None: it is another store.
    """

    client: Any
    experiment_id: str
    uri: str
    database: tuple[int, int] | None = None

    def find(self, tag: str, value: str) -> Any | None:
        """Return the latest run with a tag; None: there is none."""
        return self._first(f"tags.{tag} = '{value}'")

    def run(self, run_id: str) -> Any | None:
        """Return a run; None: it is not in this experiment, or was deleted."""
        return self._first(f"attributes.run_id = '{run_id}'")

    def check_present(self) -> None:
        """Check that the database is the one that was opened.

        Raises:
            TrackingError: It was deleted or replaced meanwhile, and with it what was logged.
        """
        file = database_file(self.uri)
        if identity(file) != self.database:
            raise TrackingError(f"{file} was deleted while it was in use")

    def _first(self, query: str) -> Any | None:
        runs = self.client.search_runs([self.experiment_id], query, max_results=1)
        return runs[0] if runs else None


def open_store(config: "TrackingConfig") -> Store:
    """Open the experiment that `mlflow.yaml` names, and create it if it does not exist.

    Raises:
        TrackingError: The database is damaged or locked, or the experiment was deleted.
        MlflowException: MLflow refuses the store, or a server does not answer.
    """
    store = _opened(config, creates=True)
    if store is None:
        raise TrackingError(f"there is no experiment {config.experiment}")
    return store


def find_store(config: "TrackingConfig") -> Store | None:
    """Return the experiment that `mlflow.yaml` names; None: it does not exist.

    Raises:
        TrackingError: As `open_store`.
        MlflowException: As `open_store`.
    """
    return _opened(config, creates=False)


def _opened(config: "TrackingConfig", *, creates: bool) -> Store | None:
    from mlflow import MlflowClient

    uri = config.tracking_uri
    file = database_file(uri)
    # MLflow makes 60 tables, which another process must not find half made.
    with creating(file):
        if file:
            check_database(file)
        client = MlflowClient(uri, uri)
        experiment = client.get_experiment_by_name(config.experiment)
        if experiment is None and not creates:
            return None
        experiment_id = (
            _usable(experiment) if experiment else _created(client, config.experiment, file)
        )
    return Store(client, experiment_id, uri, identity(file))


def _usable(experiment: Any) -> str:
    if experiment.lifecycle_stage == "deleted":
        raise TrackingError(
            f"the experiment {experiment.name} was deleted; restore it with `mlflow experiments "
            f"restore -x {experiment.experiment_id}`, or name another one in mlflow.yaml"
        )
    return str(experiment.experiment_id)


def _created(client: Any, name: str, file: Path | None) -> str:
    from mlflow.exceptions import MlflowException

    # Beside the database. By itself MLflow takes the folder in which the first run was started,
    # which may be any other one.
    folder = (file.parent / "mlruns" / quote(name, safe="")).absolute().as_uri() if file else None
    try:
        return str(client.create_experiment(name, folder, _SHOWS_RUNS))
    except MlflowException:
        # On a server another process may have been first.
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise
        return _usable(experiment)


def log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    """Log params in one request; long values are cut, since the config is an artifact, too."""
    from mlflow.entities import Param

    entries = [Param(key, str(v)[:_PARAM_LIMIT]) for key, v in safe_names(params).items()]
    client.log_batch(run_id, params=entries)


def log_metrics(
    client: Any, run_id: str, figures: Mapping[str, float], at: int | None = None
) -> None:
    """Log the figures that are missing or have changed, so that a resumed run adds no point.

    Args:
        client: Of the store.
        run_id: Gets the metrics.
        figures: By name.
        at: Milliseconds since 1970; None: now.
    """
    from mlflow.entities import Metric

    existing, moment = client.get_run(run_id).data.metrics, at or now_ms()
    safe = safe_metrics(figures)
    new = {key: value for key, value in safe.items() if existing.get(key) != value}
    client.log_batch(run_id, metrics=[Metric(key, v, moment, 0) for key, v in new.items()])


def log_points(
    client: Any, run_id: str, points: Mapping[int, Mapping[str, float]], at: int | None = None
) -> None:
    """Log the points of curves that are missing or have changed.

    Args:
        client: Of the store.
        run_id: Gets the metrics.
        points: By step and by the metric's name.
        at: Milliseconds since 1970; None: now.
    """
    from mlflow.entities import Metric

    moment = at or now_ms()
    metrics = [
        Metric(name, value, moment, step)
        for step, values in points.items()
        for name, value in safe_metrics(values).items()
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


def log_files(client: Any, run_id: str, files: Sequence[Path]) -> None:
    """Log files as artifacts; those that do not exist are left out."""
    for file in files:
        if file.is_file():
            client.log_artifact(run_id, str(file))


def now_ms() -> int:
    """Return the time as MLflow takes it, in milliseconds since 1970."""
    return int(time.time() * 1000)


def set_tags(client: Any, run: Any, tags: Mapping[str, str]) -> None:
    """Set those tags that a run lacks or has with another value."""
    for name, value in tags.items():
        key = safe_name(name)
        if run.data.tags.get(key) != value:
            client.set_tag(run.info.run_id, key, value)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run of its own in MLflow, beside those of the searches.

    Attributes:
        kind: The tag `run_kind`.
        key: Finds the run again, so that the same command adds nothing.
        name: Of the run.
        params, metrics, tables, files: What it holds, by name.
        points: Of curves, by step and by the metric's name.
        parent: The run that it stands under; None: it stands alone.
    """

    kind: str
    key: str
    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    files: Sequence[Path] = ()
    points: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    parent: str | None = None

    def log(self, config: "TrackingConfig") -> str:
        """Log what is missing; return the run's id."""
        store = open_store(config)
        tag = f"{self.kind}_key"
        tags = {"run_kind": self.kind, tag: self.key}
        if self.parent:
            tags["mlflow.parentRunId"] = self.parent
        held = store.find(tag, self.key)
        run = held or store.client.create_run(store.experiment_id, tags=tags, run_name=self.name)
        client, run_id = store.client, str(run.info.run_id)
        if held:
            # The run that it stands under may be another one by now.
            set_tags(client, held, tags)
        if not run.data.params:
            log_params(client, run_id, self.params)
        log_metrics(client, run_id, self.metrics)
        log_points(client, run_id, self.points)
        for name, rows in self.tables.items():
            log_table(client, run_id, rows, name)
        log_files(client, run_id, self.files)
        client.set_terminated(run_id)
        return run_id
