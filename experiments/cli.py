"""The command line: parse, check, run, and turn errors into exit codes."""

import errno
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import dotenv
import typer

from experiments import data_commands
from experiments.run_command import Request, checked_plan, confirm, finished, perform, quieten
from experiments.terminal import complaints, console, say
from experiments.tracking_links import PORT
from program.errors import (
    BudgetExhaustedError,
    ConfigError,
    StoppedError,
    StorageError,
    WeightsError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.labelled import Labelled

USER_MUST_ACT, STOPPED_EARLY = 2, 3

app = typer.Typer(
    help="Evolve instruction data with a method that is optimised on the way.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
methods_app = typer.Typer(help="The named evolving methods.", no_args_is_help=True)
models_app = typer.Typer(help="The local models.", no_args_is_help=True)
app.add_typer(methods_app, name="methods")
app.add_typer(models_app, name="models")
data_commands.register(app)

ConfigFile = Annotated[Path, typer.Argument(help="A YAML file, see experiments/configs/.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY.SUB=VALUE", help="Override a key.")
]
OutFolder = Annotated[Path | None, typer.Option("--out", help="Replaces output.dir.")]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="A small trial: N rows, 2 steps, 2 candidates.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start anew; the old folder is kept.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, print the plan, stop.")]
Force = Annotated[
    bool, typer.Option("--force", help="Search even if nothing could be told from luck.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before a run that costs money.")]


@app.command()
def run(
    config: ConfigFile,
    overrides: Overrides = None,
    out: OutFolder = None,
    limit: Limit = None,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    force: Force = False,
    yes: Yes = False,
) -> None:
    """Search for the best method and evolve the whole set with it."""
    chosen = [*(overrides or []), *_forced(force)]
    _run(Request("all", config, chosen, out, limit, fresh, dry_run, yes))


@app.command()
def optimize(
    config: ConfigFile,
    overrides: Overrides = None,
    out: OutFolder = None,
    limit: Limit = None,
    fresh: Fresh = False,
    force: Force = False,
    yes: Yes = False,
) -> None:
    """Search only: leave the best method in the run's folder."""
    chosen = [*(overrides or []), *_forced(force)]
    _run(Request("search", config, chosen, out, limit, fresh, yes=yes))


@app.command()
def evolve(
    config: ConfigFile,
    method: Annotated[
        Path | None, typer.Option("--method", help="A method file, for example methods/best.md.")
    ] = None,
    overrides: Overrides = None,
    out: OutFolder = None,
    limit: Limit = None,
    fresh: Fresh = False,
    yes: Yes = False,
) -> None:
    """Apply only: evolve the whole set with the config's methods, or with a file's."""
    applied = f"evolve.methods=[{json.dumps(str(method))}]"
    extra = [applied, "evolve.schedule=[]"] if method else []
    chosen = [*(overrides or []), "optimizer.name=none", *extra]
    _run(Request("apply", config, chosen, out, limit, fresh, yes=yes))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Of the loopback address.")] = PORT,
) -> None:
    """Start MLflow's UI on loopback, for the store that mlflow.yaml names."""
    from experiments.ui_command import serve_ui

    serve_ui(port)


@app.command("metric-check")
def metric_check(
    file: Annotated[Path, typer.Argument(help="Labelled rows, JSONL.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="MODEL", help="Ask the judge's rules as well.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Where the judge's finished calls are kept.")
    ] = Path("runs/metric-check"),
) -> None:
    """Hold every rule set against labelled rows."""
    from experiments.labelled import read_labelled
    from experiments.metric_check import check_rule_sets, groups_table, kinds_table, table

    rows = read_labelled(file)
    found = check_rule_sets(rows, _verdicts(rows, judge, out) if judge else None)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for each in (table(found), kinds_table(found), groups_table(found)):
            console.print(each)
        if not judge:
            console.print("No judge was asked (--judge MODEL): its rules flag nothing here.")


def _verdicts(rows: "list[Labelled]", judge: str, folder: Path) -> "Mapping[str, frozenset[str]]":
    from experiments.judge_check import judged
    from experiments.progress import progress_bar

    quieten()
    with progress_bar(complaints) as bar:
        found = judged(rows, judge, folder / "ledger.sqlite", bar=bar, say=complaints.log)
    for rule, fitness in found.fitness.items():
        complaints.print(f"{judge} {fitness} for {rule!r}" + ("" if fitness.is_fit else ": unfit"))
    if found.unreadable:
        complaints.print(f"{found.unreadable} answers of the judge could not be read: not flagged")
    return found.broken


@methods_app.command("list")
def methods_list() -> None:
    """List the methods."""
    from experiments.screen import show_methods
    from signatures import shipped_methods

    show_methods(list(shipped_methods().values()))


@methods_app.command("show")
def methods_show(
    name: Annotated[str, typer.Argument(help="A name or a file.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the method."),
    ] = None,
) -> None:
    """Print a method as Markdown, its parameters filled in."""
    from experiments.plan import find_method
    from signatures import to_markdown

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
    wrong = next((each for each in assignments if "=" not in each), None)
    if wrong is not None:
        raise ValueError(f"--set takes NAME=VALUE, got {wrong!r}")
    return dict(each.split("=", 1) for each in assignments)


@models_app.command("list")
def models_list() -> None:
    """List the local models that can be fetched."""
    from experiments.screen import show_models

    show_models()


@models_app.command("pull")
def models_pull(name: Annotated[str, typer.Argument(help="local/NAME")]) -> None:
    """Fetch a local model's weights."""
    from experiments.model_commands import pull_model

    pull_model(name)


@models_app.command("check")
def models_check(name: Annotated[str, typer.Argument(help="local/NAME")]) -> None:
    """Verify a local model's weights and measure its speed here."""
    from experiments.model_commands import check_model

    check_model(name)


def main() -> None:
    """Run the command line; a mistake of the user's is one line and exit code 2."""
    dotenv.load_dotenv(Path(".env"))
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app()
    except (ConfigError, WeightsError) as error:
        _complain(str(error))
        raise SystemExit(USER_MUST_ACT) from error
    except StorageError as error:
        _complain(f"{error}; make room, then the same command goes on")
        raise SystemExit(USER_MUST_ACT) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _complain(f"{error.filename}: {error.strerror}; make room, then the same command goes on")
        raise SystemExit(USER_MUST_ACT) from error
    except BudgetExhaustedError as error:
        _complain(f"{error}; the same command with a larger budget goes on")
        raise SystemExit(STOPPED_EARLY) from error
    except StoppedError as error:
        _complain(f"{error}; the same command goes on")
        raise SystemExit(STOPPED_EARLY) from error


def _forced(force: bool) -> list[str]:
    return ["optimizer.headroom=false"] if force else []


def _run(request: Request) -> None:
    try:
        run_config(request)
    except (KeyboardInterrupt, typer.Abort) as error:
        _complain("stopped; the same command goes on")
        raise typer.Exit(STOPPED_EARLY) from error


def _complain(message: str) -> None:
    complaints.print(message, style="red", markup=False, highlight=False, soft_wrap=True)


def run_config(request: Request) -> None:
    """Check a config and run what it stands for: one run, or a matrix of runs.

    Raises:
        ConfigError: The user must change something; nothing is written.
        StoppedError: A run stopped early; the same command goes on.
    """
    from experiments.config_tree import MATRIX, tree_of

    tree = tree_of(request.file, request.overrides)
    if tree.get(MATRIX) is None:
        _run_one(request, tree)
        return
    from experiments.matrix_command import run_matrix

    run_matrix(request, tree)


def _run_one(request: Request, tree: dict[str, Any]) -> None:
    from experiments.config import config_of, limited
    from experiments.export import export_finished
    from experiments.screen import show_plan, show_summary

    config = config_of(tree, request.file, out=request.out)
    plan = checked_plan(limited(config, request.limit) if request.limit else config, request)
    done = None if request.dry_run else finished(plan, request)
    if done:
        export_finished(plan.config, plan.splits.seeds, done, say)
        show_summary(done, plan.config.folder)
    elif request.dry_run:
        show_plan(plan)
    else:
        confirm([plan], lambda: show_plan(plan), yes=request.yes)
        show_summary(perform(plan, request), plan.config.folder)
