"""`autoevol batches`: what a run has sent to providers as batches, and how to end it there."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.artifacts.resume import config_for_folder, stored_config
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.config.loading import tree_of
from autoevol.experiments.config.models import model_settings
from autoevol.experiments.config.shipped import config_file
from autoevol.experiments.models.batches.record import (
    BATCHES,
    SentBatch,
    forget_unplaced,
    read_batches,
)
from autoevol.experiments.models.checks import check
from autoevol.experiments.models.hosted.endpoints import batch_provider_of
from autoevol.experiments.models.settings import adjusted
from autoevol.experiments.models.transports.dialect import Dialect
from autoevol.experiments.terminal.console import console, quiet_libraries, say
from autoevol.experiments.verification.planning import IN_A_RUN
from autoevol.program.errors import ConfigError

app = typer.Typer(add_completion=False)


@app.command("batches")
def batches(
    target: Annotated[Path, typer.Argument(help="A run's folder, or its config.")],
    cancel: Annotated[bool, typer.Option("--cancel", help="End those that are open.")] = False,
    resend: Annotated[
        bool,
        typer.Option("--resend", help="Forget those of which nobody knows whether they were sent."),
    ] = False,
) -> None:
    """List the batches that a run has at providers; `--cancel` ends them there.

    What is finished by then is paid, and the same `autoevol run` fetches it.

    After a kill a provider may not know yet whether it has a batch, and the run
    waits. `--resend` has the calls sent again, which pays twice if it has.
    """
    config = _config(target)
    # Verification is a run within a run.
    places = (config.folder, config.folder / IN_A_RUN)
    folders = [folder for folder in places if (folder / BATCHES).is_file()]
    if resend:
        _resend(folders)
    sent_batches = [batch for folder in folders for batch in read_batches(folder / BATCHES)]
    if not sent_batches:
        say(f"{config.folder} has sent no batch")
        return
    table = Table(Column("batch", overflow="fold"), "role", "sent", "calls", "", box=SIMPLE_HEAD)
    for batch in sent_batches:
        sent = datetime.fromtimestamp(batch.at).astimezone()
        table.add_row(
            batch.batch_id or "not known",
            batch.role,
            f"{sent:%Y-%m-%d %H:%M}",
            f"{batch.requests:,}",
            "fetched" if batch.is_ended else "open",
        )
    console.print(table)
    is_open = [batch for batch in sent_batches if batch.batch_id and not batch.is_ended]
    if cancel:
        quiet_libraries()
        asyncio.run(_end(config, is_open))
    elif is_open:
        say("`autoevol run` with the same config fetches what is open; --cancel ends it")


def _resend(folders: list[Path]) -> None:
    for folder in folders:
        # A run that is under way may be sending one just now.
        with alone_in(folder):
            forgotten = forget_unplaced(folder / BATCHES)
        say(f"{folder}: {forgotten:,} batches are forgotten; the same command sends their calls")


def _config(target: Path) -> ExperimentConfig:
    if target.is_dir():
        return stored_config(target)
    file = config_file(target)
    return config_for_folder(tree_of(file, []), file)


async def _end(config: ExperimentConfig, sent_batches: list[SentBatch]) -> None:
    for batch in sent_batches:
        where = f"models.{batch.role}"
        model = getattr(config.models, batch.role)
        if model is None:
            raise ConfigError(where, "is gone from the config, and has open batches")
        settings, _ = adjusted(model_settings(batch.role, model))
        check(settings, where)
        provider = batch_provider_of(settings, Dialect())
        if provider is None:
            raise ConfigError(where, f"{settings.model} has no batches; {batch.model} had")
        await provider.cancel(str(batch.batch_id))
        say(f"{batch.batch_id} is ended at {provider.name}; `autoevol run` fetches what is done")
