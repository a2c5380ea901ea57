"""Means of a study's cells, and their paired differences to the first arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autoevol.experiments.evaluation.tasks.items import ItemResult, Task
from autoevol.experiments.study.work import StudyResults, TrainedCell, results_of
from autoevol.metrics.stats.crossed import CrossedMean, Matrix, crossed_mean


@dataclass(frozen=True, slots=True)
class CellFigures:
    """What a part of an arm taught, by one task.

    Attributes:
        arm: Its name.
        condition: `rows`, `tokens`, `all`, or `curve-N`.
        task: Its name.
        value: Mean score of the task's questions over training seeds; None: none has a score.
        difference: To the first arm under the same condition, on the same questions and seeds;
            None: this is the first arm, or nothing is shared.
        questions: With a score under every seed.
        shared: Of these, those that the difference is of.
    """

    arm: str
    condition: str
    task: str
    value: CrossedMean | None
    difference: CrossedMean | None
    questions: int
    shared: int


def study_figures(results: StudyResults) -> list[CellFigures]:
    """Return the figures of all cells, task by task."""
    baseline = results.plan.baseline
    first = {cell.cell.condition: cell for cell in results.cells if cell.cell.arm == baseline}
    return [
        _figures(task, cell, first.get(cell.cell.condition))
        for task in results.plan.all_tasks
        for cell in results.cells
    ]


def _figures(task: Task, cell: TrainedCell, baseline: TrainedCell | None) -> CellFigures:
    own = [of_seed[task.name] for of_seed in cell.results]
    scores = _matrix([own], 1)
    difference, shared = None, 0
    if baseline is not None and baseline is not cell:
        other = [of_seed[task.name] for of_seed in baseline.results]
        both = _matrix([own, other], 2)
        difference = crossed_mean(both[0] - both[1]) if both.size else None
        shared = both.shape[2]
    return CellFigures(
        cell.cell.arm,
        cell.cell.condition,
        task.name,
        _mean(task, scores[0]) if scores.size else None,
        difference,
        scores.shape[2],
        shared,
    )


def _matrix(sides: Sequence[Sequence[Mapping[str, ItemResult]]], count: int) -> Matrix:
    """Return (sides, seeds, questions) scores of the questions that all have a score for."""
    seeds = [results for side in sides for results in side]
    shared = sorted(
        name
        for name in set.intersection(*({*results} for results in seeds))
        if all(results[name].score is not None for results in seeds)
    )
    rows = [[results[name].score for name in shared] for results in seeds]
    return np.array(rows, dtype=np.float64).reshape(count, len(seeds) // count, len(shared))


def before_training(results: StudyResults) -> dict[str, CrossedMean | None]:
    """Return what the student could do before any training, by task."""
    held = results_of(results.student)
    values = {task.name: _matrix([[held[task.name]]], 1) for task in results.plan.all_tasks}
    ways = {task.name: task for task in results.plan.all_tasks}
    return {name: _mean(ways[name], own[0]) if own.size else None for name, own in values.items()}


def _mean(task: Task, scores: Matrix) -> CrossedMean:
    """Return the mean of a task's scores; of shares the interval stays within [0, 1]."""
    mean = crossed_mean(scores)
    if task.way == "loss":
        return mean
    return replace(mean, low=max(0.0, mean.low), high=min(1.0, mean.high))
