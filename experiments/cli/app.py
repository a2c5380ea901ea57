"""The table of commands, and the exit codes of errors."""

import errno
import gc
import logging
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import dotenv
import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from autoevol.experiments.terminal.console import complain
from autoevol.program.errors import (
    ConfigError,
    StoppedError,
    StorageError,
    WeightsError,
)

_COLLECTION = (50_000, 20, 50)
"""Objects before a collection of the youngest; of these, and of the next, before the next older."""

USER_MUST_ACT, STOPPED_EARLY = 2, 3

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("start", "Look at your data, and write a config that fits it."),
    "preview": ("run", "Show a few rows before and after, with F's verdicts."),
    "run": ("run", "Search for the best method and evolve the whole set with it."),
    "optimize": ("run", "Search only: leave the best method in the run's folder."),
    "evolve": (
        "run",
        "Apply only: evolve the whole set with the config's methods, or with a file's.",
    ),
    "batches": (
        "batches",
        "List the batches that a run has at providers; `--cancel` ends them there.",
    ),
    "continue": ("run", "Evolve the rows of a finished run further, in a folder beside it."),
    "report": ("report", "Write a finished run's report.html again, for example after `score`."),
    "view": ("view", "Browse the rows of a run on a local page, and mark them good or bad."),
    "score": ("score", "Measure a finished set: difficulty, diversity, copies, leaks."),
    "compare": ("compare", "Put runs side by side, or let a judge decide between two sets."),
    "ui": ("tracking", "Start MLflow's UI on loopback, for the store that mlflow.yaml names."),
    "track": ("tracking", "Log runs in MLflow from their folders, for example after it was down."),
    "convert": ("data", "Turn instruction data from one format into another."),
    "merge": ("data", "Merge files of rows into one; duplicates are dropped, ids stay unique."),
    "seeds": ("data", "Build a seed file from several data sets, with quotas."),
    "equalise": (
        "data",
        "Make two data sets comparable: the same seeds, or the same number of rows.",
    ),
    "export": ("export", "Write a run's rows in the formats that trainers read."),
    "verify": ("checks.verify", "Make verified data: constraints as code, answers that keep them."),
    "check": ("checks.check", "Run a file's checks over its responses: accuracy by kind."),
    "train": ("training.train", "Fine-tune a student on a run's rows, or on a file."),
    "evaluate": (
        "training.evaluate",
        "Evaluate a model on tasks, with intervals and against another one.",
    ),
    "study": (
        "training.study",
        "Train a student on several sets of data, and compare what it learnt.",
    ),
    "metric-check": ("checks.metric_check", "Check every rule set against labelled rows."),
    "judge-check": (
        "checks.judge_check",
        "Let a model take the exam: may it judge and solve, and in which languages?",
    ),
    "methods": ("methods", "The named evolving methods."),
    "models": ("models", "The local models."),
    "schema": ("start", "Print the JSON Schema of a config, for editors and checks."),
}
"""By name: the module in this folder that holds the command, and a line of help."""

PANELS: Mapping[str, tuple[str, ...]] = {
    "Begin": ("init", "preview", "run"),
    "Parts of a run": ("optimize", "evolve", "continue", "batches"),
    "Look at the results": ("report", "view", "score", "compare", "ui", "track"),
    "Data": ("convert", "merge", "seeds", "equalise", "export"),
    "Verified rows": ("verify", "check"),
    "Does it teach": ("train", "evaluate", "study"),
    "Is the verdict right": ("metric-check", "judge-check"),
    "Reference": ("methods", "models", "schema"),
}
"""The groups in which `--help` shows them."""


class LazyGroup(TyperGroup):
    """The commands of the table, imported when they are called; `--help` imports none."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command with its name and help only; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        panel = next(name for name, commands in PANELS.items() if cmd_name in commands)
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1], rich_help_panel=panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the called command, from its module."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else command, rest


def load_command(name: str) -> Any:
    """Return a command of the table, with its options."""
    module = import_module(f"autoevol.experiments.cli.{COMMANDS[name][0]}")
    command: Any = get_command(module.app)
    # Of a module with several commands Typer makes a group; `methods` and `models` are meant to be
    # groups, `data` and `run` hold commands of the table itself.
    return getattr(command, "commands", {}).get(name, command)


app = typer.Typer(
    cls=LazyGroup,
    help="Evolve instruction data with a method that is optimised on the way.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version  # a tenth of the time that --help takes

        typer.echo(f"autoevol {version('autoevol')}")
        raise typer.Exit


@app.callback()
def autoevol(
    is_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Evolve instruction data with a method that is optimised on the way."""


def main() -> None:
    """Run the command line. An error that the user can mend is one line and an exit code."""
    # The libraries make a million objects at their import, which all stay: Python's collector would
    # look through them again and again, for half a second in all.
    gc.set_threshold(*_COLLECTION)
    # Without a path dotenv searches upwards from this module's folder, not the working folder.
    dotenv.load_dotenv(Path(".env"))
    # The name under which joonavel's systems have it.
    if "MY_HF_TOKEN" in os.environ:
        os.environ.setdefault("HF_TOKEN", os.environ["MY_HF_TOKEN"])
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app()
    except (ConfigError, WeightsError) as error:
        complain(str(error))
        for line in getattr(error, "details", ()):
            complain(f"  {line}")
        raise SystemExit(USER_MUST_ACT) from error
    except StorageError as error:
        complain(f"{error}; free some disk space, then the same command resumes")
        raise SystemExit(USER_MUST_ACT) from error
    except OSError as error:
        # Only a full disk is the user's to mend; any other is a defect that needs its traceback.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        problem = f"{error.filename or 'disk'}: {error.strerror}"
        complain(f"{problem}; free some disk space, then the same command resumes")
        raise SystemExit(USER_MUST_ACT) from error
    except StoppedError as error:
        complain(f"{error}; {error.way_on}")
        raise SystemExit(STOPPED_EARLY) from error
