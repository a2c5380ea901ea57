"""The commands around data sets: convert, merge, seeds, export, score, report, and so on."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from experiments.terminal import complaints, console, say
from program.errors import ConfigError

FROM_HELP = "The format of IN; auto tells it by the first record."


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("convert")(convert)
    app.command("merge")(merge)
    app.command("seeds")(seeds)
    app.command("equalise")(equalise)
    app.command("export")(export)
    app.command("score")(score)
    app.command("report")(report)
    app.command("compare")(compare)


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="JSONL, JSON, CSV or Parquet.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A new file.")],
    given: Annotated[str, typer.Option("--from", metavar="FORMAT", help=FROM_HELP)] = "auto",
    wanted: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Of OUT.")] = "rows",
) -> None:
    """Turn instruction data from one format into another (see docs/data-tools.md)."""
    from experiments.convert import convert as converted

    converted(source, target, given=given, wanted=wanted, say=say)


def merge(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A new file of rows.")],
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Of any format.")],
) -> None:
    """Put files of rows into one; duplicates are dropped, ids stay unique."""
    from experiments.merge import merge as merged

    merged(target, sources, say=say)


def seeds(
    config: Annotated[Path, typer.Argument(help="A YAML file, see docs/data-tools.md.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A new JSONL file.")],
) -> None:
    """Build a seed file from several data sets, with quotas and without duplicates."""
    from experiments.seeds import build_seeds

    table = Table("source", "read", "excluded", "duplicate", "not drawn", "taken")
    for account in build_seeds(config, target):
        counts = (account.read, account.excluded, account.duplicate, account.left, account.taken)
        table.add_row(account.name, *(f"{count:,}" for count in counts))
    console.print(table)
    say(f"{target}: seeds")


def equalise(
    first: Annotated[Path, typer.Argument(metavar="A")],
    second: Annotated[Path, typer.Argument(metavar="B")],
    by: Annotated[str, typer.Option("--by", metavar="rows|count", help="Shared seeds, or size.")],
    seed: Annotated[int, typer.Option("--seed", help="Of the draw by count.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the new files.")] = None,
) -> None:
    """Make two data sets comparable: the same seeds, or the same number of rows."""
    from experiments.equalise import equalise as equalised

    equalised((first, second), by=by, seed=seed, out=out, say=say)


def export(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER")],
    formats: Annotated[
        list[str] | None, typer.Option("--format", metavar="NAME", help="May stand several times.")
    ] = None,
    rounds: Annotated[
        str | None, typer.Option("--rounds", metavar="1,2,3|last|all", help="What to export.")
    ] = None,
    with_seeds: Annotated[bool, typer.Option("--with-seeds", help="The seeds, too.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Instead of exports/.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    hub: Annotated[
        str | None, typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Needs HF_TOKEN.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="On the hub; else private.")] = False,
) -> None:
    """Write a run's rows in the formats that trainers read."""
    from experiments.export_command import Request, export_run
    from experiments.hub import Upload

    if public and not hub:
        raise ConfigError("--public", "says nothing without --push-to-hub OWNER/NAME")
    upload = Upload(hub, public) if hub else None
    names = tuple(formats or ())
    export_run(Request(folder, names, rounds, with_seeds, out, overwrite, upload), say)


def score(
    target: Annotated[Path, typer.Argument(metavar="RUN_FOLDER|FILE", help="What to score.")],
    names: Annotated[
        str | None, typer.Option("--scores", metavar="A,B", help="Else the config's, or the free.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="MODEL", help="Instead of the config's.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="scores.KEY=VALUE", help="Override a key.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Of a file's scores.")] = None,
) -> None:
    """Measure a finished set: difficulty, diversity, copies, leaks (see docs/scores.md)."""
    from experiments.progress import progress_bar
    from experiments.score_command import score as scored
    from experiments.score_command import score_table
    from experiments.score_targets import request_of
    from experiments.tracking_config import load_tracking

    request = request_of(target, names, tuple(overrides or ()), judge, out)
    with progress_bar(complaints) as bar:
        book = scored(request, bar=bar, say=complaints.log, tracking=load_tracking())
    console.print(score_table(book))


def report(folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER")]) -> None:
    """Write a finished run's report.html anew, for example after `score`."""
    from experiments.report_command import report as reported
    from experiments.tracking_config import load_tracking

    page, *_ = reported(folder, say=complaints.log, tracking=load_tracking())
    say(f"{page}: report")


def compare(
    targets: Annotated[list[Path], typer.Argument(metavar="A B…", help="Run folders, or files.")],
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="MODEL", help="Decides between A and B.")
    ] = None,
    what: Annotated[str, typer.Option("--what", metavar="responses|instructions")] = "responses",
    order: Annotated[
        str, typer.Option("--order", metavar="both|drawn", help="Ask twice, or once by lot.")
    ] = "both",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most N pairs.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the page.")] = None,
) -> None:
    """Put runs side by side, or let a judge decide between two sets (see docs/scores.md)."""
    from experiments.compare_command import compare as compared
    from experiments.compare_command import comparison_table
    from experiments.compare_request import folder_of, request_of, sides_of
    from experiments.compare_tracking import show_in_mlflow
    from experiments.comparison_page import write_comparison
    from experiments.comparison_tables import tables
    from experiments.progress import progress_bar

    sides = sides_of(targets)
    request = request_of(sides, judge, what, order, limit, out)
    folder = request.out if request else folder_of(sides, out)
    for table in tables(sides):
        console.print(table)
    comparison = None
    if request:
        with progress_bar(complaints) as bar:
            comparison = compared(request, bar=bar, say=complaints.log)
        console.print(comparison_table(comparison))
    say(f"{write_comparison(folder, sides, comparison)}: comparison")
    show_in_mlflow(sides, comparison)
