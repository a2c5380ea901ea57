"""`autoevol methods`: the named evolving methods."""

from typing import Annotated

import typer
from rich.table import Column, Table

from autoevol.experiments.terminal.console import console
from autoevol.program.errors import ConfigError

app = typer.Typer(help="The named evolving methods.", no_args_is_help=True, add_completion=False)


@app.command("list")
def methods_list() -> None:
    """List the methods; `methods show NAME` prints one with its parameters."""
    from autoevol.signatures import shipped_methods

    table = Table(Column("name", no_wrap=True), "what it does", "kind", "system")
    for method in shipped_methods().values():
        table.add_row(method.name, method.about, method.kind, method.system or "-")
    console.print(table)


@app.command("show")
def methods_show(
    name: Annotated[str, typer.Argument(help="A name or a file.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the method."),
    ] = None,
) -> None:
    """Print a method as Markdown, with its parameters filled in."""
    from autoevol.experiments.run.planning.methods import find_method
    from autoevol.signatures import to_markdown

    where = f"methods show {name}"
    method = find_method(name, where)
    try:
        method = method.with_parameters(**_values(parameters or []))
    except ValueError as error:
        raise ConfigError(where, str(error)) from error
    typer.echo(to_markdown(method))


def _values(assignments: list[str]) -> dict[str, str]:
    """Return the values by parameter.

    Raises:
        ValueError: An assignment is not NAME=VALUE.
    """
    wrong = next((text for text in assignments if "=" not in text), None)
    if wrong is not None:
        raise ValueError(f"--set takes NAME=VALUE, got {wrong!r}")
    return dict(text.split("=", 1) for text in assignments)
