"""A study in MLflow: study > arm > trainings and evaluations, each with its data's fingerprint."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from autoevol.experiments.evaluation.tracking import evaluation_record
from autoevol.experiments.study.figures import CellFigures, study_figures
from autoevol.experiments.study.results import PAGE, STUDY
from autoevol.experiments.study.work import StudyResults, TrainedCell
from autoevol.experiments.tracking.again import reporting
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.naming.metrics import bounded, with_interval
from autoevol.experiments.tracking.naming.runs import placed
from autoevol.experiments.tracking.store import Record
from autoevol.experiments.training.plan import run_of
from autoevol.experiments.training.tracking import training_record


def track_study(config: TrackingConfig, results: StudyResults, say: Callable[[str], None]) -> None:
    """Log what is missing of a study.

    Args:
        config: The store.
        results: What is finished of it.
        say: Gets a line where the store cannot be used.
    """
    with reporting(say, "the study's files are written"):
        figures = study_figures(results)
        study = _study(results, figures).log(config)
        evaluation_record(results.student, study).log(config)
        for arm in results.arms:
            _track_arm(config, results, arm, figures, study)


def _track_arm(
    config: TrackingConfig,
    results: StudyResults,
    arm: str,
    figures: list[CellFigures],
    study: str,
) -> None:
    run = _arm(results, arm, figures, study).log(config)
    for cell in results.cells:
        if cell.cell.arm == arm:
            _track_cell(config, cell, run)


def _track_cell(config: TrackingConfig, cell: TrainedCell, arm: str) -> None:
    for training, report in zip(cell.trainings, cell.reports, strict=True):
        plan = replace(cell.plan, parent=arm)
        trained = training_record(plan, training).log(config)
        record = evaluation_record(report, trained)
        params = {**record.params, "data_fingerprint": cell.cell.data.fingerprint}
        name = placed(f"evaluate {cell.cell.name}, seed {training.seed}", report.plan.folder)
        replace(record, params=params, name=name).log(config)


def _study(results: StudyResults, figures: list[CellFigures]) -> Record:
    config = results.plan.config
    folder = config.folder
    params = {
        "student": config.train.model,
        "seeds": str(config.train.seeds),
        "primary": config.decisive,
        "baseline": results.plan.baseline,
        "equalise": str(config.equalise),
    }
    return Record(
        kind="study",
        # Params are written once: with others it is another run.
        key=_key(str(folder.resolve()), config.name, *params.values()),
        name=placed(f"study {config.name}", folder),
        params=params,
        metrics={},
        tables={"figures.json": [_line(own) for own in figures]},
        files=[folder / name for name in (STUDY, PAGE, "arms.png", "curve.png")],
    )


def _arm(results: StudyResults, arm: str, figures: list[CellFigures], study: str) -> Record:
    config, target = results.plan.config, results.plan.target_of(arm)
    own = [cell for cell in figures if cell.arm == arm]
    conditions = [cell.cell.condition for cell in results.cells if cell.cell.arm == arm]
    return Record(
        kind="study_arm",
        key=_key(str(config.folder.resolve()), arm, *_prints(results, arm)),
        name=placed(f"{config.name}: {arm}", config.folder),
        params={
            "arm": arm,
            "source": str(target),
            "source_run": str(run_of(target) or ""),
            **{
                f"data_fingerprint.{condition}": value
                for condition, value in zip(conditions, _prints(results, arm), strict=True)
            },
        },
        metrics=_metrics(own),
        parent=study,
    )


def _prints(results: StudyResults, arm: str) -> list[str]:
    """Return the fingerprints of an arm's parts: other data are another run of MLflow."""
    return [cell.cell.data.fingerprint for cell in results.cells if cell.cell.arm == arm]


def _metrics(cells: Sequence[CellFigures]) -> dict[str, float]:
    """Return means, then differences to the baseline, then the ends of both's intervals."""
    values: dict[str, float] = {}
    for section, figure in (("study", "value"), ("difference", "difference")):
        for cell in cells:
            name = f"{section}/{cell.task.replace(':', '.')}.{cell.condition}"
            mean = getattr(cell, figure)
            values |= with_interval(name, asdict(mean)) if mean is not None else {}
    ends = {name: value for name, value in values.items() if name.endswith(("_low", "_high"))}
    return bounded({name: v for name, v in values.items() if name not in ends}, ends)


def _line(figures: CellFigures) -> dict[str, Any]:
    values = asdict(figures)
    return {key: json.dumps(v) if isinstance(v, dict) else v for key, v in values.items()}


def _key(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
