"""`autoevol check`: a file's checks over its responses."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, console
from autoevol.program.errors import ConfigError

app = typer.Typer(add_completion=False)
_SHOWN = 3  # rows whose checks cannot be read


@app.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(help="Rows with responses and a column `checks`.", callback=path_of("FILE")),
    ],
    sandbox: Annotated[
        Literal["auto", "monty", "bwrap"],
        typer.Option("--sandbox", help="Where the code of checks runs."),
    ] = "auto",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Default: runs/check-NAME.", callback=path_of("--out")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a file's checks over its responses: accuracy by kind, strict and loose."""
    from autoevol.experiments.tracking.config import load_tracking
    from autoevol.experiments.verification.figures import figures_of, table
    from autoevol.experiments.verification.response_checks import check_file, write_checks
    from autoevol.experiments.verification.tracking import track_checks

    folder = out or Path("runs") / f"check-{file.stem}"
    if folder.exists() and not folder.is_dir():
        raise ConfigError("--out", f"{folder} is no folder")
    tracking = load_tracking()
    rows = check_file(file, sandbox, say=complaints.log)
    figures = figures_of(rows)
    write_checks(folder, rows, figures)
    if tracking:
        track_checks(tracking, file, rows, figures, folder, complaints.log)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    console.print(table(figures))
    for row in [row for row in rows if row.problem][:_SHOWN]:
        console.print(f"{row.id}: {row.problem}", markup=False)
    console.print(f"Results of every row: {folder / 'checks.jsonl'}", markup=False)
