"""`autoevol study`: which data teaches a student more."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoevol.experiments.cli.app import STOPPED_EARLY
from autoevol.experiments.cli.training.options import DryRun
from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import (
    complain,
    complain_at,
    complaints,
    console,
    say,
)

if TYPE_CHECKING:
    from autoevol.experiments.study.plan import StudyPlan
    from autoevol.experiments.study.runs import ArmRun
    from autoevol.experiments.study.work import StudyResults

app = typer.Typer(add_completion=False)


@app.command()
def study(
    file: Annotated[Path, typer.Argument(help="A study's YAML file.", callback=path_of("FILE"))],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.SUB=VALUE", help="Override a key.")
    ] = None,
    dry_run: DryRun = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Start runs that cost money without a question.")
    ] = False,
) -> None:
    """Train a student on several sets of data, and compare what it learnt."""
    from autoevol.experiments.study.plan import make_plan

    plan = make_plan(file, tuple(overrides or ()), is_dry=dry_run)
    _say_plan(plan)
    if dry_run:
        _show_runs(plan)
        return
    _make_rows(plan, yes=yes)
    try:
        _study(plan)
    except KeyboardInterrupt as error:
        complain("stopped; the same command resumes")
        raise typer.Exit(STOPPED_EARLY) from error


def _say_plan(plan: "StudyPlan") -> None:
    config = plan.config
    for name in config.arms:
        origin = ", a run of this study" if name in plan.runs else ""
        say(f"arm {name}: {plan.target_of(name)}{origin}")
    parts = len(config.arms) * (len(config.equalise) + len(config.curve))
    trainings = parts * len(config.train.seeds)
    say(f"student {config.train.model}: {trainings} trainings at most, each evaluated on")
    for task in plan.all_tasks:
        decides = ", which decides" if task.name == config.decisive else ""
        say(f"  {task.name}: {plan.counts[task.name]:,} questions{decides}")


def _pending(plan: "StudyPlan") -> "list[ArmRun]":
    return [run for run in plan.runs.values() if not run.finished()]


def _show_runs(plan: "StudyPlan") -> None:
    """Show the calls of the runs that are still to be made."""
    from autoevol.experiments.cli.tables import show_plan

    for run in _pending(plan):
        show_plan(run.plan)


def _make_rows(plan: "StudyPlan", *, yes: bool) -> None:
    """Make the runs of the arms that are not finished."""
    from autoevol.experiments.cli.run import confirm
    from autoevol.experiments.training.student import open_student

    pending = _pending(plan)
    if not pending:
        return
    # A student that cannot be loaded must cost no run.
    open_student(plan.config.train, str(plan.where))
    confirm([run.plan for run in pending], lambda: _show_runs(plan), yes=yes)
    for run in pending:
        run.perform()


def _study(plan: "StudyPlan") -> None:
    from autoevol.experiments.study.choice import CHOSEN
    from autoevol.experiments.study.results import PAGE, study_table, write_study
    from autoevol.experiments.study.tracking import track_study
    from autoevol.experiments.study.work import Work
    from autoevol.experiments.terminal.progress import progress_bar
    from autoevol.experiments.tracking.config import load_tracking

    tracking = load_tracking()
    with progress_bar(complaints) as bar:
        results = Work(plan, bar, complain_at, on_cell=partial(_keep, plan)).run()
    tree = write_study(results)
    if tracking:
        track_study(tracking, results, complain_at)
    for task in plan.all_tasks:
        console.print(study_table(results, task))
    say(tree["verdict"])
    say(f"study    {plan.config.folder / PAGE}")
    if chosen := tree["chosen"]:
        say(f"method   {plan.config.folder / CHOSEN}: {chosen['arm']}, {chosen['why']}")


def _keep(plan: "StudyPlan", results: "StudyResults") -> None:
    """Write what is finished: a study of hours can be looked at while it runs."""
    from autoevol.experiments.study.results import write_study

    write_study(results)
