"""`autoevol init` and `schema`: from a file to a config, and what a config may hold."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoevol.experiments.cli.data import Fields
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.terminal.arguments import fields_of, path_of
from autoevol.experiments.terminal.console import say
from autoevol.program.errors import ConfigError

if TYPE_CHECKING:
    from autoevol.experiments.data.profile import Profile

app = typer.Typer(add_completion=False)


@app.command()
def init(
    data: Annotated[
        str | None,
        typer.Argument(metavar="[DATA]", help="A file, a folder, a pattern, a name of the hub."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="A litellm name, or local/NAME.")
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", metavar="NAME", help="A shipped config, as koevol.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The config's file.", callback=path_of("--out"))
    ] = None,
    fields: Fields = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Look at your data, and write a config that fits it; without data, a project folder."""
    if data is None:
        _new_project(out or Path())
    else:
        is_asking = not yes and sys.stdin.isatty()
        _new_config(data, model, system, out, fields_of(fields or []), is_asking=is_asking)


def _new_project(folder: Path) -> None:
    from autoevol.experiments.run.init import write_project

    for file in write_project(folder):
        say(f"wrote {file}")
    config = folder / "config.yaml"
    preview, run = command_line("preview", config), command_line("run", config)
    say(f"next: {preview}, {run}; or autoevol init YOUR_DATA")


def _new_config(
    data: str,
    model: str | None,
    system: str | None,
    out: Path | None,
    fields: dict[str, str],
    *,
    is_asking: bool,
) -> None:
    from autoevol.experiments.data.profile import name_of, profile_of
    from autoevol.experiments.run.init import (
        LOCAL_MODEL,
        NewConfig,
        config_text,
        write_config,
        write_settings,
    )

    profile = profile_of(data, "init", fields)
    _show_profile(data, profile)
    if model is None and is_asking:
        model = typer.prompt("Model (a litellm name)", default=LOCAL_MODEL)
    model = model or LOCAL_MODEL
    new = NewConfig(name_of(data), data, model, system)
    target = out or Path(f"{new.name}.yaml")
    write_config(target, config_text(new, profile))
    say(f"wrote {target}")
    if settings := write_settings():
        say(f"wrote {settings}: runs are recorded in MLflow")
    _show_next(target)


def _show_profile(data: str, profile: "Profile") -> None:
    say(f"{data}: {profile.recognised.sentence}")
    say(f"{data}: {profile.sentence}")
    if profile.fields:
        columns = ", ".join(f"{key} is {name!r}" for key, name in profile.fields.items())
        say(f"{data}: {columns}")
    if rejected := profile.recognised.rejected:
        say(f"{data}: {len(rejected)} records make no row; the first: {rejected[0].error}")


def _show_next(target: Path) -> None:
    """Print the plan with its estimate where everything is there for it, and what comes next."""
    from autoevol.experiments.cli.tables import show_plan
    from autoevol.experiments.config.experiment import load_config
    from autoevol.experiments.run.planning.plan import make_plan

    try:
        show_plan(make_plan(load_config(target), str(target)))
    except ConfigError as error:
        say(f"before it can run: {error}")
    say(f"next: {command_line('preview', target)}, then {command_line('run', target)}")


@app.command()
def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The page of all keys, docs/config.md.")
    ] = False,
) -> None:
    """Print the JSON Schema of a config, for editors and checks."""
    from autoevol.experiments.config.documentation.reference import config_reference
    from autoevol.experiments.config.documentation.schema import schema_text

    # Not by the console, which would wrap lines and read brackets as markup.
    typer.echo(config_reference() if markdown else schema_text(), nl=False)
