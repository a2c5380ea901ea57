"""`autoevol export`: a run's rows in trainers' formats, on disk or on the hub."""

from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import say
from autoevol.program.errors import ConfigError

app = typer.Typer(add_completion=False)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", callback=path_of("RUN_FOLDER"))],
    formats: Annotated[
        list[str] | None, typer.Option("--format", metavar="NAME", help="May be repeated.")
    ] = None,
    rounds: Annotated[
        str | None, typer.Option("--rounds", metavar="1,2,3|last|all", help="Rounds to export.")
    ] = None,
    with_seeds: Annotated[
        bool | None,
        typer.Option("--with-seeds/--without-seeds", help="Instead of output.with_seeds."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Instead of exports/.", callback=path_of("--out"))
    ] = None,
    with_bad: Annotated[
        bool, typer.Option("--with-bad", help="Rows, too, that are marked bad in `autoevol view`.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
    hub: Annotated[
        str | None, typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Needs HF_TOKEN.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="A public data set on the hub.")] = False,
) -> None:
    """Write a run's rows in the formats that trainers read."""
    from autoevol.experiments.export.hub import Upload
    from autoevol.experiments.export.run_export import ExportRequest, export_run

    if public and not hub:
        raise ConfigError("--public", "has no effect without --push-to-hub OWNER/NAME")
    upload = Upload(hub, public) if hub else None
    names = tuple(formats or ())
    request = ExportRequest(folder, names, rounds, with_seeds, with_bad, out, overwrite, upload)
    export_run(request, say)
