"""The scores that lie in a folder, read back for pages and pictures."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoevol.experiments.files.records import read_file, read_json
from autoevol.experiments.scores.results import BY_ROUND, BY_ROW
from autoevol.program.errors import ConfigError

PER_ROW = ("mnd", "ifd", "ic_ifd", "confidence")
"""Figures whose values row by row are drawn."""


@dataclass(frozen=True, slots=True)
class StoredScores:
    """What the files of scores say.

    Attributes:
        figures: By round and by score; round 0 are the seeds.
        settings: By score, what its figures went by.
        numbers: By figure and by round, the values of the rows that have one.
    """

    figures: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    numbers: Mapping[str, Mapping[int, Sequence[float]]] = field(default_factory=dict)

    def went_by(self, score: str) -> dict[str, Any]:
        """Return what must be the same where a score's figures are held against others.

        Which rows were drawn may differ.
        """
        return {key: each for key, each in self.settings.get(score, {}).items() if key != "sample"}

    def rounds_with(self, name: str) -> dict[int, Mapping[str, Any]]:
        """Return a score's figures by round, of the rounds that have them."""
        return {n: told[name] for n, told in sorted(self.figures.items()) if name in told}


def read_stored(folder: Path) -> StoredScores:
    """Return the scores of a folder; an empty sheet before the first score.

    Raises:
        ConfigError: A file of scores is not what `autoevol score` writes.
    """
    file = folder / BY_ROUND
    if not file.is_file():
        return StoredScores()
    settings, tree = read_settings(folder), read_json(file)
    try:
        figures = {
            told["round"]: {name: each for name, each in told.items() if name != "round"}
            for told in tree["rounds"]
        }
        return StoredScores(figures, settings, _numbers(folder / BY_ROW))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(str(file), f"holds no scores: {error!r}") from error


def read_settings(folder: Path) -> dict[str, dict[str, Any]]:
    """Return by score what a folder's figures went by; nothing before the first score.

    Raises:
        ConfigError: The file is not what `autoevol score` writes.
    """
    file = folder / BY_ROUND
    if not file.is_file():
        return {}
    tree = read_json(file)
    try:
        return {name: dict(told) for name, told in tree["settings"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(str(file), f"holds no scores: {error!r}") from error


def _numbers(file: Path) -> dict[str, dict[int, Sequence[float]]]:
    found: defaultdict[str, defaultdict[int, array[float]]] = defaultdict(
        lambda: defaultdict(lambda: array("d"))
    )
    if file.is_file():
        for number, name, value in _values(file):
            found[name][number].append(value)
    return {name: dict(sorted(by_round.items())) for name, by_round in found.items()}


def _values(file: Path) -> Iterator[tuple[int, str, float]]:
    for record in read_file(file):
        for own in record.value.get("values", {}).values():
            for name in PER_ROW:
                if isinstance(own.get(name), float):
                    yield record.value["round"], name, own[name]
