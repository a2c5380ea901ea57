"""An evaluation with all its figures: tasks, harness, pairs with a baseline, a judge's verdicts."""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.compare.judged import Comparison, compare
from autoevol.experiments.compare.request import CompareRequest
from autoevol.experiments.compare.sides import read_side
from autoevol.experiments.evaluation.evaluating import run_evaluation
from autoevol.experiments.evaluation.harness import run_harness
from autoevol.experiments.evaluation.request import EvaluatePlan, write_identity
from autoevol.experiments.evaluation.results import (
    EVALUATION,
    PairedFigures,
    TaskFigures,
    figures_of,
    paired,
    read_results,
    write_results,
)
from autoevol.experiments.evaluation.tasks.items import ANSWERED_WAYS, ItemResult, Task
from autoevol.experiments.evaluation.weights import batch_memory, open_weights
from autoevol.experiments.files.atomic import whole_file, whole_path, write_whole
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.reading import read_object
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Phase

_SILENCE = "(no answer)"


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation came to.

    Attributes:
        plan: The request.
        figures: Of each task.
        compared: Of each task that the baseline has, too.
        judged: A judge's verdicts, by the open task.
    """

    plan: EvaluatePlan
    figures: tuple[TaskFigures, ...]
    compared: tuple[PairedFigures, ...]
    judged: Mapping[str, Comparison]

    @property
    def unpaired(self) -> list[str]:
        """Tasks that are to be compared and that the baseline has no results of."""
        if self.plan.baseline is None:
            return []
        done = {pair.task for pair in self.compared} | self.judged.keys()
        # Open answers are compared by a judge alone.
        return [
            own.task
            for own in self.figures
            if own.task not in done and (own.way != "open" or self.plan.judge)
        ]

    def as_data(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {
            "model": self.plan.model,
            "weights": self.plan.weights,
            "tasks": {figures.task: asdict(figures) for figures in self.figures},
            "baseline": str(self.plan.baseline) if self.plan.baseline else None,
            "compared": {pair.task: asdict(pair) for pair in self.compared},
            "judged": {name: verdicts.as_data() for name, verdicts in self.judged.items()},
        }


def make_report(plan: EvaluatePlan, bar: ProgressBar, say: Callable[[str], None]) -> Report:
    """Run an evaluation and write `evaluation.json`.

    Raises:
        ConfigError: The model, a task, the baseline or the judge cannot be used.
        StoppedError: The user stopped the command; the same command resumes.
    """
    with batch_memory(plan.config) if plan.kind == "weights" else contextlib.nullcontext():
        results = {**run_evaluation(plan, bar, say), **_by_harness(plan, bar)}
    tasks = [*plan.tasks, *(Task(name, "answer", ()) for name in plan.harness)]
    figures = [figures_of(t, [*results[t.name].values()], plan.digests[t.name]) for t in tasks]
    pairs = [pair for task in tasks if (pair := _paired(plan, task, results[task.name]))]
    for task in plan.tasks:
        _write_answers(plan, task, results[task.name])
    report = Report(plan, tuple(figures), tuple(pairs), {})
    # Before the judge is asked, which may fail: what the model did is finished.
    _write(plan.folder / EVALUATION, report)
    judged = {task.name: _judged(plan, task, bar, say) for task in _open_tasks(plan)}
    if judged:
        report = replace(report, judged=judged)
        _write(plan.folder / EVALUATION, report)
    return report


def _write(file: Path, report: Report) -> None:
    """Write the figures beside those of the tasks that earlier commands gave."""
    data = report.as_data()
    held = read_object(file).get("tasks", {}) if file.is_file() else {}
    tree = {**data, "tasks": {**held, **data["tasks"]}}
    write_whole(file, json.dumps(tree, indent=2) + "\n")


def _by_harness(plan: EvaluatePlan, bar: ProgressBar) -> dict[str, dict[str, ItemResult]]:
    held = {name: read_results(plan.file_of(name)) for name in plan.harness}
    missing = [name for name in plan.harness if not held[name]]
    if not missing:
        return held
    model = open_weights(plan.source, plan.config, "autoevol evaluate")
    with alone_in(plan.folder):
        write_identity(plan)
        for name in missing:
            bar.on_phase(Phase(name, 0))
            results = run_harness(name, model, plan.config)
            # Whole or not at all: the harness gives all questions of a task at once.
            with whole_path(plan.file_of(name)) as file:
                write_results(file, results)
            held[name] = {result.id: result for result in results}
    return held


def _paired(
    plan: EvaluatePlan, task: Task, results: Mapping[str, ItemResult]
) -> PairedFigures | None:
    if plan.baseline is None:
        return None
    return paired(task, results, read_results(plan.baseline / plan.file_of(task.name).name))


def _write_answers(plan: EvaluatePlan, task: Task, results: Mapping[str, ItemResult]) -> None:
    if task.way not in ANSWERED_WAYS:
        return
    with whole_file(_answers_file(plan, plan.folder, task)) as lines:
        for item in task.items:
            result = results[item.id]
            # Silence is an answer, too, which a judge may hold against another.
            answer = result.answer if result.answer.strip() else _SILENCE
            row = {"id": item.id, "instruction": item.question, "response": answer}
            lines.write(as_json(row) + "\n")


def _open_tasks(plan: EvaluatePlan) -> list[Task]:
    """Return the tasks of which a judge compares the answers."""
    if not (plan.baseline and plan.judge):
        return []
    tasks = [task for task in plan.tasks if task.way == "open"]
    return [task for task in tasks if _answers_file(plan, plan.baseline, task).is_file()]


def _answers_file(plan: EvaluatePlan, folder: Path, task: Task) -> Path:
    """Return the file of a task's answers as rows, which `autoevol compare` reads."""
    return folder / f"{plan.name_of(task.name)}.answers.jsonl"


def _judged(
    plan: EvaluatePlan, task: Task, bar: ProgressBar, say: Callable[[str], None]
) -> Comparison:
    if plan.baseline is None or plan.judge is None:
        raise ConfigError("--judge", "needs --baseline")
    names = {plan.folder: plan.model, plan.baseline: _model_of(plan.baseline)}
    sides = [
        replace(read_side(_answers_file(plan, folder, task)), name=name)
        for folder, name in names.items()
    ]
    out = plan.folder / f"judged-{plan.name_of(task.name)}"
    request = CompareRequest(sides[0], sides[1], plan.judge, "responses", "both", None, out)
    return compare(request, bar=bar, say=say)


def _model_of(folder: Path) -> str:
    return str(read_object(folder / EVALUATION).get("model", folder))
