"""`autoevol compare`: runs side by side, or a judge's choice between two sets."""

from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, console, say

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    targets: Annotated[
        list[Path],
        typer.Argument(metavar="A B…", help="Run folders, or files.", callback=path_of("A B…")),
    ],
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="MODEL", help="The judge between A and B.")
    ] = None,
    what: Annotated[str, typer.Option("--what", metavar="responses|instructions")] = "responses",
    order: Annotated[
        str,
        typer.Option(
            "--order", metavar="both|drawn", help="Judge in both orders, or in one that is drawn."
        ),
    ] = "both",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most N pairs.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the page.", callback=path_of("--out"))
    ] = None,
) -> None:
    """Put runs side by side, or let a judge decide between two sets (see docs/scores.md)."""
    from autoevol.experiments.compare.judged import compare as compared
    from autoevol.experiments.compare.judged import comparison_table
    from autoevol.experiments.compare.page import write_comparison
    from autoevol.experiments.compare.request import folder_of, request_of, sides_of
    from autoevol.experiments.compare.shared_seeds import seeds_warning
    from autoevol.experiments.compare.tables import tables
    from autoevol.experiments.compare.tracking import show_in_mlflow
    from autoevol.experiments.terminal.progress import progress_bar

    sides = sides_of(targets)
    request = request_of(sides, judge, what, order, limit, out)
    folder = request.out if request else folder_of(sides, out)
    if warning := seeds_warning(sides):
        say(f"compare: {warning}")
    for table in tables(sides):
        console.print(table)
    comparison = None
    if request:
        with progress_bar(complaints) as bar:
            comparison = compared(request, bar=bar, say=complaints.log)
        console.print(comparison_table(comparison))
    say(f"{write_comparison(folder, sides, comparison)}: comparison")
    show_in_mlflow(sides, comparison)
