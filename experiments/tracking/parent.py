"""The MLflow run of an experiment: opened once, found again by every later try."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autoevol.experiments.files.trees import flatten
from autoevol.experiments.tracking.events import Body
from autoevol.experiments.tracking.naming.runs import run_name
from autoevol.experiments.tracking.naming.safe import safe_names
from autoevol.experiments.tracking.store import TABLE_ROWS, Store, log_params, set_tags
from autoevol.program.records import Row

CELL_OF = "matrix_of_cell"
"""Tag of a matrix's cell: the key of the matrix, by which its run is found."""


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What MLflow records of a run beside its results.

    Attributes:
        config: The resolved config, as a tree; its leaves become the params.
        digest: Fingerprint of the seeds.
        source: Path or name of the seeds' data set.
        optimizer_temperature: Of proposals that name none of their own.
    """

    name: str
    config: Mapping[str, Any]
    seeds: Sequence[Row]
    digest: str
    source: str
    optimizer_temperature: float | None = None


@dataclass(frozen=True, slots=True)
class RunPlace:
    """What identifies a run to a tracker.

    Attributes:
        folder: The run's.
        key: Identifies the run in the store.
        started: When it was first started.
        replaces: Key of the run that was moved aside for this one.
    """

    folder: Path
    key: str
    started: datetime
    replaces: str | None = None


def opening_body(run: TrackedRun, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what a run's first event says.

    Args:
        run: What is recorded.
        tags: Of the run, beside those of `mlflow.yaml`.
    """
    return {
        "name": run.name,
        "params": {key: str(value) for key, value in flatten(run.config).items()},
        "tags": dict(tags),
        "data": _data(run),
        "seed_ids": [seed.id for seed in run.seeds[:TABLE_ROWS]],
    }


def open_parent(store: Store, place: RunPlace, body: Body, config_tags: Mapping[str, str]) -> str:
    """Return the id of the run; params and data set are logged if they are not there yet.

    Args:
        store: Holds the run, or gets it.
        place: Identifies the run.
        body: Of the run's first event.
        config_tags: Those of `mlflow.yaml`, for a run that is created now.
    """
    _end_replaced(store, place)
    tags = {**body["tags"], **_matrix_tags(store, body["tags"])}
    parent = store.find("run_key", place.key)
    if parent is None:
        name = run_name(body["name"], place.folder)
        parent = _create(store, place, {"mlflow.runName": name, **config_tags, **tags})
    set_tags(store.client, parent, tags)
    run_id = str(parent.info.run_id)
    store.client.update_run(run_id, status="RUNNING")
    # MLflow refuses another value for a param, and a resumed run may have another budget.
    params = safe_names(body["params"]).items()
    missing = {key: value for key, value in params if key not in parent.data.params}
    log_params(store.client, run_id, missing)
    if body["data"] and not (parent.inputs and parent.inputs.dataset_inputs):
        _log_data(store, run_id, body["data"])
    return run_id


def _end_replaced(store: Store, place: RunPlace) -> None:
    """End the run that this one replaces, if a kill has left it open."""
    if place.replaces is None:
        return
    query = f"tags.run_key = '{place.replaces}' and attributes.status = 'RUNNING'"
    for run in store.client.search_runs([store.experiment_id], query):
        store.client.set_terminated(run.info.run_id, "KILLED")


def _matrix_tags(store: Store, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag that makes a cell's run a child of its matrix, if that is in the store."""
    matrix = store.find("matrix_key", tags[CELL_OF]) if CELL_OF in tags else None
    return {"mlflow.parentRunId": str(matrix.info.run_id)} if matrix else {}


def _create(store: Store, place: RunPlace, tags: Mapping[str, str]) -> Any:
    # The key comes last, and no tag replaces it, since a resumed run is found by its key.
    own = {"run_key": place.key, "folder": str(place.folder)}
    return store.client.create_run(
        store.experiment_id,
        start_time=int(place.started.astimezone(UTC).timestamp() * 1000),
        tags={**safe_names({"run_kind": "run", **tags}), **own},
    )


def _data(run: TrackedRun) -> dict[str, str]:
    """Return the seeds as the run's data set: their digest and number, not their texts."""
    return {
        "name": "seeds",
        "digest": run.digest,
        "source_type": "local" if Path(run.source).exists() else "hugging_face",
        "source": json.dumps({"uri": run.source}),
        "profile": json.dumps({"num_rows": len(run.seeds)}),
    }


def _log_data(store: Store, run_id: str, data: Mapping[str, str]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    entry = DatasetInput(Dataset(**data), [InputTag("mlflow.data.context", "seeds")])
    store.client.log_inputs(run_id, datasets=[entry])
