"""Logs a run's events in MLflow; every event may be logged again and adds nothing twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.files.paths import read_text
from autoevol.experiments.tracking.candidates import log_candidate
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.events import Event, Kind
from autoevol.experiments.tracking.naming.metrics import (
    heldout_points,
    rate_metrics,
    score_points,
    summary_metrics,
    summary_tags,
)
from autoevol.experiments.tracking.parent import RunPlace, open_parent
from autoevol.experiments.tracking.prompts.registry import MethodRegistry, method_body
from autoevol.experiments.tracking.store import (
    Store,
    log_files,
    log_metrics,
    log_points,
    log_table,
    open_store,
    set_tags,
)
from autoevol.experiments.tracking.tables import sample_rows
from autoevol.experiments.tracking.traces import log_trace
from autoevol.signatures import from_markdown


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """A run that is open in the store.

    Attributes:
        place: Of the run, whose folder holds its files.
        opening: The run's first event.
    """

    store: Store
    run_id: str
    place: RunPlace
    opening: Event

    @property
    def folder(self) -> Path:
        """The run's."""
        return self.place.folder

    @property
    def registry(self) -> MethodRegistry:
        """Where its methods are registered."""
        return MethodRegistry(self.store, self.run_id, self.place.key, self.opening.body["name"])


class Recorder:
    """Logs the events of one run, the opening first.

    Args:
        config: Where.
        place: Identifies the run.
    """

    def __init__(self, config: TrackingConfig, place: RunPlace) -> None:
        self._config, self._place = config, place
        self._store: Store | None = None
        self._record: OpenRecord | None = None

    @property
    def run_id(self) -> str | None:
        """Id of the MLflow run; None: it is not open yet."""
        return self._record.run_id if self._record else None

    def log(self, event: Event) -> None:
        """Log an event.

        Raises:
            TrackingError: The store cannot be used.
            MlflowException: MLflow refuses something, or a server does not answer.
        """
        try:
            self._log(event)
        except Exception:
            # A database that is gone fails with all kinds of errors; this names the cause.
            if self._store:
                self._store.check_present()
            raise

    def _log(self, event: Event) -> None:
        if event.kind == "run":
            self._store = open_store(self._config)
            run_id = open_parent(self._store, self._place, event.body, self._config.tags)
            self._record = OpenRecord(self._store, run_id, self._place, event)
        elif self._record:
            _LOGGERS[event.kind](self._record, event)


def log_score_figures(
    client: Any, run_id: str, figures: Mapping[str, Mapping[str, float]], at: int | None = None
) -> None:
    """Log the main figure of each score, each round a step.

    Args:
        client: Of the store.
        run_id: Gets the metrics `score/…`.
        figures: By the round's number, as text, and by name.
        at: Milliseconds since 1970; None: now.
    """
    existing = client.get_run(run_id).data.metrics
    log_points(client, run_id, score_points(figures, existing), at)


def _log_candidate(record: OpenRecord, event: Event) -> None:
    log_candidate(record.store, record.run_id, event)


def _log_points(record: OpenRecord, event: Event) -> None:
    points = {event.body["step"]: rate_metrics(event.body["values"])}
    log_points(record.store.client, record.run_id, points, event.at)


def _log_document(record: OpenRecord, event: Event) -> None:
    record.store.client.log_dict(record.run_id, event.body["content"], event.key)


def _log_scores(record: OpenRecord, event: Event) -> None:
    client = record.store.client
    log_score_figures(client, record.run_id, event.body["figures"], event.at)
    log_files(client, record.run_id, [record.folder / name for name in event.body["files"]])


def _log_results(record: OpenRecord, event: Event) -> None:
    """Log the summary, the artifacts, a table of rows and the best method."""
    client, body = record.store.client, event.body
    if body["has_rows"]:
        rows = sample_rows(record.folder, record.opening.body["seed_ids"])
        log_table(client, record.run_id, rows, "rows.json")
    _log_figures(record, event)
    log_files(client, record.run_id, [record.folder / name for name in body["files"]])
    _register_best(record, body["best"])


def _log_figures(record: OpenRecord, event: Event) -> None:
    """Log what people sort and chart by as metrics, other numbers as tags, all as an artifact."""
    client, run_id, figures = record.store.client, record.run_id, event.body["figures"]
    log_metrics(client, run_id, summary_metrics(figures), event.at)
    log_points(client, run_id, heldout_points(figures), event.at)
    run = client.get_run(run_id)
    tags = summary_tags(figures, run.data.tags)
    verdict = event.body.get("heldout_verdict")
    set_tags(client, run, {**tags, **({"summary.heldout_verdict": verdict} if verdict else {})})
    client.log_dict(run_id, figures, "figures.json")


def _log_method(record: OpenRecord, event: Event) -> None:
    record.registry.register(event.body)


def _register_best(record: OpenRecord, best: Mapping[str, Any]) -> None:
    """Name the best method in the Prompt Registry; it is there already if a step accepted it."""
    file = record.folder / "methods" / "best.md"
    # Journals of earlier versions have the instructions alone.
    if "markdown" not in best and not file.is_file():
        return
    stored = {} if "markdown" in best else _method_in(file)
    version = record.registry.register({**stored, **best})
    if version is not None:
        record.registry.name_best(version)


def _method_in(file: Path) -> dict[str, Any]:
    # A model may have written a carriage return, which is part of the method's id.
    method = from_markdown(read_text(file, str(file), newline=""), name=file.stem)
    return method_body(method, "best method")


def _log_trace(record: OpenRecord, event: Event) -> None:
    log_trace(record.store, record.run_id, event.body)


def _log_end(record: OpenRecord, event: Event) -> None:
    record.store.client.set_terminated(record.run_id, event.body["status"], end_time=event.at)
    record.store.check_present()


_LOGGERS: Mapping[Kind, Callable[[OpenRecord, Event], None]] = {
    "candidate": _log_candidate,
    "method": _log_method,
    "points": _log_points,
    "document": _log_document,
    "scores": _log_scores,
    "results": _log_results,
    "trace": _log_trace,
    "end": _log_end,
}
