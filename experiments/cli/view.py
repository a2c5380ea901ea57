"""`autoevol view`: a page to browse the rows of a run and to mark them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import quiet_libraries, say

app = typer.Typer(add_completion=False)


@app.command()
def view(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", callback=path_of("RUN_FOLDER"))],
    port: Annotated[
        int, typer.Option(help="Port on the loopback address; 0: any free one.", min=0, max=65535)
    ] = 0,
) -> None:
    """Browse the rows of a run on a local page, and mark them good or bad."""
    from autoevol.experiments.tracking.config import load_tracking
    from autoevol.experiments.view.command import view as served

    def say_now(line: str) -> None:
        say(line)
        # Where the output is a pipe, the address would come when the server has ended.
        sys.stdout.flush()

    quiet_libraries()
    served(folder, port, load_tracking(), say_now)
