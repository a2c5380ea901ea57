"""`autoevol report`: a finished run's page and pictures, from the files in its folder."""

from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complaints, say

app = typer.Typer(add_completion=False)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", callback=path_of("RUN_FOLDER"))],
) -> None:
    """Write a finished run's report.html again, for example after `score`."""
    from autoevol.experiments.run.results import renew_report
    from autoevol.experiments.tracking.config import load_tracking

    page, *_ = renew_report(folder, say=complaints.log, tracking=load_tracking())
    say(f"{page}: report")
