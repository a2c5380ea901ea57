"""The two files of scores: `scores.jsonl` by row, `scores.json` by round; written and read."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoevol.experiments.files.atomic import whole_file, write_whole
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.reading import read_file, read_json, read_object
from autoevol.experiments.scores.results import ScoreResults
from autoevol.program.errors import ConfigError

BY_ROW, BY_ROUND = "scores.jsonl", "scores.json"
PER_ROW = ("mnd", "ifd", "ic_ifd", "confidence")
"""Figures that are drawn row by row."""

ScoreSettings = Mapping[str, Mapping[str, Any]]
"""By score, the config keys and the model that its figures depend on."""


@dataclass(frozen=True, slots=True)
class StoredScores:
    """The scores that a folder holds.

    Attributes:
        figures: By round and by score; round 0 are the seeds.
        settings: By score, the settings behind its figures.
        numbers: By figure and by round, the values of the rows that have one.
    """

    figures: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    settings: ScoreSettings = field(default_factory=dict)
    numbers: Mapping[str, Mapping[int, Sequence[float]]] = field(default_factory=dict)

    def comparable_settings(self, score: str) -> dict[str, Any]:
        """Return the settings that must be equal where two runs' figures of a score are compared.

        The samples may differ.
        """
        settings = self.settings.get(score, {})
        return {key: value for key, value in settings.items() if key != "sample"}

    def rounds_with(self, name: str) -> dict[int, Mapping[str, Any]]:
        """Return a score's figures by round, of the rounds that have them."""
        rounds = sorted(self.figures.items())
        return {number: figures[name] for number, figures in rounds if name in figures}


def write_score_files(folder: Path, results: ScoreResults, settings: ScoreSettings) -> list[Path]:
    """Write both files and return their paths.

    Stored entries of other scores stay, even those of rounds that are no longer scored (seeds that
    have moved). Stored entries of the same scores are replaced.

    Args:
        folder: Takes both files.
        results: All scores of the set.
        settings: Names the scores that were made, and their settings.
    """
    earlier = stored_rows(folder)
    with whole_file(folder / BY_ROW) as file:
        for line in _lines(results, earlier, settings):
            file.write(as_json(line) + "\n")
    tree = _tree(results, folder / BY_ROUND, settings)
    text = as_json(tree, indent=2)
    return [folder / BY_ROW, write_whole(folder / BY_ROUND, f"{text}\n")]


def stored_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the lines of `scores.jsonl` by row id; empty before the first score.

    Raises:
        ConfigError: The file is not what `autoevol score` writes.
    """
    file = folder / BY_ROW
    lines: dict[str, dict[str, Any]] = {}
    for record in read_file(file) if file.is_file() else ():
        record.whole_number("round")
        lines[record.text("id")] = record.value
    return lines


def read_stored(folder: Path) -> StoredScores:
    """Return the scores of a folder; empty before the first score.

    Raises:
        ConfigError: A file of scores is not what `autoevol score` writes.
    """
    file = folder / BY_ROUND
    if not file.is_file():
        return StoredScores()
    settings, tree = read_settings(folder), read_json(file)
    try:
        figures = {
            line["round"]: {name: value for name, value in line.items() if name != "round"}
            for line in tree["rounds"]
        }
        return StoredScores(figures, settings, _numbers(folder / BY_ROW))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(str(file), f"holds no scores: {error!r}") from error


def read_settings(folder: Path) -> dict[str, dict[str, Any]]:
    """Return by score the settings behind a folder's figures; empty before the first score.

    Raises:
        ConfigError: The file is not what `autoevol score` writes.
    """
    file = folder / BY_ROUND
    if not file.is_file():
        return {}
    tree = read_json(file)
    try:
        return {name: dict(settings) for name, settings in tree["settings"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(str(file), f"holds no scores: {error!r}") from error


def _lines(
    results: ScoreResults, earlier: Mapping[str, Mapping[str, Any]], settings: ScoreSettings
) -> Iterator[dict[str, Any]]:
    """Yield a line for each scored row, then for the stored rows of other rounds."""
    scored = [(row.id, number) for number, rows in results.rounds.items() for row in rows]
    others = [
        (identity, line["round"])
        for identity, line in earlier.items()
        if line["round"] not in results.rounds
    ]
    for identity, number in [*scored, *others]:
        entries = results.entries(identity)
        merged = _merged(entries, earlier.get(identity, {}), settings)
        yield {"id": identity, "round": number, **merged}


def _merged(
    entries: Mapping[str, Mapping[str, Any]], earlier: Mapping[str, Any], settings: ScoreSettings
) -> dict[str, Any]:
    """Return a row's entries by kind and by score, with the stored ones of other scores."""
    merged: dict[str, Any] = {}
    for kind, new in entries.items():
        # A score that was made anew loses its stored entries even where the row has no new one:
        # figures of two judges or samples must not stand side by side.
        kept = {
            name: entry for name, entry in earlier.get(kind, {}).items() if name not in settings
        }
        if kept or new:
            merged[kind] = {**kept, **new}
    return merged


def _tree(results: ScoreResults, file: Path, settings: ScoreSettings) -> dict[str, Any]:
    earlier = read_object(file) if file.is_file() else {}
    rounds = {
        line["round"]: {name: value for name, value in line.items() if name not in settings}
        for line in earlier.get("rounds", [])
    }
    for line in results.by_round():
        rounds[line["round"]] = {**rounds.get(line["round"], {}), **line}
    merged = {**earlier.get("settings", {}), **settings}
    return {"settings": merged, "rounds": [rounds[number] for number in sorted(rounds)]}


def _numbers(file: Path) -> dict[str, dict[int, Sequence[float]]]:
    # Arrays take 8 bytes a value: there is one for each row of a set, and all stay in memory.
    figures: defaultdict[str, defaultdict[int, array[float]]] = defaultdict(
        lambda: defaultdict(lambda: array("d"))
    )
    if file.is_file():
        for number, name, value in _values(file):
            figures[name][number].append(value)
    return {name: dict(sorted(rounds.items())) for name, rounds in figures.items()}


def _values(file: Path) -> Iterator[tuple[int, str, float]]:
    for record in read_file(file):
        for values in record.value.get("values", {}).values():
            for name in PER_ROW:
                if isinstance(values.get(name), float):
                    yield record.value["round"], name, values[name]
