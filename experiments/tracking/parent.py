"""The MLflow run of an experiment: opened once, found again by every later try."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.folder import RunFolder
from autoevol.experiments.files.trees import flatten
from autoevol.experiments.tracking.store import Store, log_params, set_tags
from autoevol.program.records import Row


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What MLflow records of a run beside its results.

    Attributes:
        config: The resolved config, as a tree; its leaves become the params.
        source: Path or name of the seeds' data set.
        optimizer_temperature: Of proposals that name none of their own.
    """

    name: str
    config: Mapping[str, Any]
    seeds: Sequence[Row]
    source: str
    optimizer_temperature: float | None = None


def open_parent(
    store: Store,
    run: TrackedRun,
    folder: RunFolder,
    *,
    config_tags: Mapping[str, str],
    run_tags: Mapping[str, str],
) -> str:
    """Return the id of the run; params and data set are logged if they are not there yet.

    Args:
        store: Holds the run, or gets it.
        run: What is recorded.
        folder: Its key identifies the run.
        config_tags: Those of `mlflow.yaml`, for a run that is created now.
        run_tags: The caller's, also for a run that an earlier try created.
    """
    _end_replaced(store, folder)
    parent = store.find("run_key", folder.key)
    if parent is None:
        parent = _create(store, run, folder, {"run_kind": "run", **config_tags, **run_tags})
    set_tags(store.client, parent, run_tags)
    run_id = str(parent.info.run_id)
    params = flatten(run.config).items()
    # MLflow refuses another value for a param, and a resumed run may have another budget.
    missing = {key: value for key, value in params if key not in parent.data.params}
    log_params(store.client, run_id, missing)
    if not (parent.inputs and parent.inputs.dataset_inputs):
        _log_seeds(run_id, run)
    return run_id


def _end_replaced(store: Store, folder: RunFolder) -> None:
    """End the run that this one replaces, if a kill has left it open."""
    if folder.replaces is None:
        return
    query = f"tags.run_key = '{folder.replaces}' and attributes.status = 'RUNNING'"
    for run in store.client.search_runs([store.experiment_id], query):
        store.client.set_terminated(run.info.run_id, "KILLED")


def _create(store: Store, run: TrackedRun, folder: RunFolder, tags: Mapping[str, str]) -> Any:
    return store.client.create_run(
        store.experiment_id,
        start_time=int(folder.started.astimezone(UTC).timestamp() * 1000),
        tags={
            "mlflow.runName": run.name,
            # A matrix names its cells' runs by these. The key comes after them, and no tag replaces
            # it, since a resumed run is found by its key.
            **tags,
            "run_key": folder.key,
            "folder": str(folder.path),
        },
    )


def _log_seeds(run_id: str, run: TrackedRun) -> None:
    """Log the seeds as the run's data set: their digest and number, not their texts."""
    import mlflow
    from mlflow.entities import Dataset, DatasetInput, InputTag

    digest = hashlib.sha256()
    for row in run.seeds:
        digest.update(json.dumps([row.id, row.instruction], ensure_ascii=False).encode())
    data = Dataset(
        name="seeds",
        digest=digest.hexdigest()[:8],
        source_type="local" if Path(run.source).exists() else "hugging_face",
        source=json.dumps({"uri": run.source}),
        profile=json.dumps({"num_rows": len(run.seeds)}),
    )
    entry = DatasetInput(data, [InputTag("mlflow.data.context", "seeds")])
    mlflow.MlflowClient().log_inputs(run_id, datasets=[entry])
