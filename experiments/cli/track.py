"""`autoevol track`: log runs in MLflow from what their folders hold."""

from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.console import quiet_libraries, say
from autoevol.program.errors import ConfigError

app = typer.Typer(add_completion=False)


@app.command()
def track(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN_FOLDER...", help="Runs to log.")],
) -> None:
    """Log runs in MLflow from their folders, for example after it was down.

    A run that is in the store already gets what it lacks there, and nothing twice.
    """
    from autoevol.experiments.tracking.again import required, track_folder
    from autoevol.experiments.tracking.config import load_tracking

    config = load_tracking()
    if config is None:
        raise ConfigError("mlflow.yaml", "does not exist here, so there is no store to log to")
    quiet_libraries()
    for folder in folders:
        with required():
            run_id = track_folder(folder, config)
        say(f"{folder}: logged as {run_id}")
