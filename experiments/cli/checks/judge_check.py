"""`autoevol judge-check`: what a model may decide."""

import json
from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, console, quiet_libraries
from autoevol.program.errors import ConfigError

app = typer.Typer(add_completion=False)

DEFAULT_RULES = ("nothing_added", "impossible", "unsolvable", "same_answer")
"""Those of the sets `strict+judge` and `strict+solver`."""


@app.command("judge-check")
def judge_check(
    model: Annotated[str, typer.Argument(help="A litellm name, or local/NAME.")],
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="RULE", help="A rule to examine the model for; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder for finished calls.", callback=path_of("--out")),
    ] = Path("runs/judge-check"),
) -> None:
    """Let a model take the exam: may it judge and solve, and in which languages?"""
    from autoevol.experiments.judging.exam import EXAMINED, examine
    from autoevol.experiments.terminal.progress import progress_bar

    chosen = rules or list(DEFAULT_RULES)
    for rule in chosen:
        if rule not in EXAMINED:
            raise ConfigError("--rule", f"{rule} has no exam; one of {', '.join(EXAMINED)} has")
    quiet_libraries()
    with progress_bar(complaints) as bar:
        fitness = examine(model, chosen, out / "ledger.sqlite", bar=bar, say=complaints.log)
    figures = {rule: score.as_dict() for rule, score in fitness.items()}
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    _print(model, figures)


def _print(model: str, figures: dict[str, dict[str, object]]) -> None:
    from rich.table import Table

    from autoevol.experiments.artifacts.admissions import admissions

    table = Table("rule", "languages", "flags", "balanced accuracy", "admitted", title=model)
    for one in admissions(figures):
        admitted = "yes" if one.is_admitted else "no"
        table.add_row(one.rule, one.group, one.flags, one.accuracy, admitted)
    console.print(table)
    console.print(
        "A rule whose witness is not admitted abstains. docs/failure-metric.md says more."
    )
