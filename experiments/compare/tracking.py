"""A comparison in MLflow: a run for the judge's verdicts, and links to the compared runs.

The run is found again by a tag, so the same comparison adds no second point.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.compare.judged import Comparison
from autoevol.experiments.compare.sides import Side
from autoevol.experiments.terminal.console import say
from autoevol.experiments.tracking.again import reporting
from autoevol.experiments.tracking.config import TrackingConfig, load_tracking
from autoevol.experiments.tracking.links import (
    compare_link,
    is_server,
    metric_link,
    pages_of,
    run_link,
)
from autoevol.experiments.tracking.naming.metrics import bounded, with_interval
from autoevol.experiments.tracking.store import (
    Store,
    find_store,
    log_metrics,
    log_params,
    log_table,
    set_tags,
)

SEARCH_METRIC = "failure_rate"
FILES = ("comparison.json", "compare.html")


@dataclass(frozen=True, slots=True)
class TrackedSides:
    """The compared runs as MLflow's store has them, in the order of the sides."""

    store: Store
    sides: Sequence[Side]
    runs: Sequence[Any]

    @property
    def ids(self) -> list[str]:
        """The runs' ids."""
        return [run.info.run_id for run in self.runs]

    def links(self, base: str) -> list[str]:
        """Return the pages of all runs; with the search's chart if a run searched."""
        experiment = self.store.experiment_id
        links = [f"compare   {compare_link(self.ids, experiment, base)}"]
        if any(SEARCH_METRIC in run.data.metrics for run in self.runs):
            chart = metric_link(self.ids, SEARCH_METRIC, experiment, base)
            links.append(f"search    {chart}")
        return links


def show_in_mlflow(sides: Sequence[Side], comparison: Comparison | None = None) -> None:
    """Log the judge's verdicts, if there are any, and print links to the runs.

    Does nothing where not all sides are runs in the store.
    """
    config = load_tracking()
    with reporting(say, "the comparison itself is complete"):
        tracked = find_tracked(config, sides)
        if config is None or tracked is None:
            return
        if comparison:
            track_comparison(tracked, comparison)
        uri = config.tracking_uri
        say("In MLflow:" if is_server(uri) else "In MLflow, while `autoevol ui` runs on its port:")
        for link in tracked.links(pages_of(uri)):
            say(link)


def find_tracked(config: TrackingConfig | None, sides: Sequence[Side]) -> TrackedSides | None:
    """Return the MLflow runs of the sides; None: not all of them are runs in the store."""
    ids = [side.summary.get("mlflow_run_id") for side in sides]
    store = find_store(config) if config and all(ids) else None
    runs = [store.run(run_id) for run_id in ids if run_id] if store else []
    if store is None or None in runs:
        return None
    return TrackedSides(store, sides, runs)


def track_comparison(tracked: TrackedSides, comparison: Comparison) -> str:
    """Log a judge's verdicts on two runs; return the id of the MLflow run that has them."""
    client, request = tracked.store.client, comparison.request
    key = _key(tracked, comparison)
    run = tracked.store.find("comparison_key", key) or _new_run(tracked, comparison, key)
    run_id = str(run.info.run_id)
    # MLflow's params cannot be changed; a run that was found by its tag has them already.
    if not run.data.params:
        question = {"judge": request.judge, "what": request.what, "order": request.order}
        sides = {"ours": request.ours.path, "theirs": request.theirs.path}
        log_params(client, run_id, {**question, **sides, "limit": request.limit})
    figures = comparison.figures()
    log_metrics(client, run_id, _metrics(figures))
    log_table(client, run_id, _rows(comparison), "pairs.json")
    for file in (request.out / name for name in FILES):
        if file.is_file():
            client.log_artifact(run_id, str(file))
    _tag_sides(tracked, comparison, figures)
    # A run that a client creates stays RUNNING until somebody ends it.
    client.set_terminated(run_id)
    return run_id


def _key(tracked: TrackedSides, comparison: Comparison) -> str:
    request = comparison.request
    # The limit belongs to the key: verdicts on fewer pairs are other figures.
    parts = [*tracked.ids, request.judge, request.what, request.order, request.limit]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _new_run(tracked: TrackedSides, comparison: Comparison, key: str) -> Any:
    ours, theirs = tracked.sides
    links = [
        f"[{side.name}]({run_link(run_id, tracked.store.experiment_id)})"
        for side, run_id in zip(tracked.sides, tracked.ids, strict=True)
    ]
    what = comparison.request.what
    tags = {
        "run_kind": "comparison",
        "comparison_key": key,
        "ours": tracked.ids[0],
        "theirs": tracked.ids[1],
        "mlflow.note.content": f"{links[0]} against {links[1]}, {what}",
    }
    name = f"{ours.name} against {theirs.name}, {what}"
    return tracked.store.client.create_run(tracked.store.experiment_id, tags=tags, run_name=name)


def _tag_sides(tracked: TrackedSides, comparison: Comparison, figures: Mapping[str, Any]) -> None:
    """Tag both runs with the outcome, each from its own side."""
    request = comparison.request
    for number, (own, other) in enumerate((("won", "lost"), ("lost", "won"))):
        outcome = f"won {figures[own]}, tied {figures['tied']}, lost {figures[other]}"
        name = f"compare.{tracked.sides[1 - number].name}.{request.what}"
        set_tags(
            tracked.store.client, tracked.runs[number], {name: f"{outcome} (by {request.judge})"}
        )


def _metrics(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return figures and the ends of their intervals; what was not measured is left out."""
    metrics: dict[str, float] = {}
    for name, figure in figures.items():
        own = figure if isinstance(figure, Mapping) else {"value": figure}
        metrics |= with_interval(f"compare/{name}", own)
    return bounded(metrics)


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "id": verdict.pair.id,
            "outcome": verdict.outcome,
            "instruction": verdict.pair.instruction,
            "ours": verdict.pair.ours,
            "theirs": verdict.pair.theirs,
        }
        for verdict in comparison.verdicts
    ]
