"""MLflow as a listener: one parent run per experiment, one child run per candidate method.

Everything is looked up before it is written: a resumed run finds its MLflow run again and adds no
second point.
"""

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.folder import RunFolder
from autoevol.experiments.files.trees import flat_numbers
from autoevol.experiments.tracking.candidates import CandidateRuns
from autoevol.experiments.tracking.config import SETTINGS_FILE, TrackingConfig
from autoevol.experiments.tracking.parent import TrackedRun, open_parent
from autoevol.experiments.tracking.store import (
    Store,
    find_store,
    log_metrics,
    log_points,
    log_table,
    open_store,
)
from autoevol.experiments.tracking.tables import sample_rows
from autoevol.program.errors import StoppedError
from autoevol.program.records import Evaluation, FinalChoice, StepRecord
from autoevol.signatures import Method

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tracker:
    """Records a run in MLflow.

    Attributes:
        run_id: Of the parent run.
    """

    store: Store
    run_id: str
    run: TrackedRun

    def on_step(self, record: StepRecord) -> None:
        """Record the candidates of a step, and the failure rate after it."""
        children = CandidateRuns(self.store, self.run_id, self.run.optimizer_temperature)
        if record.step == 0:
            children.record_initial(record.incumbent)
            self._log_failure_rate(0, record.incumbent)
        for candidate in record.candidates:
            children.record(candidate)
        self._log_failure_rate(record.step + 1, record.best)

    def on_choice(self, choice: FinalChoice) -> None:
        """Record the confirmation: the finalists on fresh rows."""
        evaluations = [choice.initial, *(finalist.fresh for finalist in choice.finalists)]
        rows = [{"method": e.method.name, "rows": _verdicts(e)} for e in evaluations]
        self.store.client.log_dict(self.run_id, {"second_look": rows}, "second_look.json")

    def on_scores(self, figures: Mapping[int, Mapping[str, Any]], files: Sequence[Path]) -> None:
        """Record the scores of the rounds, each round a step."""
        _log_scores(self.store.client, self.run_id, figures, files)

    def on_rows(self, folder: Path) -> None:
        """Record a table of rows, the first thousand."""
        rows = sample_rows(folder, self.run.seeds)
        log_table(self.store.client, self.run_id, rows, "rows.json")

    def finish(self, summary: Mapping[str, Any], files: Sequence[Path], best: Method) -> None:
        """Record the summary, the artifacts and the best method."""
        figures = {f"summary.{name}": value for name, value in flat_numbers(summary).items()}
        log_metrics(self.store.client, self.run_id, figures)
        for file in files:
            self.store.client.log_artifact(self.run_id, str(file))
        _register(self.run.name, best)

    def _log_failure_rate(self, step: int, evaluation: Evaluation) -> None:
        rate = {"failure_rate": evaluation.failure_rate.rate}
        log_points(self.store.client, self.run_id, {step: rate})


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
    # MLflow drops traces beyond the length of its queue, so it gets a length that no run reaches.
    os.environ.setdefault("MLFLOW_ASYNC_TRACE_LOGGING_MAX_QUEUE_SIZE", "1000000")
    store = open_store(config)
    # After `open_store`, which sets the log level that MLflow reads at its import.
    import mlflow

    _trace(config)
    parent = open_parent(store, run, folder, config_tags=config.tags, run_tags=tags)
    with mlflow.start_run(run_id=parent) as active:
        try:
            yield Tracker(store, active.info.run_id, run)
        except (KeyboardInterrupt, StoppedError):
            # Left to itself, `start_run` would end a stopped run as FAILED.
            mlflow.end_run("KILLED")
            raise
        finally:
            # MLflow writes traces in threads of its own, which would end with the process.
            mlflow.flush_trace_async_logging()


def _trace(config: TrackingConfig) -> None:
    """Have MLflow trace DSPy's calls, those that are sampled."""
    if not config.trace_sampling:
        return
    import mlflow

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Any type hint", UserWarning)  # of MLflow's own
        mlflow.dspy.autolog(log_traces=True, log_traces_from_compile=False)


def log_scores(
    config: TrackingConfig,
    run_key: str,
    figures: Mapping[int, Mapping[str, Any]],
    files: Sequence[Path],
) -> None:
    """Log the scores of a finished run; one that is not in the store is skipped.

    Args:
        config: Where.
        run_key: Identifies the run in the store.
        figures: By round and by score; metrics `score.…` with the round as their step.
        files: Artifacts.
    """
    store = find_store(config)
    run = store.find("run_key", run_key) if store else None
    if store and run is not None:
        _log_scores(store.client, run.info.run_id, figures, files)


def _log_scores(
    client: Any,
    run_id: str,
    figures: Mapping[int, Mapping[str, Any]],
    files: Sequence[Path],
) -> None:
    points = {
        number: {f"score.{name}": value for name, value in flat_numbers(scores).items()}
        for number, scores in figures.items()
    }
    log_points(client, run_id, points)
    for file in files:
        client.log_artifact(run_id, str(file))


def _register(run_name: str, best: Method) -> None:
    """Keep the best method in the Prompt Registry; the same text makes no second version."""
    from mlflow import genai

    # The registry takes no other characters in a name.
    name = f"autoevol-{re.sub(r'[^A-Za-z0-9._-]+', '-', run_name)}"
    latest = genai.load_prompt(f"prompts:/{name}@best", allow_missing=True)
    if latest is not None and latest.template == best.instructions:
        return
    version = genai.register_prompt(name, best.instructions, tags={"method_id": best.id})
    genai.set_prompt_alias(name, "best", version.version)


def _verdicts(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [{"verdict": o.status, **o.as_dict()} for o in evaluation.outcomes]
