"""`autoevol score`: the scores of a finished set."""

from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, console

app = typer.Typer(add_completion=False)


@app.command()
def score(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_FOLDER|FILE", help="What to score.", callback=path_of("RUN_FOLDER|FILE")
        ),
    ],
    names: Annotated[
        str | None,
        typer.Option(
            "--scores", metavar="A,B", help="Default: the config's, or those without a model."
        ),
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="MODEL", help="Replaces the config's.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="scores.KEY=VALUE", help="Override a key.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for a file's scores.", callback=path_of("--out")),
    ] = None,
) -> None:
    """Measure a finished set: difficulty, diversity, copies, leaks (see docs/scores.md)."""
    from autoevol.experiments.cli.tables import score_table
    from autoevol.experiments.run.scoring import score as scored
    from autoevol.experiments.scores.target import request_of
    from autoevol.experiments.terminal.progress import progress_bar
    from autoevol.experiments.tracking.config import load_tracking

    request = request_of(target, names, tuple(overrides or ()), judge, out)
    with progress_bar(complaints) as bar:
        results = scored(request, bar=bar, say=complaints.log, tracking=load_tracking())
    console.print(score_table(results))
