"""What `autoevol compare` finds, in MLflow: a run of its own, and where its runs stand in the UI.

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
from autoevol.experiments.tracking.config import TrackingConfig, load_tracking
from autoevol.experiments.tracking.links import compare_link, metric_link, run_link
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
class Tracked:
    """Runs that are compared, as the store has them; in the order of the sides."""

    store: Store
    sides: Sequence[Side]
    runs: Sequence[Any]

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [run.info.run_id for run in self.runs]

    def links(self) -> list[str]:
        """Return the UI's pages that show them together; the search's chart if any searched."""
        found = [f"compare   {compare_link(self.ids, self.store.experiment_id)}"]
        if any(SEARCH_METRIC in run.data.metrics for run in self.runs):
            chart = metric_link(self.ids, SEARCH_METRIC, self.store.experiment_id)
            found.append(f"search    {chart}")
        return found


def show_in_mlflow(sides: Sequence[Side], comparison: Comparison | None = None) -> None:
    """Record what a judge said, if one was asked, and print where the runs are to be seen.

    Does nothing where not all sides are runs in the store.
    """
    config = load_tracking()
    tracked = find_tracked(config, sides)
    if tracked is None:
        return
    if comparison:
        track_comparison(tracked, comparison)
    say("In MLflow, while `autoevol ui` runs:")
    for line in tracked.links():
        say(line)


def find_tracked(config: TrackingConfig | None, sides: Sequence[Side]) -> Tracked | None:
    """Return the MLflow runs of the sides; None: not all of them are runs in the store."""
    ids = [side.summary.get("mlflow_run_id") for side in sides]
    store = find_store(config) if config and all(ids) else None
    runs = [store.run(run_id) for run_id in ids if run_id] if store else []
    if store is None or None in runs:
        return None
    return Tracked(store, sides, runs)


def track_comparison(tracked: Tracked, comparison: Comparison) -> str:
    """Record what a judge said of two runs; return the id of the run that holds it."""
    client, request = tracked.store.client, comparison.request
    key = _key(tracked, comparison)
    run = tracked.store.find("comparison_key", key) or _new_run(tracked, comparison, key)
    run_id = str(run.info.run_id)
    if not run.data.params:
        asked = {"judge": request.judge, "what": request.what, "order": request.order}
        sides = {"ours": request.ours.path, "theirs": request.theirs.path}
        log_params(client, run_id, {**asked, **sides, "limit": request.limit})
    figures = comparison.figures()
    log_metrics(client, run_id, _metrics(figures))
    log_table(client, run_id, _rows(comparison), "pairs.json")
    for file in (request.out / name for name in FILES):
        if file.is_file():
            client.log_artifact(run_id, str(file))
    _tell_sides(tracked, comparison, figures)
    client.set_terminated(run_id)
    return run_id


def _key(tracked: Tracked, comparison: Comparison) -> str:
    request = comparison.request
    told = [*tracked.ids, request.judge, request.what, request.order, request.limit]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _new_run(tracked: Tracked, comparison: Comparison, key: str) -> Any:
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


def _tell_sides(tracked: Tracked, comparison: Comparison, figures: Mapping[str, Any]) -> None:
    """Leave a word on either run, from its own point of view."""
    request = comparison.request
    for number, (own, other) in enumerate((("won", "lost"), ("lost", "won"))):
        told = f"won {figures[own]}, tied {figures['tied']}, lost {figures[other]}"
        name = f"compare.{_slug(tracked.sides[1 - number].name)}.{request.what}"
        set_tags(tracked.store.client, tracked.runs[number], {name: f"{told} (by {request.judge})"})


def _slug(name: str) -> str:
    return "".join(each if each.isalnum() or each in "._-" else "-" for each in name)


def _metrics(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return figures and the ends of their intervals; what was not measured is left out."""
    metrics: dict[str, float] = {}
    for name, figure in figures.items():
        if isinstance(figure, Mapping):
            ends = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
            metrics |= {ends[part]: float(value) for part, value in figure.items()}
        elif figure is not None:
            metrics[name] = float(figure)
    return metrics


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "id": each.pair.id,
            "outcome": each.outcome,
            "instruction": each.pair.instruction,
            "ours": each.pair.ours,
            "theirs": each.pair.theirs,
        }
        for each in comparison.found
    ]
