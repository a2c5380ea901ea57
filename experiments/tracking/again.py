"""Runs that are over: logged from what their folders alone hold, whenever MLflow can be reached."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.artifacts.format import rules_of
from autoevol.experiments.artifacts.identity import RunIdentity, read_identity
from autoevol.experiments.artifacts.labels.file import read_marks
from autoevol.experiments.artifacts.search_record import SearchRecord, best_alone, read_record
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.files.trees import flatten
from autoevol.experiments.scores.stored import read_stored
from autoevol.experiments.tracking.background import reason_of
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.events import CLOSING, Event, Kind, read_events
from autoevol.experiments.tracking.naming.metrics import rate_values
from autoevol.experiments.tracking.parent import RunPlace
from autoevol.experiments.tracking.prompts.registry import recorded_bodies
from autoevol.experiments.tracking.recorder import Recorder, log_score_figures
from autoevol.experiments.tracking.run import flat_rounds, results_body
from autoevol.experiments.tracking.store import TABLE_ROWS, find_store, log_files
from autoevol.experiments.tracking.traces import is_trace_of, log_feedback
from autoevol.metrics import FailureRate
from autoevol.program.errors import AutoEvolError, ConfigError
from autoevol.program.records import proposal_name
from autoevol.signatures import to_markdown

_FILES = ("report.html", "config.yaml", "evolved.jsonl", "failures.jsonl", "steps.json")
Say = Callable[[str], None]


def track_folder(folder: Path, config: TrackingConfig) -> str:
    """Log a run that is over, or was stopped; return the id of its MLflow run.

    A run that is in the store already gets what it lacks there, and nothing twice.

    Raises:
        ConfigError: The folder is no run's, a file of it is damaged, or a process works in it.
        TrackingError: The store cannot be used.
        MlflowException: MLflow refuses something, or a server does not answer.
    """
    identity = read_identity(folder)
    with alone_in(folder):
        recorder = Recorder(config, RunPlace(folder, identity.key, identity.started))
        for event in _events(folder, identity):
            recorder.log(event)
        run_id = recorder.run_id
        if run_id is None:
            raise ConfigError(str(folder), "holds nothing that could be tracked")
        _note(folder, run_id)
    log_marks(folder, config)
    return run_id


def log_marks(folder: Path, config: TrackingConfig) -> int:
    """Log the marks of a run's rows as assessments of their traces; nothing twice.

    Rows that were not traced, or whose traces are not in the store, are skipped.

    Args:
        folder: The run's, with its `labels.jsonl`.
        config: Where.

    Returns:
        How many marks the store has now.

    Raises:
        ConfigError: `labels.jsonl` cannot be read.
        TrackingError: The store cannot be used.
        MlflowException: MLflow refuses something, or a server does not answer.
    """
    marks = read_marks(folder)
    traces = [event.body for event in read_events(folder) if event.kind == "trace"]
    # MLflow's import takes seconds, so it comes only where there is something to log.
    store = find_store(config) if marks and traces else None
    if store is None:
        return 0
    logged = {
        mark.key
        for mark in marks.values()
        for body in traces
        if is_trace_of(body, mark.line)
        and log_feedback(store, body, mark.label, mark.all_kinds, str(mark.line.get("id")))
    }
    return len(logged)


def track_later(
    folder: Path, summary: dict[str, Any], config: TrackingConfig | None, say: Say
) -> dict[str, Any]:
    """Log a finished run that could not be tracked when it ran; say so if it still cannot be.

    Returns:
        The summary, with the id of the MLflow run if there is one by now.
    """
    if config is None or summary.get("mlflow_run_id"):
        return summary
    with reporting(say, f"`{command_line('track', folder)}` tries again"):
        run_id = track_folder(folder, config)
        say(f"{folder}: logged in MLflow, which the run itself could not reach")
        return {**summary, "mlflow_run_id": run_id}
    return summary


def log_scores(
    config: TrackingConfig,
    run_key: str,
    figures: Mapping[int, Mapping[str, Any]],
    files: Sequence[Path],
    say: Say,
) -> None:
    """Log the scores of a finished run; one that is not in the store is skipped.

    Args:
        config: Where.
        run_key: Identifies the run in the store.
        figures: By round and by score; metrics `score/…` with the round as their step.
        files: Artifacts.
        say: Prints one line for the user, also when MLflow fails.
    """
    with reporting(say, "the files are written"):
        store = find_store(config)
        run = store.find("run_key", run_key) if store else None
        if store and run is not None:
            log_score_figures(store.client, run.info.run_id, flat_rounds(figures))
            log_files(store.client, run.info.run_id, files)


@contextlib.contextmanager
def reporting(say: Say, remark: str) -> Iterator[None]:
    """Report a failure of MLflow in a line, where the command can do without it.

    Args:
        say: Prints one line for the user.
        remark: What is true all the same, or what to do.
    """
    try:
        yield
    # MLflow, its database driver and its HTTP client raise what they like.
    except Exception as error:  # noqa: BLE001
        say(f"not tracked: {reason_of(error)}; {remark}")


@contextlib.contextmanager
def required() -> Iterator[None]:
    """Turn a failure of MLflow into the user's error, where it is all that a command does.

    Raises:
        ConfigError: Names the key of `mlflow.yaml`.
    """
    try:
        yield
    except AutoEvolError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError("mlflow.yaml: tracking_uri", str(error)) from error
    # As above.
    except Exception as error:
        raise ConfigError("mlflow.yaml: tracking_uri", reason_of(error)) from error


def _note(folder: Path, run_id: str) -> None:
    """Enter the id in the summary, by which `compare` finds the run."""
    file = folder / SUMMARY
    if not file.is_file():
        return
    summary = json.loads(file.read_text("utf-8"))
    if summary.get("mlflow_run_id") != run_id:
        tree = {**summary, "mlflow_run_id": run_id}
        write_whole(file, json.dumps(tree, indent=2, ensure_ascii=False) + "\n")


def _events(folder: Path, identity: RunIdentity) -> list[Event]:
    """Return what there is to log, the opening first and the end last."""
    events = read_events(folder) or _events_without_journal(folder, identity)
    opening = [event for event in events if event.kind == "run"]
    middle = [event for event in events if event.kind not in (*CLOSING, "scores")]
    middle += _methods(folder, events)
    results = [event for event in events if event.kind == "results"]
    is_finished = (folder / SUMMARY).is_file()
    at = max(event.at for event in events)
    end = Event("end", "end", at, {"status": "FINISHED" if is_finished else "KILLED"})
    return [*opening, *middle, *_scores(folder, at), *(results if is_finished else ()), end]


def _methods(folder: Path, events: Sequence[Event]) -> list[Event]:
    """Return the methods that steps accepted, where the journal does not name them."""
    record = read_record(folder)
    if record is None or any(event.kind == "method" for event in events):
        return []
    at = max(event.at for event in events)
    return [Event(key, "method", at, body) for key, body in recorded_bodies(record)]


def _scores(folder: Path, at: int) -> list[Event]:
    """Return the scores of the folder's files: `autoevol score` may have added some later."""
    figures = {
        number: {name: value for name, value in scores.items() if isinstance(value, Mapping)}
        for number, scores in read_stored(folder).figures.items()
    }
    if not figures:
        return []
    body = {"figures": flat_rounds(figures), "files": ["scores.json", "scores.jsonl"]}
    return [Event("scores", "scores", at, body)]


def _events_without_journal(folder: Path, identity: RunIdentity) -> list[Event]:
    """Return the events of a run of an older version, as far as its files tell them."""
    at = int(identity.started.timestamp() * 1000)
    record = read_record(folder) or best_alone(folder)
    first_number = rules_of(identity.format).first_number
    summary = read_summary(folder) if (folder / SUMMARY).is_file() else None

    def event(kind: Kind, key: str, body: Mapping[str, Any]) -> Event:
        return Event(key, kind, at, body)

    events = [event("run", "run", _opening(folder))]
    events += [event("candidate", *item) for item in _candidates(record, first_number)]
    events += [
        event("points", f"failure_rate-{step}", {"step": step, "values": rate_values(rate)})
        for step, rate in _rates(record)
    ]
    if summary is not None and record.best:
        best = record.best[0]
        files = [name for name in _FILES if (folder / name).is_file()]
        files += sorted(file.name for file in folder.glob("*.png"))
        body = results_body(summary, files, best, has_rows=True)
        events.append(event("results", "results", body))
    return events


def _opening(folder: Path) -> dict[str, Any]:
    config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
    rows = [
        row
        for name in ("evolved.jsonl", "failures.jsonl")
        if (folder / name).is_file()
        for row in read_rows(folder / name)
    ]
    return {
        "name": config.get("name", folder.name),
        "params": {key: str(value) for key, value in flatten(config).items()},
        "tags": {},
        "data": None,
        "seed_ids": list(dict.fromkeys(str(row["seed_id"]) for row in rows))[:TABLE_ROWS],
    }


def _rates(record: SearchRecord) -> Iterator[tuple[int, FailureRate]]:
    for number, step in enumerate(record.steps):
        if number == 0:
            yield 0, step.incumbent.rate
        yield number + 1, step.best.rate


def _candidates(record: SearchRecord, first: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, step in enumerate(record.steps):
        for index, proposal in enumerate(step.proposals):
            measured = proposal.measured
            method = record.methods[measured.method] if measured else None
            yield (
                proposal_name(number, index, first),
                {
                    "params": {
                        "step": number + first,
                        "candidate": index + first,
                        "parent_method": proposal.parent,
                        "operator": proposal.operator,
                        "is_pruned": proposal.is_pruned,
                        "verdict": proposal.verdict,
                        "rejected": proposal.rejected,
                        "method_id": method.id if method else "",
                    },
                    "texts": {"method.md": to_markdown(method)} if method else {},
                    "metrics": {"failure_rate": measured.rate.rate} if measured else {},
                    "verdicts": [],
                },
            )
