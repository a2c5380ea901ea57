"""A request of `autoevol train`, checked, and what its folder holds already."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.identity import read_identity
from autoevol.experiments.artifacts.resume import stored_config
from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.config.loading import overridden
from autoevol.experiments.config.train import PRESET_KEYS, TrainConfig, train_config
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.reading import read_object
from autoevol.experiments.pretrained.weights import weights_digest
from autoevol.experiments.training.examples import Example, ExampleSet, first_rows, read_examples
from autoevol.experiments.training.student import template_of
from autoevol.program.errors import ConfigError

IDENTITY, RESULT = "training.json", "result.json"
CHECKPOINTS = "checkpoints"
"""In the folder of a seed, while it is trained."""

_NOT_THE_RESULT = {"seeds", "checkpoints", "preset", "micro_batch"}
"""Keys that may change in the same folder: the models stay what they are."""


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """The arguments of `autoevol train`.

    Attributes:
        target: A run's folder or a file of rows.
        out: Gets the trainings; None: `TARGET/train`, or `runs/train-NAME` for a file.
        model: The student, instead of the config's; None: the config's.
        overrides: `train.a=b`.
    """

    target: Path
    out: Path | None = None
    model: str | None = None
    overrides: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """A checked request.

    Attributes:
        config: How the student is trained.
        where: What the settings come from, for messages.
        target: The run's folder, or the file.
        folder: Gets a folder for each seed.
        data: The examples of the target.
        examples: Those of the first `rows`.
        parent: The MLflow run that made the rows; None: nobody knows.
    """

    config: TrainConfig
    where: str
    target: Path
    folder: Path
    data: ExampleSet
    examples: tuple[Example, ...]
    parent: str | None

    @property
    def identity(self) -> dict[str, Any]:
        """What makes this training another than one with other settings, data or student."""
        settings = self.config.model_dump(mode="json", exclude=_NOT_THE_RESULT)
        template = template_of(self.config, self.where)
        return {
            "train": settings,
            "data": self.data.fingerprint,
            "student": weights_digest(self.config.model),
            "chat_template": hashlib.sha256(template.encode()).hexdigest()[:16] if template else "",
        }

    def folder_of(self, seed: int) -> Path:
        """Return the folder of one training."""
        return self.folder / f"seed-{seed}"


def make_plan(request: TrainRequest) -> TrainPlan:
    """Check everything that needs no model; nothing is written.

    Raises:
        ConfigError: The settings are wrong, the target has no row to train on, or the folder holds
            another training.
    """
    is_run = (request.target / EVOLVED).is_file()
    if not is_run and not request.target.is_file():
        raise ConfigError(str(request.target), "is neither a run's folder nor a file of rows")
    where = str(request.target / "config.yaml") if is_run else str(request.target)
    config = _config(request, where, is_run=is_run)
    template_of(config, where)
    data = read_examples(request.target)
    plan = TrainPlan(
        config=config,
        where=where,
        target=request.target,
        folder=request.out or _folder(request.target, is_run=is_run),
        data=data,
        examples=first_rows(data.examples, config.rows),
        parent=_parent(request.target) if is_run else None,
    )
    _check_rows(plan)
    check_folder(plan)
    return plan


def _config(request: TrainRequest, where: str, *, is_run: bool) -> TrainConfig:
    stored = stored_config(request.target).train if is_run else None
    keys = stored.model_dump(mode="json") if stored else {}
    overrides = [*request.overrides]
    named = [one.partition("=")[2] for one in overrides if one.startswith("train.preset=")]
    if named and named[-1] not in ("", "null", "~"):
        # A stored section names every key, and its own keys come before those of a preset.
        keys = {key: keys[key] for key in keys.keys() - PRESET_KEYS}
    tree: dict[str, Any] = {"train": keys} if keys else {}
    if request.model is not None:
        overrides.append(f"train.model={json.dumps(request.model)}")
    return train_config(overridden(tree, overrides), Path(where))


def _folder(target: Path, *, is_run: bool) -> Path:
    return target / "train" if is_run else Path("runs") / f"train-{target.stem}"


def _parent(folder: Path) -> str | None:
    if not (folder / SUMMARY).is_file():
        raise ConfigError(str(folder), f"is no finished run's folder: no {SUMMARY}")
    read_identity(folder)
    return run_of(folder)


def run_of(target: Path) -> str | None:
    """Return the MLflow run that made the rows; None: nobody knows."""
    if not (target / SUMMARY).is_file():
        return None
    run_id = read_summary(target).get("mlflow_run_id")
    return str(run_id) if run_id else None


def _check_rows(plan: TrainPlan) -> None:
    rows, wanted = len({example.row for example in plan.data.examples}), plan.config.rows
    if wanted and wanted > rows:
        raise ConfigError(f"{plan.where}: train.rows", f"is {wanted:,}, and there are {rows:,}")


def check_folder(plan: TrainPlan) -> None:
    """Return if the folder is new, or holds this one's work.

    Raises:
        ConfigError: It holds another training.
    """
    file = plan.folder / IDENTITY
    if not file.is_file():
        _check_checkpoints(plan)
        return
    held, identity = read_object(file), plan.identity
    now, then = identity.pop("train"), held.get("train") or {}
    differing = [f"train.{key}" for key in now if then.get(key) != now[key]]
    # Folders of before have fewer keys.
    differing += [key for key in identity if key in held and held[key] != identity[key]]
    if not differing:
        return
    raise ConfigError(
        str(plan.folder),
        f"holds trainings with another {', '.join(differing)}; choose another folder (--out)",
    )


def _check_checkpoints(plan: TrainPlan) -> None:
    """Return if no checkpoint lies there, of which nobody knows what it was trained on."""
    left = next(plan.folder.glob(f"seed-*/{CHECKPOINTS}"), None)
    if left:
        raise ConfigError(
            str(left),
            f"is of a training that no {IDENTITY} tells of; choose another folder (--out)",
        )


def write_identity(plan: TrainPlan) -> None:
    """Write what tells this training from others."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_whole(plan.folder / IDENTITY, json.dumps(plan.identity, indent=2) + "\n")
