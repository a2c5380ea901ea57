"""The config of a further round: a finished run's, over the rows that it kept."""

import re
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.format import with_implied
from autoevol.experiments.artifacts.resume import CONFIG, format_of, stored_config
from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.artifacts.summary import SUMMARY
from autoevol.experiments.config.loading import tree_of
from autoevol.program.errors import ConfigError

BEST = "methods/best.md"
_CONTINUED = re.compile(r"-round-\d+$")


def continued_tree(folder: Path, rounds: int) -> dict[str, Any]:
    """Return the keys of a config that evolves a run's kept rows for some more rounds.

    A run that searched continues with the method that it found; any other with its methods. All
    else stays, models and rules included.

    Args:
        folder: Of a finished run.
        rounds: How many, at least 1.

    Raises:
        ConfigError: The folder is no finished run's.
    """
    if not (folder / SUMMARY).is_file():
        raise ConfigError(
            str(folder), f"is no finished run's folder: no {SUMMARY}; finish the run first"
        )
    config = stored_config(folder)
    first = config.last_round + 1
    tree = with_implied(tree_of(folder / CONFIG), format_of(folder))
    evolve = {**tree["evolve"], "rounds": rounds, "first_round": first}
    # A target was one of the earlier rounds, and their rows count no more.
    evolve = {**evolve, "target": None, "max_candidates": None}
    if config.is_search:
        evolve = {**evolve, "methods": [str(folder / BEST)], "schedule": []}
    # Its rounds are counted by `rounds` here; the length itself still ends a row.
    if config.evolve.until:
        evolve["until"] = {**evolve["until"], "max_rounds": rounds}
    return {
        **tree,
        "name": _next_name(config.name, first),
        "data": {"path": str(folder / EVOLVED), "format": "rows"},
        "optimizer": {"name": "none"},
        "evolve": evolve,
        # What it begins with are the earlier run's rows, which that one has exported.
        "output": {
            **tree["output"],
            "dir": _next_name(str(folder if folder.name.strip(".") else folder.resolve()), first),
            "rounds": "all",
            "with_seeds": False,
        },
    }


def _next_name(name: str, first: int) -> str:
    """Return a name for the further rounds; the suffix of an earlier continuation is replaced."""
    return f"{_CONTINUED.sub('', name)}-round-{first}"
