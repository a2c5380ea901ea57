"""A run as a tracker sees it: what it reports goes to its journal, and from there to MLflow.

MLflow is a listener. It works on a thread of its own, beside the calls; whatever happens to it, the
run goes on, and the journal keeps what is missing for later.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.folder import RunFolder
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.files.trees import flat_numbers
from autoevol.experiments.tracking.background import BackgroundLog
from autoevol.experiments.tracking.candidates import candidate_bodies
from autoevol.experiments.tracking.config import (
    SETTINGS_FILE,
    TrackingConfig,
    load_tracking,
)
from autoevol.experiments.tracking.events import CLOSING, Body, Event, Journal, Kind
from autoevol.experiments.tracking.naming.metrics import rate_values
from autoevol.experiments.tracking.parent import RunPlace, TrackedRun, opening_body
from autoevol.experiments.tracking.prompts.registry import accepted_bodies, method_body
from autoevol.experiments.tracking.recorder import Recorder
from autoevol.experiments.tracking.traces import TraceSelection
from autoevol.program.errors import StoppedError
from autoevol.program.listeners import Phase
from autoevol.program.records import Evaluation, FinalChoice, Outcome, StepRecord
from autoevol.program.roles import OnCall
from autoevol.signatures import Method

logger = logging.getLogger(__name__)

FINISHING_S, STOPPING_S, ABANDONING_S = 45.0, 10.0, 1.0
"""The longest waits for MLflow: when a run is finished, stopped early, or stopped at once."""


class EventLog:
    """The events of a run: in its journal, and in MLflow where there is an `mlflow.yaml`.

    Args:
        place: Identifies the run.
        config: Where it is logged; None: in the journal alone.
        on_failure: Called once with the reason when MLflow fails.
    """

    def __init__(
        self, place: RunPlace, config: TrackingConfig | None, on_failure: Callable[[str], None]
    ) -> None:
        self._journal = Journal(place.folder)
        self._recorder = Recorder(config, place) if config else None
        self._thread = BackgroundLog(on_failure) if config else None

    def open(self, body: Body) -> None:
        """Report the run itself, and log what an earlier try has reported."""
        earlier = [event for event in self._journal.events if event.kind not in CLOSING]
        self.report("run", "run", body)
        for event in earlier:
            self._submit(event)

    def report(self, kind: Kind, key: str, body: Body) -> None:
        """Report an event; one that an earlier try has reported is in MLflow already.

        Raises:
            StorageError: The run's folder cannot be written.
        """
        event, is_new = self._journal.add(kind, key, body)
        # What closes a run reads the folder's files, which may be others by now.
        if is_new or kind in CLOSING:
            self._submit(event)

    def close(self, seconds: float) -> str | None:
        """Wait for MLflow, at most so long.

        Returns:
            The id of the run; None: it, or a part of it, is not in the store.
        """
        if self._recorder is None or self._thread is None or not self._thread.close(seconds):
            return None
        return self._recorder.run_id

    def _submit(self, event: Event) -> None:
        if self._recorder and self._thread:
            self._thread.submit(partial(self._recorder.log, event))


@dataclass(frozen=True, slots=True)
class Tracker:
    """Turns what a run does into events.

    Attributes:
        run: What is recorded.
        traces: None: no call is traced.
    """

    log: EventLog
    run: TrackedRun
    traces: TraceSelection | None

    @property
    def on_call(self) -> OnCall | None:
        """Gets the calls of predictors, some of which are traced; None: no call is traced."""
        return self.traces.on_call if self.traces else None

    def on_phase(self, phase: Phase) -> None:
        """Note which phase the next calls belong to."""
        if self.traces:
            self.traces.on_phase(phase)

    def on_row(self, outcome: Outcome) -> None:
        """Trace some of the rows that failed."""
        if self.traces:
            self.traces.on_row(outcome)

    def on_step(self, record: StepRecord) -> None:
        """Report the candidates of a step, and the failure rate after it."""
        if record.step == 0:
            self._report_rate(0, record.incumbent)
        for name, body in candidate_bodies(record, self.run.optimizer_temperature):
            self.log.report("candidate", name, body)
        for key, body in accepted_bodies(record):
            self.log.report("method", key, body)
        self._report_rate(record.step + 1, record.best)

    def on_choice(self, choice: FinalChoice) -> None:
        """Report the confirmation: the finalists on fresh rows."""
        evaluations = [choice.initial, *(finalist.fresh for finalist in choice.finalists)]
        rows = [{"method": e.method.name, "rows": _verdicts(e)} for e in evaluations]
        self.log.report("document", "second_look.json", {"content": {"second_look": rows}})

    def on_scores(self, figures: Mapping[int, Mapping[str, Any]], files: Sequence[Path]) -> None:
        """Report the scores of the rounds, each round a step."""
        names = [file.name for file in files]
        self.log.report("scores", "scores", {"figures": flat_rounds(figures), "files": names})

    def finish(
        self, summary: Mapping[str, Any], files: Sequence[str], best: Method, *, has_rows: bool
    ) -> str | None:
        """Report the results, and wait until everything is logged.

        Args:
            summary: Its numbers become metrics.
            files: Artifacts, by their names in the run's folder.
            best: The best method.
            has_rows: Whether the run has evolved rows; a search alone has none.

        Returns:
            The id of the MLflow run; None: it, or a part of it, is not in the store.
        """
        body = results_body(summary, files, best, has_rows=has_rows)
        self.log.report("results", "results", body)
        return self.end("FINISHED", FINISHING_S)

    def end(self, status: str, seconds: float) -> str | None:
        """Report how the run ended, and wait for MLflow as `finish` does."""
        self.log.report("end", "end", {"status": status})
        return self.log.close(seconds)

    def _report_rate(self, step: int, evaluation: Evaluation) -> None:
        values = rate_values(evaluation.failure_rate)
        self.log.report("points", f"failure_rate-{step}", {"step": step, "values": values})


def flat_rounds(figures: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the numbers of each round's scores under dotted names."""
    return {str(number): flat_numbers(scores) for number, scores in figures.items()}


def results_body(
    summary: Mapping[str, Any],
    files: Sequence[str],
    best: Method,
    *,
    has_rows: bool,
) -> dict[str, Any]:
    """Return what the event of a run's results says; see `Tracker.finish`."""
    return {
        "figures": flat_numbers(summary),
        "heldout_verdict": summary.get("heldout_verdict"),
        "files": list(files),
        "best": method_body(best, _message(summary)),
        "has_rows": has_rows,
    }


def _message(summary: Mapping[str, Any]) -> str:
    verdict = summary.get("heldout_verdict")
    return f"best method; on held-out rows: {verdict}" if verdict else "best method"


@contextlib.contextmanager
def tracked(
    config: TrackingConfig | None,
    run: TrackedRun,
    folder: RunFolder,
    tags: Mapping[str, str],
    say: Callable[[str], None],
) -> Iterator[Tracker]:
    """Track a run until the block is left; its MLflow run ends FINISHED, KILLED or FAILED.

    Args:
        config: Where; None: the run is not tracked, its journal is written all the same.
        run: What is recorded.
        folder: The run's.
        tags: Of the run, beside the config's.
        say: Prints one line for the user.
    """
    # From Python a run is not tracked unless that is wanted, whatever files there are.
    if config is None and load_tracking() is None:
        logger.warning("no %s here: the run is not tracked", SETTINGS_FILE)

    def on_failure(reason: str) -> None:
        say(f"not tracked: {reason}; `{command_line('track', folder.path)}` logs the run later")

    place = RunPlace(folder.path, folder.key, folder.started, folder.replaces)
    log = EventLog(place, config, on_failure)
    log.open(opening_body(run, tags))
    tracker = Tracker(log, run, _traces(config, folder.key, log))
    try:
        yield tracker
    except KeyboardInterrupt:
        tracker.end("KILLED", ABANDONING_S)
        raise
    except StoppedError:
        tracker.end("KILLED", STOPPING_S)
        raise
    except BaseException:
        tracker.end("FAILED", STOPPING_S)
        raise


def _traces(config: TrackingConfig | None, run_key: str, log: EventLog) -> TraceSelection | None:
    if config is None or not config.trace_sampling:
        return None
    return TraceSelection(run_key, partial(log.report, "trace"))


def _verdicts(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [{"verdict": o.status, **o.as_dict()} for o in evaluation.outcomes]
