"""`autoevol evaluate`: a model on tasks, with intervals."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoevol.experiments.cli.app import STOPPED_EARLY
from autoevol.experiments.cli.training.options import AsJson, DryRun, OutFolder
from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import (
    complain,
    complain_at,
    complaints,
    console,
    say,
)

if TYPE_CHECKING:
    from autoevol.experiments.evaluation.report import Report
    from autoevol.experiments.evaluation.request import EvaluatePlan

app = typer.Typer(add_completion=False)


Model = Annotated[
    str,
    typer.Argument(
        help="A folder of a model or an adapter, local/NAME, hub/OWNER/NAME, a litellm name."
    ),
]
Tasks = Annotated[
    str | None, typer.Option("--tasks", metavar="A,B", help="Tasks; see docs/train.md.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="N questions of each task, drawn once.")
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        help="The folder of another evaluation, to compare with.",
        callback=path_of("--baseline"),
    ),
]
Judge = Annotated[
    str | None,
    typer.Option("--judge", metavar="NAME", help="Decides between both answers to open questions."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="evaluate.KEY=VALUE", help="Override a key of evaluate."),
]


@app.command()
def evaluate(
    model: Model,
    tasks: Tasks = None,
    limit: Limit = None,
    out: OutFolder = None,
    baseline: Baseline = None,
    judge: Judge = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a model on tasks, with intervals and against another one."""
    from autoevol.experiments.evaluation.request import EvaluateRequest, make_plan

    chosen = [*(overrides or []), *([f"evaluate.limit={limit}"] if limit else [])]
    names = None if tasks is None else tuple(filter(None, tasks.split(",")))
    plan = make_plan(EvaluateRequest(model, names, out, baseline, judge, chosen))
    for task in plan.tasks:
        licence = f", {task.licence}" if task.licence else ""
        complaints.print(f"{task.name}: {len(task.items):,} questions{licence}", markup=False)
    if dry_run:
        return
    try:
        report = _evaluated(plan)
    except KeyboardInterrupt as error:
        complain("stopped; the same command resumes")
        raise typer.Exit(STOPPED_EARLY) from error
    if as_json:
        typer.echo(json.dumps(report.as_data(), indent=2))
        return
    _show(report)


def _evaluated(plan: "EvaluatePlan") -> "Report":
    from autoevol.experiments.evaluation.report import make_report
    from autoevol.experiments.evaluation.tracking import track_evaluation
    from autoevol.experiments.terminal.progress import progress_bar
    from autoevol.experiments.tracking.config import load_tracking

    tracking = load_tracking()
    with progress_bar(complaints) as bar:
        report = make_report(plan, bar, complain_at)
    if tracking:
        track_evaluation(tracking, report, complain_at)
    return report


def _show(report: "Report") -> None:
    from autoevol.experiments.compare.judged import comparison_table
    from autoevol.experiments.evaluation.results import figures_table

    console.print(figures_table(report.figures, report.compared))
    for figures in report.figures:
        for reason, count in figures.unscored.items():
            if reason != "open":
                say(f"{figures.task}: {count:,} without a score: {reason}")
    for name, comparison in report.judged.items():
        say(name)
        console.print(comparison_table(comparison))
    for name in report.unpaired:
        say(f"{name}: {report.plan.baseline} has no results of these questions")
    say(f"every question: {report.plan.folder}")
