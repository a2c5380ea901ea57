"""MLflow as a listener: one parent run per experiment, one child run per candidate method.

`mlflow.yaml` is ours; MLflow reads no such file. Everything is looked up before it is written, so a
resumed run goes on in the same MLflow run and adds no second point.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.folder import RunFolder
from autoevol.experiments.tracking.config import SETTINGS_FILE, TrackingConfig
from autoevol.experiments.tracking.store import (
    Store,
    find_store,
    log_metrics,
    log_params,
    log_table,
    open_store,
    set_tags,
)
from autoevol.experiments.tracking.tables import sample_rows, verdict_rows
from autoevol.metrics import count_by_rule
from autoevol.program.errors import StoppedError
from autoevol.program.records import Candidate, Evaluation, FinalChoice, Row, StepRecord
from autoevol.signatures import Method, to_markdown

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What MLflow is told of a run beside its results.

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


@dataclass
class Tracker:
    """Records a run in MLflow."""

    client: Any
    experiment_id: str
    run_id: str
    run: TrackedRun

    def on_step(self, record: StepRecord) -> None:
        """Record the candidates of a step, and the failure rate after it."""
        if record.step == 0:
            self._child("initial", record.incumbent.method, record.incumbent, {"step": -1})
            self._point("failure_rate", record.incumbent.failure_rate.rate, 0)
        for candidate in record.candidates:
            self._candidate(candidate)
        self._point("failure_rate", record.best.failure_rate.rate, record.step + 1)

    def on_choice(self, choice: FinalChoice) -> None:
        """Record the second look: the contenders on fresh rows."""
        looked = [choice.initial, *(each.fresh for each in choice.finalists)]
        rows = [{"method": each.method.name, "rows": _verdicts(each)} for each in looked]
        self.client.log_dict(self.run_id, {"second_look": rows}, "second_look.json")

    def on_scores(self, figures: Mapping[int, Mapping[str, Any]], files: Sequence[Path]) -> None:
        """Record the scores of the rounds, each round a step."""
        _log_points(self.client, self.run_id, figures)
        for file in files:
            self.client.log_artifact(self.run_id, str(file))

    def on_rows(self, folder: Path) -> None:
        """Record a table of rows, the first thousand."""
        rows = sample_rows(folder, self.run.seeds)
        log_table(self.client, self.run_id, rows, "rows.json")

    def finish(self, summary: dict[str, Any], files: Sequence[Path], best: Method) -> None:
        """Record the summary, the artifacts and the best method."""
        figures = {
            f"summary.{name}": float(value)
            for name, value in _flat(summary).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        log_metrics(self.client, self.run_id, figures)
        for file in files:
            self.client.log_artifact(self.run_id, str(file))
        self._register(best)

    def _candidate(self, candidate: Candidate) -> None:
        params = {
            "step": candidate.step,
            "candidate": candidate.index,
            "parent_method": candidate.parent.id,
            "operator": candidate.operator,
            "is_pruned": candidate.is_pruned,
            "verdict": candidate.verdict,
            "temperature": candidate.temperature or self.run.optimizer_temperature,
            "rejected": candidate.rejected or "",
        }
        self._child(
            candidate.id, candidate.method, candidate.evaluation, params, candidate.feedback
        )

    def _child(
        self,
        candidate_id: str,
        method: Method | None,
        evaluation: Evaluation | None,
        params: dict[str, Any],
        feedback: str = "",
    ) -> None:
        """Record one method as a child run, unless an earlier try of the run has finished it."""
        known = self._children(candidate_id)
        if known and known[0].info.status == "FINISHED":
            return
        child = known[0].info.run_id if known else self._new_child(candidate_id)
        log_params(self.client, child, {**params, "method_id": method.id if method else ""})
        if method:
            self.client.log_text(child, to_markdown(method), "method.md")
        if feedback:
            self.client.log_text(child, feedback, "feedback.txt")
        if evaluation:
            self._evaluation(child, evaluation)
        self.client.set_terminated(child)

    def _new_child(self, candidate_id: str) -> str:
        tags = {
            "mlflow.parentRunId": self.run_id,
            "mlflow.runName": candidate_id,
            "candidate_id": candidate_id,
            "run_kind": "candidate",
        }
        return str(self.client.create_run(self.experiment_id, tags=tags).info.run_id)

    def _evaluation(self, run_id: str, evaluation: Evaluation) -> None:
        outcomes = evaluation.outcomes
        low, high = evaluation.failure_rate.interval
        figures: dict[str, float] = {
            "failure_rate": evaluation.failure_rate.rate,
            "failure_rate_low": low,
            "failure_rate_high": high,
            "added_words": evaluation.added_words,
        }
        failed = [outcome.reasons for outcome in outcomes if outcome.status == "failed"]
        for rule, count in count_by_rule(failed).items():
            figures[f"failed.{rule}"] = count
        for key in ("calls", "tokens_in", "tokens_out", "tokens_cached"):
            figures[key] = sum(outcome.row.usage.get(key, 0) for outcome in outcomes)
        log_metrics(self.client, run_id, figures)
        log_table(self.client, run_id, verdict_rows(evaluation), "dev_verdicts.json")

    def _children(self, candidate_id: str) -> list[Any]:
        query = (
            f"tags.candidate_id = '{candidate_id}' and tags.`mlflow.parentRunId` = '{self.run_id}'"
        )
        found: list[Any] = self.client.search_runs([self.experiment_id], query, max_results=1)
        return found

    def _point(self, key: str, value: float, step: int) -> None:
        known = {m.step: m.value for m in self.client.get_metric_history(self.run_id, key)}
        if known.get(step) != value:
            self.client.log_metric(self.run_id, key, value, step=step)

    def _register(self, best: Method) -> None:
        """Keep the best method in the Prompt Registry; the same text makes no second version."""
        from mlflow import genai

        name = f"autoevol-{re.sub(r'[^A-Za-z0-9._-]+', '-', self.run.name)}"
        known = genai.load_prompt(f"prompts:/{name}@best", allow_missing=True)
        if known is not None and known.template == best.instructions:
            return
        version = genai.register_prompt(name, best.instructions, tags={"method_id": best.id})
        genai.set_prompt_alias(name, "best", version.version)


def _verdicts(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [{"verdict": o.status, **o.as_dict()} for o in evaluation.outcomes]


@contextlib.contextmanager
def tracked(
    config: TrackingConfig | None, run: TrackedRun, folder: RunFolder, tags: Mapping[str, str]
) -> Iterator[Tracker | None]:
    """Open the run's MLflow run, the same one on resume; it ends FINISHED, KILLED or FAILED.

    Args:
        config: Where; None: nothing is tracked.
        run: What is recorded.
        folder: The run's.
        tags: Of the run, beside the config's.
    """
    if config is None:
        logger.warning("no %s here: the run is not tracked", SETTINGS_FILE)
        yield None
        return
    os.environ.setdefault("MLFLOW_ASYNC_TRACE_LOGGING_MAX_QUEUE_SIZE", "1000000")  # drops none
    store = open_store(config)
    import mlflow

    tracker = Tracker(store.client, store.experiment_id, "", run)
    if config.trace_sampling:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*Any type hint", UserWarning)  # of MLflow's own
            mlflow.dspy.autolog(log_traces=True, log_traces_from_compile=False)
    with mlflow.start_run(run_id=_parent(tracker, folder, config, tags)) as active:
        tracker.run_id = active.info.run_id
        try:
            yield tracker
        except (KeyboardInterrupt, StoppedError):
            mlflow.end_run("KILLED")
            raise
        finally:
            mlflow.flush_trace_async_logging()


def log_scores(
    config: TrackingConfig,
    run_key: str,
    figures: Mapping[int, Mapping[str, Any]],
    files: Sequence[Path],
) -> None:
    """Log the scores of a run that is there, metrics `score.…` with the round as their step; files.

    A figure that is there already adds no second point. A run that is not in the store is left out.
    """
    store = find_store(config)
    run = store.find("run_key", run_key) if store else None
    if store is None or run is None:
        return
    if figures:
        _log_points(store.client, run.info.run_id, figures)
    for file in files:
        store.client.log_artifact(run.info.run_id, str(file))


def _log_points(client: Any, run_id: str, figures: Mapping[int, Mapping[str, Any]]) -> None:
    from mlflow.entities import Metric

    from autoevol.experiments.scores.results import flat

    now = int(time.time() * 1000)
    points = [
        Metric(f"score.{name}", value, now, number)
        for number, found in figures.items()
        for name, value in flat(found).items()
    ]
    known = {
        (key, each.step): each.value
        for key in dict.fromkeys(point.key for point in points)
        for each in client.get_metric_history(run_id, key)
    }
    new = [point for point in points if known.get((point.key, point.step)) != point.value]
    client.log_batch(run_id, metrics=new)


def _parent(
    tracker: Tracker, folder: RunFolder, config: TrackingConfig, tags: Mapping[str, str]
) -> str:
    """Return the id of the parent run; params and data set are logged if they are not yet."""
    found = Store(tracker.client, tracker.experiment_id).find("run_key", folder.key)
    _end_replaced(tracker, folder)
    run = found or _new_parent(tracker, folder, {"run_kind": "run", **config.tags, **tags})
    set_tags(tracker.client, run, tags)
    config_now = _flat(tracker.run.config)
    log_params(
        tracker.client,
        run.info.run_id,
        {key: value for key, value in config_now.items() if key not in run.data.params},
    )
    if not (run.inputs and run.inputs.dataset_inputs):
        _log_seeds(run.info.run_id, tracker.run)
    return str(run.info.run_id)


def _end_replaced(tracker: Tracker, folder: RunFolder) -> None:
    """End the run that this one replaces, if a kill has left it open."""
    if folder.replaces is None:
        return
    query = f"tags.run_key = '{folder.replaces}' and attributes.status = 'RUNNING'"
    for run in tracker.client.search_runs([tracker.experiment_id], query):
        tracker.client.set_terminated(run.info.run_id, "KILLED")


def _new_parent(tracker: Tracker, folder: RunFolder, tags: Mapping[str, str]) -> Any:
    started = int(folder.started.astimezone(UTC).timestamp() * 1000)
    return tracker.client.create_run(
        tracker.experiment_id,
        start_time=started,
        tags={
            "mlflow.runName": tracker.run.name,
            **tags,
            "run_key": folder.key,
            "folder": str(folder.path),
        },
    )


def _log_seeds(run_id: str, run: TrackedRun) -> None:
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


def _flat(tree: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Return nested keys joined by dots; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{at}{key}."))
        else:
            flat[f"{at}{key}"] = value
    return flat
