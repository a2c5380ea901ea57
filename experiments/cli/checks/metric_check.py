"""`autoevol metric-check`: every rule set against labelled rows."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, console, quiet_libraries

if TYPE_CHECKING:
    from rich.table import Table

    from autoevol.experiments.judging.labelled import LabelledRow
    from autoevol.experiments.judging.metric_check import Classes, Findings

app = typer.Typer(add_completion=False)


@app.command("metric-check")
def metric_check(
    file: Annotated[Path, typer.Argument(help="Labelled rows, JSONL.", callback=path_of("FILE"))],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    judge: Annotated[
        str | None,
        typer.Option("--judge", metavar="MODEL", help="The judge for the rules that need one."),
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option("--solver", metavar="MODEL", help="The solver for the rules that need one."),
    ] = None,
    by: Annotated[
        Literal["source", "lang", "domain", "kind", "confidence"],
        typer.Option("--by", help="Groups whose figures are shown."),
    ] = "source",
    evolver: Annotated[
        Literal["copies", "rewords", "unknown"] | None,
        typer.Option("--evolver", help="Class of the evolver; by default estimated by source."),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="Folder for finished calls of witnesses.", callback=path_of("--out")
        ),
    ] = Path("runs/metric-check"),
) -> None:
    """Check every rule set against labelled rows."""
    from autoevol.experiments.judging.labelled import read_labelled
    from autoevol.experiments.judging.metric_check import Classes, check_rule_sets

    rows = read_labelled(file)
    classes = Classes(rows, evolver)
    models = {role: model for role, model in (("judge", judge), ("solver", solver)) if model}
    witnessed = _witnessed(rows, models, classes, out) if models else None
    figures = check_rule_sets(rows, witnessed, classes)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    for part in _shown(figures, classes, by):
        console.print(part)
    for role in ("judge", "solver"):
        if role not in models:
            console.print(f"No {role} (--{role} MODEL): the rules that need one flag nothing here.")


def _shown(
    figures: Mapping[str, Mapping[str, Any]], classes: "Classes", by: str
) -> "Sequence[Table | str]":
    from autoevol.experiments.judging.metric_tables import summary_line, tables

    line = summary_line(figures)
    return [*tables(figures, classes, by), *([line] if line else [])]


def _witnessed(
    rows: "list[LabelledRow]", models: Mapping[str, str], classes: "Classes", folder: Path
) -> "Mapping[str, Findings]":
    from autoevol.experiments.artifacts.admissions import admission_lines
    from autoevol.experiments.judging.witnessed import witnessed_rows
    from autoevol.experiments.terminal.progress import progress_bar

    quiet_libraries()
    ledger = folder / "ledger.sqlite"
    with progress_bar(complaints) as bar:
        result = witnessed_rows(rows, models, classes, ledger, bar=bar, say=complaints.log)
    fitness = {rule: score.as_dict() for rule, score in result.fitness.items()}
    for rule, words in admission_lines(fitness):
        complaints.print(f"{rule}: {words}")
    if result.unreadable:
        complaints.print(f"{result.unreadable} replies did not parse: no witness for those rows")
    return result.reasons
