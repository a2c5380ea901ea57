"""`autoevol judge-check`: what a model may decide."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, console, quiet_libraries
from autoevol.program.errors import ConfigError

if TYPE_CHECKING:
    from autoevol.program.witnesses.exam import Exam

app = typer.Typer(add_completion=False)

DEFAULT_RULES = ("nothing_added", "impossible", "unsolvable", "same_answer")
"""Those of the sets `strict+judge` and `strict+solver`."""

JUDGED = ("nothing_added", "impossible")
"""Those of them that a judge decides."""


@app.command("judge-check")
def judge_check(
    model: Annotated[str, typer.Argument(help="A litellm name, or local/NAME.")],
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="RULE", help="A rule to examine the model for; repeatable."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="Examine the judge on these labelled rows, such as a run's labels.jsonl.",
            callback=path_of("--labels"),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder for finished calls.", callback=path_of("--out")),
    ] = Path("runs/judge-check"),
) -> None:
    """Let a model take the exam: may it judge and solve, and in which languages?"""
    from autoevol.experiments.judging.exam import examine
    from autoevol.experiments.terminal.progress import progress_bar

    chosen = rules or [rule for rule in DEFAULT_RULES if not labels or rule in JUDGED]
    _check_rules(chosen, has_labels=labels is not None)
    paper = _paper(labels) if labels else None
    quiet_libraries()
    ledger = out / "ledger.sqlite"
    with progress_bar(complaints) as bar:
        fitness = examine(model, chosen, ledger, bar=bar, say=complaints.log, paper=paper)
    figures = {rule: score.as_dict() for rule, score in fitness.items()}
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    _print(model, figures)


def _check_rules(rules: list[str], *, has_labels: bool) -> None:
    from autoevol.experiments.judging.exam import EXAMINED
    from autoevol.metrics import RULES

    for rule in rules:
        if rule not in EXAMINED:
            raise ConfigError("--rule", f"{rule} has no exam; one of {', '.join(EXAMINED)} has")
        if has_labels and RULES[rule].witness != "judge":
            raise ConfigError(
                "--labels", f"{rule} is the solver's, whose exam needs results that no label names"
            )


def _paper(labels: Path) -> "Exam":
    from autoevol.experiments.judging.labelled import read_labelled
    from autoevol.experiments.judging.own_exam import exam_line, own_exam

    rows = read_labelled(labels)
    paper = own_exam(rows)
    complaints.print(exam_line(rows, paper), soft_wrap=True)
    return paper


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
