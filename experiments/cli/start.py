"""`autoevol schema`: the config as JSON Schema, or as a page of its keys."""

import json
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The page of all keys, docs/config.md.")
    ] = False,
) -> None:
    """Print the JSON Schema of a config, for editors and checks."""
    from autoevol.experiments.config.reference import config_reference
    from autoevol.experiments.config.schema import config_schema

    text = config_reference() if markdown else json.dumps(config_schema(), indent=2) + "\n"
    # Not by the console, which would wrap lines and read brackets as markup.
    typer.echo(text, nl=False)
