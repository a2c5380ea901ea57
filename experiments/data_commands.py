"""The commands around data sets: convert, merge, seeds, equalise, export."""

from pathlib import Path
from typing import Annotated

import typer

from experiments.terminal import console

FROM_HELP = "The format of IN; auto tells it by the first record."


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("convert")(convert)
    app.command("merge")(merge)


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="JSONL, JSON, CSV or Parquet.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A new file.")],
    given: Annotated[str, typer.Option("--from", metavar="FORMAT", help=FROM_HELP)] = "auto",
    wanted: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Of OUT.")] = "rows",
) -> None:
    """Turn instruction data from one format into another (see docs/data-tools.md)."""
    from experiments.convert import convert as converted

    converted(source, target, given=given, wanted=wanted, say=_say)


def merge(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A new file of rows.")],
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Of any format.")],
) -> None:
    """Put files of rows into one; duplicates are dropped, ids stay unique."""
    from experiments.merge import merge as merged

    merged(target, sources, say=_say)


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
