"""`autoevol convert`, `merge`, `seeds` and `equalise`: make and convert data sets."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from autoevol.experiments.terminal.arguments import fields_of, path_of
from autoevol.experiments.terminal.console import console, say

FROM_HELP = "The format of IN; auto: as the first record shows."

Fields = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="USE=COLUMN", help="As instruction=question; may be repeated."),
]
SkipUnusable = Annotated[
    bool, typer.Option("--skip-unusable", help="Leave out and count records that make no row.")
]

app = typer.Typer(add_completion=False)


@app.command()
def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            help="A file, a folder, a pattern, or a name of the hub.",
            callback=path_of("IN"),
        ),
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A new file.", callback=path_of("OUT"))
    ],
    read_as: Annotated[str, typer.Option("--from", metavar="FORMAT", help=FROM_HELP)] = "auto",
    write_as: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="The format of OUT.")
    ] = "rows",
    skip_unusable: SkipUnusable = False,
    fields: Fields = None,
) -> None:
    """Turn instruction data from one format into another (see docs/data-tools.md)."""
    from autoevol.experiments.data.convert import convert as converted
    from autoevol.experiments.data.formats.columns import Columns

    named = fields_of(fields or [])
    converted(
        source,
        target,
        read_as=Columns(**named) if named else read_as,
        write_as=write_as,
        say=say,
        skip_unusable=skip_unusable,
    )


@app.command()
def merge(
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A new file of rows.", callback=path_of("OUT"))
    ],
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="IN...", help="Files of any format.", callback=path_of("IN...")),
    ],
    skip_unusable: SkipUnusable = False,
) -> None:
    """Merge files of rows into one; duplicates are dropped, ids stay unique."""
    from autoevol.experiments.data.merge import merge as merged

    merged(target, sources, say=say, skip_unusable=skip_unusable)


@app.command()
def seeds(
    config: Annotated[
        Path,
        typer.Argument(help="A YAML file, see docs/data-tools.md.", callback=path_of("CONFIG")),
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A new JSONL file.", callback=path_of("OUT"))
    ],
) -> None:
    """Build a seed file from several data sets, with quotas and without duplicates."""
    from autoevol.experiments.data.seed_builder import build_seeds

    table = Table("source", "read", "excluded", "duplicate", "not drawn", "taken")
    accounts = build_seeds(config, target)
    for account in accounts:
        counts = (account.read, account.excluded, account.duplicate, account.left, account.taken)
        table.add_row(account.name, *(f"{count:,}" for count in counts))
    console.print(table)
    for account in accounts:
        if account.rejected:
            say(f"{account.name}: {account.rejected:,} more records make no row")
    say(f"{target}: seeds")


@app.command()
def equalise(
    first: Annotated[Path, typer.Argument(metavar="A", callback=path_of("A"))],
    second: Annotated[Path, typer.Argument(metavar="B", callback=path_of("B"))],
    by: Annotated[
        str, typer.Option("--by", metavar="rows|count", help="The same seeds, or as many rows.")
    ],
    seed: Annotated[int, typer.Option("--seed", help="Of the draw for count.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the new files.", callback=path_of("--out")),
    ] = None,
) -> None:
    """Make two data sets comparable: the same seeds, or the same number of rows."""
    from autoevol.experiments.data.equalise import equalise as equalised

    equalised((first, second), by=by, seed=seed, out=out, say=say)
