"""An evaluation in MLflow: a run of its own, below the training that made the model."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autoevol.experiments.evaluation.report import Report
from autoevol.experiments.evaluation.request import IDENTITY
from autoevol.experiments.evaluation.results import EVALUATION, TaskFigures
from autoevol.experiments.files.reading import read_object
from autoevol.experiments.tracking.again import reporting
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.naming.metrics import bounded, with_interval
from autoevol.experiments.tracking.naming.runs import placed, shown_path
from autoevol.experiments.tracking.store import Record, open_store
from autoevol.experiments.training.plan import IDENTITY as TRAINING
from autoevol.experiments.training.plan import RESULT
from autoevol.experiments.training.tracking import training_key


def track_evaluation(config: TrackingConfig, report: Report, say: Callable[[str], None]) -> None:
    """Log what is missing of an evaluation: settings, figures with their intervals, the table.

    It stands below the training that made the model, where MLflow has that.

    Args:
        config: The store.
        report: The evaluation.
        say: Gets a line where the store cannot be used.
    """
    with reporting(say, "the results are written"):
        training = Path(report.plan.model).expanduser().resolve().parent
        if not ((training / RESULT).is_file() and (training.parent / TRAINING).is_file()):
            evaluation_record(report, None).log(config)
            return
        seed = int(read_object(training / RESULT)["seed"])
        run = open_store(config).find("train_key", training_key(training.parent, seed))
        record = evaluation_record(report, str(run.info.run_id) if run else None)
        fingerprint = read_object(training.parent / TRAINING).get("data")
        replace(record, params={**record.params, "data_fingerprint": fingerprint}).log(config)


def evaluation_record(report: Report, parent: str | None) -> Record:
    """Return an evaluation as a run of MLflow."""
    plan = report.plan
    files = [plan.folder / name for name in (EVALUATION, IDENTITY)]
    return Record(
        kind="evaluate",
        key=_key(report),
        name=placed(f"evaluate {_shown(plan.model)}", plan.folder),
        params={
            "model": plan.model,
            "weights": plan.weights,
            **{key: str(value) for key, value in plan.config.model_dump(mode="json").items()},
        },
        metrics=metrics_of(report.figures),
        tables={"tasks.json": [_line(own) for own in report.figures]},
        files=files,
        parent=parent,
    )


def metrics_of(figures: Sequence[TaskFigures]) -> dict[str, float]:
    """Return the tasks' figures by their names in MLflow, then the ends of their intervals."""
    values = [with_interval(_metric(own), asdict(own)) for own in figures]
    ends = {name: value for own in values for name, value in [*own.items()][1:]}
    return bounded({name: v for own in values for name, v in [*own.items()][:1]}, ends)


def _shown(model: str) -> str:
    """Return a model's name, or the end of its path."""
    return shown_path(Path(model)) if Path(model).exists() else model


def _metric(figures: TaskFigures) -> str:
    return f"eval/{figures.task.replace(':', '.')}"


def _line(figures: TaskFigures) -> dict[str, Any]:
    return {**asdict(figures), "unscored": json.dumps(figures.unscored)}


def _key(report: Report) -> str:
    plan = report.plan
    # Other questions are another run: params are written once.
    content = [str(plan.folder.resolve()), plan.identity, plan.digests, plan.config.limit]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
