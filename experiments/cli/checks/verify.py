"""`autoevol verify`: constraints that are code, and answers that keep them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoevol.experiments.config.shipped import config_file
from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, console, quiet_libraries, say

if TYPE_CHECKING:
    from autoevol.experiments.verification.planning import VerificationPlan
    from autoevol.program.verification.pipeline import VerifiedSet

app = typer.Typer(add_completion=False)


@app.command()
def verify(
    config: Annotated[
        Path,
        typer.Argument(help="A YAML file with a section `verify`.", callback=path_of("CONFIG")),
    ],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.SUB=VALUE", help="Override a key.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Replaces output.dir.", callback=path_of("--out"))
    ] = None,
    allow_unsandboxed: Annotated[
        bool,
        typer.Option("--allow-unsandboxed", help="Let verify.sandbox: none run code of models."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, print the calls, stop.")
    ] = False,
) -> None:
    """Make verified data: constraints as code, answers that keep them."""
    from autoevol.experiments.config.experiment import load_config
    from autoevol.experiments.verification.planning import calls_of, plan_of

    file = config_file(config)
    settings = load_config(file, overrides or (), out=out)
    plan = plan_of(settings, file, allow_unsandboxed=allow_unsandboxed)
    if dry_run:
        console.print(calls_of(plan))
    else:
        make_set(plan)


def make_set(plan: "VerificationPlan", parent: str | None = None) -> None:
    """Make the verified set of a plan, write and track it, and show what came out.

    Args:
        plan: Checked.
        parent: The MLflow run whose rows are the queries; None: there is none.
    """
    from autoevol.experiments.terminal.progress import progress_bar
    from autoevol.experiments.tracking.config import load_tracking
    from autoevol.experiments.verification.page import write_page
    from autoevol.experiments.verification.pictures import write_set_pictures
    from autoevol.experiments.verification.results import pass_rates, write_set
    from autoevol.experiments.verification.tracking import track_set
    from autoevol.experiments.verification.verified_run import verify as verified

    tracking = load_tracking()
    quiet_libraries()
    with progress_bar(complaints) as bar:
        result = verified(plan, bar=bar, say=complaints.log)
    folder, rates = plan.folder, pass_rates(result.tasks)
    files = write_set(folder, result, plan.options)
    files += write_set_pictures(folder, result.funnel, rates)
    files.append(write_page(folder, plan.config.name, result, plan.options, rates))
    if tracking:
        track_set(tracking, plan, result, files, complaints.log, parent)
    _show(folder, result, rates)


def _show(folder: Path, result: "VerifiedSet", rates: Mapping[str, Mapping[str, float]]) -> None:
    from autoevol.experiments.verification.page import PAGE, advice
    from autoevol.experiments.verification.results import exam_line, funnel_table, rates_table

    console.print(funnel_table(result.funnel))
    if result.fitness:
        say(exam_line(result.fitness))
    console.print(rates_table(rates))
    if remedy := advice(result.funnel):
        say(remedy)
    for line in (
        f"data     {folder / 'verified.jsonl'}",
        f"pairs    {folder / 'pairs.jsonl'}",
        f"page     {folder / PAGE}",
    ):
        say(line)
