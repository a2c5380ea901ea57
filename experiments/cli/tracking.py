"""`autoevol track` and `ui`: runs in MLflow, and MLflow's own page."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.console import quiet_libraries, say
from autoevol.experiments.tracking.config import load_tracking
from autoevol.experiments.tracking.links import PORT, charts_link, is_server, pages_of, runs_link
from autoevol.program.errors import ConfigError

app = typer.Typer(add_completion=False)

_NO_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""Job execution starts nine more processes for evaluations that no run of ours uses."""


@app.command()
def track(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN_FOLDER...", help="Runs to log.")],
) -> None:
    """Log runs in MLflow from their folders, for example after it was down.

    A run that is in the store already gets what it lacks there, and nothing twice.
    """
    from autoevol.experiments.tracking.again import required, track_folder

    config = load_tracking()
    if config is None:
        raise ConfigError("mlflow.yaml", "does not exist here, so there is no store to log to")
    quiet_libraries()
    for folder in folders:
        with required():
            run_id = track_folder(folder, config)
        say(f"{folder}: logged as {run_id}")


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on the loopback address.")] = PORT) -> None:
    """Start MLflow's UI on loopback, for the store that mlflow.yaml names."""
    serve_ui(port)


def serve_ui(port: int) -> None:
    """Print the UI's address and become MLflow's server, so that signals reach it.

    Raises:
        ConfigError: There is no mlflow.yaml, or its store cannot be opened.
    """
    from autoevol.experiments.tracking.again import required
    from autoevol.experiments.tracking.store import find_store

    environment = {**_NO_JOBS, **os.environ}  # what the user sets comes last, so it wins
    tracking = load_tracking()
    if tracking is None:
        raise ConfigError("mlflow.yaml", "does not exist here, so no run is tracked")
    uri = tracking.tracking_uri
    base = pages_of(uri, port)
    with required():
        store = find_store(tracking)
    if store:
        say(f"runs     {runs_link(store.experiment_id, base)}")
        say("         tick two runs and press Compare")
        say(f"charts   {charts_link(store.experiment_id, base)}")
    if is_server(uri):
        say(f"MLflow at {base}: the store is a server, which shows its own pages")
        return
    say(f"MLflow at {base} (store {uri}); Ctrl-C ends it")
    # MLflow's default is four workers; one user needs one, and each is a process of its own.
    # Through this Python: `mlflow` on the PATH may be another environment's.
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1"]
    command += ["--backend-store-uri", uri]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    # exec replaces the process at once: what Python has buffered would never be printed.
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)
