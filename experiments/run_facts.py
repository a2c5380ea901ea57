"""What a finished run's folder says of itself, checked: `run.json` and `summary.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments.reading import read_object
from program.errors import ConfigError

RUN, SUMMARY = "run.json", "summary.json"
_NUMBERS = (
    *("rows_in", "rows_out", "rows_failed", "rows_unscored"),
    *("calls", "tokens_in", "tokens_out", "wall_s"),
)
_OF_A_ROUND = ("round", "entered", "kept", "failed", "unscored")


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run it is.

    Attributes:
        key: In MLflow.
    """

    key: str
    started: datetime


def read_identity(folder: Path) -> RunIdentity:
    """Return which run a folder is of.

    Raises:
        ConfigError: The folder has lost its `run.json`, or it is damaged.
    """
    file = folder / RUN
    if not file.is_file():
        raise ConfigError(str(folder), f"is no run's folder: no {RUN}")
    tree = read_object(file)
    try:
        return RunIdentity(str(tree["key"]), datetime.fromisoformat(tree["started"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(str(file), f"is not what a run writes there: {error!r}") from error


def read_summary(folder: Path) -> dict[str, Any]:
    """Return a finished run's figures.

    Raises:
        ConfigError: The file is damaged.
    """
    file = folder / SUMMARY
    tree = read_object(file)
    _check_numbers(tree, _NUMBERS, str(file))
    rounds = tree.get("rounds")
    if not isinstance(rounds, list) or not all(isinstance(each, dict) for each in rounds):
        raise ConfigError(f"{file}: rounds", "must be a list of objects")
    for number, each in enumerate(rounds):
        _check_numbers(each, _OF_A_ROUND, f"{file}: rounds[{number}]")
    return tree


def _check_numbers(tree: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if not isinstance(tree.get(name), int | float):
            raise ConfigError(where, f"{name} must be a number, is {str(tree.get(name))[:80]!r}")
