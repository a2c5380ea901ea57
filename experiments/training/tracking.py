"""Trainings in MLflow: one run each, below the run that made the rows."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from autoevol.experiments.files.reading import read_object
from autoevol.experiments.pretrained.adapters import is_adapter
from autoevol.experiments.tracking.again import reporting
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.naming.runs import placed
from autoevol.experiments.tracking.store import Record
from autoevol.experiments.training.plan import IDENTITY, RESULT, TrainPlan
from autoevol.experiments.training.trainer import TrainingResult
from autoevol.experiments.training.trainings import final_loss


def track_trainings(
    config: TrackingConfig,
    plan: TrainPlan,
    results: Sequence[TrainingResult],
    say: Callable[[str], None],
) -> None:
    """Log what is missing of each training: settings, data, the curve of its loss, its figures."""
    with reporting(say, "the models are written"):
        for result in results:
            training_record(plan, result).log(config)


def training_record(plan: TrainPlan, result: TrainingResult) -> Record:
    """Return a training as a run of MLflow."""
    # An adapter that is trained on has a rank and a scale of its own.
    unknown = {"rank", "alpha"} if is_adapter(plan.config.model) else set()
    settings = plan.config.model_dump(mode="json", exclude={"seeds", *unknown})
    return Record(
        kind="train",
        key=training_key(plan.folder, result.seed),
        name=placed(f"train {plan.target.stem}, seed {result.seed}", plan.folder),
        params={
            **{key: str(value) for key, value in settings.items()},
            "seed": result.seed,
            "target": str(plan.target),
            "data_fingerprint": plan.data.fingerprint,
            "bf16": result.is_bf16,
            "steps": result.steps,
        },
        metrics={
            "train/loss_last": final_loss(result),
            "train/tokens": float(result.tokens),
            "train/seconds": result.seconds,
            "train/memory_mib": float(result.memory_mib),
        },
        points={step: {"train/loss": loss} for step, loss in enumerate(result.losses, 1)},
        files=[plan.folder / IDENTITY, plan.folder_of(result.seed) / RESULT],
        parent=plan.parent,
    )


def training_key(folder: Path, seed: int) -> str:
    """Return the key by which MLflow finds a training.

    Args:
        folder: Of the trainings; its `training.json` is there.
        seed: Of the training.
    """
    held = read_object(folder / IDENTITY)
    # A folder of before has these two keys alone.
    identity = {key: held.get(key) for key in ("train", "data")}
    content = [str(folder.resolve()), identity, seed]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
