"""Candidate methods in MLflow: a child run for each, with its text and its dev verdicts."""

from collections.abc import Iterator, Mapping
from typing import Any

from autoevol.experiments.tracking.events import Event
from autoevol.experiments.tracking.naming.metrics import RATES, candidate_metrics
from autoevol.experiments.tracking.store import (
    Store,
    log_metrics,
    log_params,
    log_points,
    log_table,
)
from autoevol.experiments.tracking.tables import verdict_rows
from autoevol.metrics import count_by_rule
from autoevol.program.records import Candidate, Evaluation, StepRecord
from autoevol.signatures import Method, to_markdown

_USAGE = ("calls", "tokens_in", "tokens_out", "tokens_cached")


def candidate_bodies(
    record: StepRecord, optimizer_temperature: float | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the id and the content of each child run of a step.

    Args:
        record: Of the step; the first one brings the initial method, which belongs to no step.
        optimizer_temperature: Of proposals that name none of their own.
    """
    if record.step == 0:
        initial = record.incumbent
        first = record.candidates[0].first if record.candidates else 1
        yield "initial", _body({"step": first - 1}, initial.method, initial)
    for candidate in record.candidates:
        params = _params(candidate, optimizer_temperature)
        body = _body(params, candidate.method, candidate.evaluation, candidate.feedback)
        yield candidate.id, body


def log_candidate(store: Store, parent_id: str, event: Event) -> None:
    """Log a child run, unless an earlier try has finished it."""
    candidate_id, client = event.key, store.client
    existing = _find(store, parent_id, candidate_id)
    if existing is not None and existing.info.status == "FINISHED":
        return
    run_id = str((existing or _create(store, parent_id, event)).info.run_id)
    log_params(client, run_id, event.body["params"])
    for file, text in event.body["texts"].items():
        client.log_text(run_id, text, file)
    _log_figures(store, run_id, event)
    log_table(client, run_id, event.body["verdicts"], "dev_verdicts.json")
    # Last: a child run that a kill has left unfinished is recorded anew from its first line on.
    client.set_terminated(run_id, end_time=event.at)


def _log_figures(store: Store, run_id: str, event: Event) -> None:
    """Log the metrics; a candidate's dots stand at its step, beside the line of its run."""
    metrics, step = candidate_metrics(event.body["metrics"]), int(event.body["params"]["step"])
    rates = {name: value for name, value in metrics.items() if name in RATES}
    rest = {name: value for name, value in metrics.items() if name not in RATES}
    log_metrics(store.client, run_id, rest, event.at)
    # Runs that number from 0 have the initial method at -1.
    log_points(store.client, run_id, {max(0, step): rates}, event.at)


def _params(candidate: Candidate, optimizer_temperature: float | None) -> dict[str, Any]:
    own = candidate.temperature
    return {
        "step": candidate.step + candidate.first,
        "candidate": candidate.index + candidate.first,
        "parent_method": candidate.parent.id,
        "operator": candidate.operator,
        "is_pruned": candidate.is_pruned,
        "verdict": candidate.verdict,
        "temperature": optimizer_temperature if own is None else own,
        "rejected": candidate.rejected or "",
    }


def _body(
    params: Mapping[str, Any],
    method: Method | None,
    evaluation: Evaluation | None,
    feedback: str = "",
) -> dict[str, Any]:
    texts = {"method.md": to_markdown(method) if method else "", "feedback.txt": feedback}
    return {
        "params": {**params, "method_id": method.id if method else ""},
        "texts": {file: text for file, text in texts.items() if text},
        "metrics": _metrics(evaluation) if evaluation else {},
        "verdicts": verdict_rows(evaluation) if evaluation else [],
    }


def _find(store: Store, parent_id: str, candidate_id: str) -> Any | None:
    # Every run has a `step-01-candidate-1`, so the parent belongs to the query.
    query = f"tags.candidate_id = '{candidate_id}' and tags.`mlflow.parentRunId` = '{parent_id}'"
    runs = store.client.search_runs([store.experiment_id], query, max_results=1)
    return runs[0] if runs else None


def _create(store: Store, parent_id: str, event: Event) -> Any:
    tags = {
        "mlflow.parentRunId": parent_id,
        "mlflow.runName": _run_name(event),
        "candidate_id": event.key,
        "run_kind": "candidate",
    }
    return store.client.create_run(store.experiment_id, start_time=event.at, tags=tags)


def _run_name(event: Event) -> str:
    """Return a name that the list of runs does not cut: `1.2 rewrite`, or `initial`."""
    params = event.body["params"]
    if "candidate" not in params:
        return event.key
    return f"{params['step']}.{params['candidate']} {params['operator']}"


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return what the dev rows say of a method; failures by rule are counts of rows."""
    outcomes = evaluation.outcomes
    low, high = evaluation.failure_rate.interval
    reasons = [outcome.reasons for outcome in outcomes if outcome.status == "failed"]
    return {
        "failure_rate": evaluation.failure_rate.rate,
        "failure_rate_low": low,
        "failure_rate_high": high,
        "added_words": evaluation.added_words,
        **{f"failed.{rule}": count for rule, count in count_by_rule(reasons).items()},
        **{name: sum(outcome.row.usage.get(name, 0) for outcome in outcomes) for name in _USAGE},
    }
