"""All trainings of a request, one a seed: those that are finished are not made again."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.reading import read_object
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.training.plan import RESULT, TrainPlan, write_identity
from autoevol.experiments.training.student import (
    Readable,
    Student,
    open_student,
    readable,
)
from autoevol.experiments.training.trainer import (
    MODEL,
    Training,
    TrainingResult,
    check_libraries,
    has_bf16,
    steps_of,
    train,
)
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Phase

_LAST = 10
"""Steps whose mean loss is shown at the end; a single one is noisy."""


def run_trainings(plan: TrainPlan, bar: ProgressBar) -> list[TrainingResult]:
    """Make the trainings that are missing; return all.

    Raises:
        ConfigError: The student cannot be used, or the memory does not suffice.
    """
    check_libraries(plan.where)
    if all(_held(plan, seed) for seed in plan.config.seeds):
        return [result for seed in plan.config.seeds if (result := _held(plan, seed))]
    earlier = filter(None, (_held(plan, seed) for seed in plan.config.seeds))
    check_precision([has_bf16(), *(result.is_bf16 for result in earlier)], plan.folder)
    # A student that cannot be used leaves no folder.
    bar.on_phase(Phase("load the student", 0))
    first: list[Student] = [open_student(plan.config, plan.where)]
    chosen = _readable(plan, first[0])
    with alone_in(plan.folder):
        write_identity(plan)
        return [
            _held(plan, seed) or _made(plan, seed, chosen, first, bar) for seed in plan.config.seeds
        ]


def check_precision(are_bf16: Iterable[bool], folder: Path) -> None:
    """Return if all trainings of a folder compute in bfloat16, or all in single precision.

    Raises:
        ConfigError: Some do, and some do not, so their losses cannot be compared.
    """
    if len({*are_bf16}) > 1:
        raise ConfigError(
            str(folder),
            "some trainings compute in bfloat16 and some in single precision, so they cannot be "
            "compared; choose another folder (--out)",
        )


def _held(plan: TrainPlan, seed: int) -> TrainingResult | None:
    """Return a finished training; None: it is not, or its model is gone."""
    folder = plan.folder_of(seed)
    if not ((folder / RESULT).is_file() and (folder / MODEL).is_dir()):
        return None
    values = read_object(folder / RESULT)
    return TrainingResult(**{**values, "losses": tuple(values["losses"])})


def _readable(plan: TrainPlan, student: Student) -> Readable:
    chosen = readable(student, plan.examples, plan.where).within(plan.config.tokens)
    if not chosen.examples:
        raise ConfigError(
            f"{plan.where}: train.tokens", f"is {plan.config.tokens}, less than the first row has"
        )
    return chosen


def _made(
    plan: TrainPlan, seed: int, chosen: Readable, opened: list[Student], bar: ProgressBar
) -> TrainingResult:
    # A training changes its student, so that each needs one of its own.
    student = opened.pop() if opened else open_student(plan.config, plan.where)
    bar.on_phase(Phase(f"train, seed {seed}", steps_of(plan.config, len(chosen.examples))))
    training = Training(plan.config, seed, plan.folder_of(seed), plan.where)
    result = train(student, chosen.examples, training, lambda: bar.advance(failed=False))
    result = replace(result, no_room=chosen.no_room, cut=chosen.cut)
    _write(plan.folder_of(seed) / RESULT, asdict(result))
    return result


def _write(file: Path, values: dict[str, Any]) -> None:
    # Last: its file marks a training as finished.
    write_whole(file, json.dumps(values, indent=2) + "\n")


def final_loss(result: TrainingResult) -> float:
    """Return the mean loss of the last steps; lower is better."""
    last = result.losses[-_LAST:]
    return sum(last) / len(last)


def trainings_table(plan: TrainPlan, results: list[TrainingResult]) -> Table:
    """Return a line for each training."""
    table = Table("seed", "steps", "loss, first", f"loss, last {_LAST}", "tokens", "time", "memory")
    for result in results:
        table.add_row(
            str(result.seed),
            f"{result.steps:,}",
            f"{result.losses[0]:.3f}",
            f"{final_loss(result):.3f}",
            f"{result.tokens:,}",
            f"{result.seconds:,.0f} s",
            f"{result.memory_mib:,} MiB",
        )
    return table
