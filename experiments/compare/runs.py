"""The runs of a comparison: what their folders hold beside the rows, and what may be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.search_record import best_alone
from autoevol.experiments.compare.sides import Side, lost_share
from autoevol.experiments.config.loading import read_yaml
from autoevol.experiments.files.trees import flatten
from autoevol.experiments.report.plots import Point
from autoevol.experiments.report.score_means import mean_rounds, point_of, score_means
from autoevol.experiments.scores.stored import StoredScores, read_stored
from autoevol.signatures import Method

_ALWAYS_DIFFERENT = ("name", "output")
"""Sections of a config that say nothing of how the runs differ."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A finished run.

    Attributes:
        best: The method that it applied; None: the folder has no single one.
        config: Its config, keys joined by dots.
    """

    name: str
    path: Path
    summary: Mapping[str, Any]
    stored: StoredScores
    best: Method | None
    config: Mapping[str, Any]

    @property
    def lost(self) -> Point | None:
        """The share of scored rewrites that were lost, with its interval; None: there were none."""
        lost = lost_share(self.summary)
        return (lost.value, *lost.interval) if lost else None

    @property
    def tokens(self) -> int:
        """In and out."""
        return int(self.summary["tokens_in"] + self.summary["tokens_out"])


def runs_of(sides: Sequence[Side]) -> list[ComparedRun]:
    """Return the sides that are runs.

    Raises:
        ConfigError: A file of scores or a method in a folder is damaged.
    """
    return [_run(side) for side in sides if side.summary]


def shared_means(runs: Sequence[ComparedRun]) -> dict[str, list[int]]:
    """Return the means that two runs or more share, each with the numbers of those runs."""
    names = dict.fromkeys(name for run in runs for name in score_means(run.stored))
    numbers = {name: sharing(runs, name) for name in names}
    return {name: members for name, members in numbers.items() if members}


def sharing(runs: Sequence[ComparedRun], name: str) -> list[int]:
    """Return the numbers of the runs whose means of a score may be compared.

    The same judge gave them with the same settings. Of several such groups of two runs or more it
    is the largest, of equal ones the first; empty: there is none.
    """
    groups: list[tuple[dict[str, Any], list[int]]] = []
    for number, run in enumerate(runs):
        if mean_rounds(run.stored, name):
            own = run.stored.comparable_settings(name.partition(".")[0])
            # Settings are dicts with lists, so they cannot be the keys of one.
            group = next((members for settings, members in groups if settings == own), None)
            if group is None:
                groups.append((own, [number]))
            else:
                group.append(number)
    largest = max((members for _, members in groups), key=len, default=[])
    return largest if len(largest) > 1 else []


def last_mean(run: ComparedRun, name: str) -> Point | None:
    """Return a score's mean in the last round that has one, seeds excluded."""
    means = {number: mean for number, mean in mean_rounds(run.stored, name).items() if number}
    return point_of(means[max(means)]) if means else None


def config_differences(runs: Sequence[ComparedRun]) -> dict[str, list[str]]:
    """Return the keys in which the configs differ, with each run's value."""
    keys = dict.fromkeys(key for run in runs for key in run.config)
    values = {key: [str(run.config.get(key, "–")) for run in runs] for key in keys}
    return {key: by_run for key, by_run in values.items() if len({*by_run}) > 1}


def _run(side: Side) -> ComparedRun:
    best = best_alone(side.path).best
    file = side.path / "config.yaml"
    plain = read_yaml(file) if file.is_file() else {}
    config = flatten({key: value for key, value in plain.items() if key not in _ALWAYS_DIFFERENT})
    return ComparedRun(
        side.name,
        side.path,
        side.summary,
        read_stored(side.path),
        best[0] if best else None,
        config,
    )
