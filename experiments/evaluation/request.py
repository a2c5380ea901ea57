"""The arguments of `autoevol evaluate`, checked, and what its folder holds already."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.config.evaluate import EvaluateConfig, evaluate_config
from autoevol.experiments.config.loading import overridden
from autoevol.experiments.evaluation.endpoint import endpoint_settings
from autoevol.experiments.evaluation.harness import harness_questions
from autoevol.experiments.evaluation.results import EVALUATION
from autoevol.experiments.evaluation.tasks.catalogue import HARNESS, fingerprint, limited_task
from autoevol.experiments.evaluation.tasks.grading import check_tools
from autoevol.experiments.evaluation.tasks.items import ANSWERED_WAYS, Task
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.paths import local_path, read_text
from autoevol.experiments.files.reading import read_object
from autoevol.experiments.judging.session import judge_named
from autoevol.experiments.pretrained.weights import weights_digest
from autoevol.experiments.training.plan import RESULT
from autoevol.program.errors import ConfigError

IDENTITY = "identity.json"
HUB = "hub/"
Kind = Literal["weights", "endpoint"]
_MOST_BYTES = 120
"""Of a name in a file's name, of which file systems take 255."""

_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """The arguments of `autoevol evaluate`.

    Attributes:
        model: A folder of a model or an adapter, `local/NAME`, `hub/OWNER/NAME`, or a litellm name.
        tasks: Instead of the config's; None: the config's.
        out: Gets the results; None: beside a training's model, or `runs/evaluate-NAME`.
        baseline: The folder of another evaluation, to compare with; None: none.
        judge: Decides between the answers of both to open questions; None: nobody does.
        overrides: `evaluate.a=b`.
    """

    model: str
    tasks: Sequence[str] | None = None
    out: Path | None = None
    baseline: Path | None = None
    judge: str | None = None
    overrides: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EvaluatePlan:
    """A checked request.

    Attributes:
        config: How the model is evaluated.
        model: As the user wrote it.
        kind: Whether it is loaded in this process, or called.
        folder: Gets a file for each task.
        tasks: With the questions that are given.
        digests: Fingerprints of the whole tasks, by name, those of the harness included.
        harness: Names of tasks of lm-evaluation-harness.
        baseline: See `EvaluateRequest`.
        judge: See `EvaluateRequest`.
        weights: Hash of the model's files; "": it is somebody else's.
    """

    config: EvaluateConfig
    model: str
    kind: Kind
    folder: Path
    tasks: tuple[Task, ...]
    digests: dict[str, str]
    harness: tuple[str, ...]
    baseline: Path | None
    judge: str | None
    weights: str

    @property
    def source(self) -> str:
        """What is loaded or called."""
        return self.model.removeprefix(HUB)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes this evaluation another than one of another model."""
        template = self.config.chat_template
        text = read_text(local_path(template, "chat_template"), template) if template else ""
        return {
            "model": self.model if not self.weights else "",
            "weights": self.weights,
            "max_tokens": self.config.max_tokens,
            "chat_template": hashlib.sha256(text.encode()).hexdigest()[:16] if text else "",
            "api_base": self.config.api_base,
        }

    def name_of(self, task: str) -> str:
        """Return a name for a task's files; the same questions have the same in every folder."""
        kind, _, file = task.partition(":")
        return f"{kind}-{slug(Path(file).stem)}-{self.digests[task][:8]}" if file else task

    def file_of(self, task: str) -> Path:
        """Return the file of a task's results."""
        return self.folder / f"{self.name_of(task)}.jsonl"


def slug(name: str) -> str:
    """Return a name that a file may have."""
    plain = _NOT_IN_NAMES.sub("-", name).strip("-")
    return plain.encode()[:_MOST_BYTES].decode(errors="ignore")


def make_plan(request: EvaluateRequest) -> EvaluatePlan:
    """Check everything that needs no model; nothing is written.

    Raises:
        ConfigError: A setting is wrong, a task cannot be had, the model does not suit it, or the
            folder holds the evaluation of another model.
    """
    config = _config(request)
    harness = tuple(name for name in config.tasks if name.startswith(HARNESS))
    own = [name for name in config.tasks if name not in harness]
    check_tools(own)
    tasks = [limited_task(name, config.limit) for name in own]
    kind = _kind(request.model, [*(task.way for task, _ in tasks), *(["loss"] if harness else [])])
    _check_suitable(request.model, kind, [task for task, _ in tasks], harness)
    digests = {task.name: fingerprint(whole) for task, whole in tasks}
    digests |= {name: harness_questions(name, config).digest for name in harness}
    plan = EvaluatePlan(
        config=config,
        model=request.model,
        kind=kind,
        folder=request.out or _folder(request.model),
        tasks=tuple(task for task, _ in tasks),
        digests=digests,
        harness=harness,
        baseline=request.baseline,
        judge=request.judge,
        weights=weights_digest(request.model),
    )
    _check(plan)
    return plan


def _config(request: EvaluateRequest) -> EvaluateConfig:
    overrides = [*request.overrides]
    if request.tasks is not None:
        overrides.append(f"evaluate.tasks={json.dumps([*request.tasks])}")
    return evaluate_config(overridden({}, overrides), Path("autoevol evaluate"))


def _kind(model: str, ways: Sequence[str]) -> Kind:
    if model.startswith(HUB) or Path(model).expanduser().is_dir():
        return "weights"
    # llama.cpp answers many times faster, and tells no probabilities of texts.
    is_local = model.startswith("local/")
    return "weights" if is_local and not {*ways} <= ANSWERED_WAYS else "endpoint"


def _folder(model: str) -> Path:
    folder = Path(model).expanduser()
    if (folder.parent / RESULT).is_file():
        return folder.parent / "evaluation"
    return Path("runs") / f"evaluate-{slug(folder.name if folder.is_dir() else model)}"


def _check_suitable(model: str, kind: Kind, tasks: Sequence[Task], harness: Sequence[str]) -> None:
    needs_weights = [task.name for task in tasks if task.way not in ANSWERED_WAYS] + [*harness]
    if kind == "endpoint" and needs_weights:
        raise ConfigError(
            f"--tasks {needs_weights[0]}",
            f"needs the probabilities of tokens, which {model} does not tell; name a folder of the "
            f"weights, or {HUB}OWNER/NAME",
        )


def _check_baseline(plan: EvaluatePlan) -> None:
    if plan.judge and not plan.baseline:
        raise ConfigError("--judge", "compares with another evaluation; name it with --baseline")
    if plan.judge and not any(task.way == "open" for task in plan.tasks):
        raise ConfigError("--judge", "compares answers to open questions; --tasks names none")
    if plan.baseline is None:
        return
    if not (plan.baseline / EVALUATION).is_file():
        raise ConfigError("--baseline", f"{plan.baseline} holds no {EVALUATION}")
    read_object(plan.baseline / EVALUATION)
    if plan.baseline.resolve() == plan.folder.resolve():
        raise ConfigError("--baseline", f"{plan.baseline} is this evaluation's own folder")


def _check(plan: EvaluatePlan) -> None:
    _check_baseline(plan)
    if plan.folder.exists() and not plan.folder.is_dir():
        raise ConfigError("--out", f"{plan.folder} is no folder")
    check_folder(plan)
    if plan.kind == "endpoint":
        endpoint_settings(plan.source, plan.config, "autoevol evaluate")
    if plan.judge:
        judge_named(plan.judge)


def check_folder(plan: EvaluatePlan) -> None:
    """Return if the folder is new, or holds this one's work.

    Raises:
        ConfigError: It holds the evaluation of another model.
    """
    file = plan.folder / IDENTITY
    held = read_object(file) if file.is_file() else {}
    differing = [key for key, value in plan.identity.items() if held and held.get(key) != value]
    if differing:
        raise ConfigError(
            str(plan.folder),
            f"holds an evaluation with another {', '.join(differing)}; "
            "choose another folder (--out)",
        )


def write_identity(plan: EvaluatePlan) -> None:
    """Write what tells this evaluation from others."""
    write_whole(plan.folder / IDENTITY, json.dumps(plan.identity, indent=2) + "\n")
