"""Arguments that the commands of this folder share."""

from pathlib import Path
from typing import Annotated

import typer

from autoevol.experiments.terminal.arguments import path_of

OutFolder = Annotated[
    Path | None,
    typer.Option("--out", help="Gets the results.", callback=path_of("--out")),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, print the plan, stop.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
