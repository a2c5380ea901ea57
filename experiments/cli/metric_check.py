"""`autoevol metric-check`: every rule set against labelled rows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoevol.experiments.terminal.console import complaints, console, quiet_libraries

if TYPE_CHECKING:
    from autoevol.experiments.judging.labelled import LabelledRow

app = typer.Typer(add_completion=False)


@app.command("metric-check")
def metric_check(
    file: Annotated[Path, typer.Argument(help="Labelled rows, JSONL.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="MODEL", help="Ask the judge's rules as well.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Where the judge's finished calls are kept.")
    ] = Path("runs/metric-check"),
) -> None:
    """Hold every rule set against labelled rows."""
    from autoevol.experiments.judging.labelled import read_labelled
    from autoevol.experiments.judging.metric_check import (
        check_rule_sets,
        groups_table,
        kinds_table,
        table,
    )

    rows = read_labelled(file)
    found = check_rule_sets(rows, _verdicts(rows, judge, out) if judge else None)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for each in (table(found), kinds_table(found), groups_table(found)):
            console.print(each)
        if not judge:
            console.print("No judge was asked (--judge MODEL): its rules flag nothing here.")


def _verdicts(rows: "list[LabelledRow]", judge: str, folder: Path) -> Mapping[str, frozenset[str]]:
    from autoevol.experiments.judging.judge_check import judge_rows
    from autoevol.experiments.terminal.progress import progress_bar

    quiet_libraries()
    with progress_bar(complaints) as bar:
        found = judge_rows(rows, judge, folder / "ledger.sqlite", bar=bar, say=complaints.log)
    for rule, fitness in found.fitness.items():
        complaints.print(f"{judge} {fitness} for {rule!r}" + ("" if fitness.is_fit else ": unfit"))
    if found.unreadable:
        complaints.print(f"{found.unreadable} answers of the judge could not be read: not flagged")
    return found.broken
