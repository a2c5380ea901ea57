"""`autoevol train`: a student, fine-tuned on a run's rows or on a file."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoevol.experiments.cli.app import STOPPED_EARLY
from autoevol.experiments.cli.training.options import DryRun, OutFolder
from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import (
    complain,
    complain_at,
    complaints,
    console,
    say,
)

if TYPE_CHECKING:
    from autoevol.experiments.training.plan import TrainPlan

app = typer.Typer(add_completion=False)


class Trainer(StrEnum):
    """Trainers that `--only-config` writes for."""

    llama_factory = "llama_factory"
    axolotl = "axolotl"
    trl = "trl"
    torchtune = "torchtune"


@app.command()
def train(
    target: Annotated[
        Path,
        typer.Argument(help="A run's folder, or a file of rows.", callback=path_of("TARGET")),
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="The student: a folder or a name."),
    ] = None,
    out: OutFolder = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="train.KEY=VALUE", help="Override a key of train."),
    ] = None,
    only_config: Annotated[
        Trainer | None,
        typer.Option("--only-config", help="Write files for another trainer, and train nothing."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Fine-tune a student on a run's rows, or on a file."""
    from autoevol.experiments.training.plan import TrainRequest, make_plan

    plan = make_plan(TrainRequest(target, out, model, tuple(overrides or ())))
    _say_plan(plan)
    if dry_run:
        return
    if only_config:
        _write_recipe(plan, only_config)
        return
    try:
        _train(plan)
    except KeyboardInterrupt as error:
        complain("stopped; the same command resumes from the last checkpoint")
        raise typer.Exit(STOPPED_EARLY) from error


def _write_recipe(plan: "TrainPlan", trainer: Trainer) -> None:
    from autoevol.experiments.training.recipes import write_recipe

    for line in write_recipe(plan, trainer.value):
        say(line)


def _say_plan(plan: "TrainPlan") -> None:
    config, examples = plan.config, plan.examples
    rows = len({example.row for example in examples})
    left_out = "".join(f"; {count:,} {why}" for why, count in plan.data.left_out.items())
    say(f"{plan.target}: {rows:,} rows, {len(examples):,} answers{left_out}")
    epochs = f"{config.epochs:g} {'epoch' if config.epochs == 1 else 'epochs'}"
    seeds = ", ".join(map(str, config.seeds))
    say(f"student {config.model}, {config.method}, {epochs}, seeds {seeds}")


def _train(plan: "TrainPlan") -> None:
    from autoevol.experiments.terminal.progress import progress_bar
    from autoevol.experiments.tracking.config import load_tracking
    from autoevol.experiments.training.tracking import track_trainings
    from autoevol.experiments.training.trainings import run_trainings, trainings_table

    tracking = load_tracking()
    with progress_bar(complaints) as bar:
        results = run_trainings(plan, bar)
    if tracking:
        track_trainings(tracking, plan, results, complain_at)
    console.print(trainings_table(plan, results))
    if results[0].no_room:
        say(f"{results[0].no_room:,} answers not learnt: no room in train.max_length")
    if results[0].cut:
        say(f"{results[0].cut:,} answers not learnt to their end: train.max_length")
    for result in results:
        say(f"model    {plan.folder_of(result.seed) / 'model'}")
