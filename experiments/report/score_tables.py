"""Scores as people read them: a table for each score, with headings in words."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.config.scores import JUDGED
from autoevol.experiments.files.trees import flat_numbers
from autoevol.experiments.report.plots import round_label
from autoevol.experiments.report.score_figures import is_mean
from autoevol.experiments.scores.stored import StoredScores

_TITLES = {
    "length": "Length",
    "lexical": "Wording",
    "neighbours": "Nearest neighbours",
    "overlap": "Copies and leaks",
    "difficulty": "Difficulty, levels 1 to 5",
    "complexity": "Complexity, 0 to 100",
    "chain": "Complexity within a chain, 0 to 100",
    "tags": "Intentions",
    "grade": "Grade of the response, 1 to 10",
    "ifd": "Instruction-following difficulty",
    "growth": "Words that a round adds",
    "confidence": "Confidence of the evolver in its tokens, 0 to 1",
    "quality": "Responses that lack something",
    "keywords": "Operations that the thinking names",
    "solver": "Solved by a model, share of its samples",
    "reward": "Reward of the response",
}
_LABELS = {
    "length": {
        "words": "words of an instruction, mean",
        "response_words": "words of a response, mean",
    },
    "lexical": {
        "distinct_1": "different words, of all",
        "distinct_2": "different pairs of words, of all",
        "distinct_3": "different triples of words, of all",
        "compression": "bytes, to what deflating leaves",
    },
    "neighbours": {
        "mnd": "distance to the nearest row, mean",
        "mnd_median": "the same, median",
        "close_neighbours": "rows with a close neighbour",
    },
    "overlap": {"copies": "copies of another row"},
    "ifd": {
        "ifd": "IFD",
        "ic_ifd": "IC-IFD",
        "misleading": "rows with IFD above 1",
        "cut": "responses cut off for the model",
    },
    "solver": {
        "strong_solver": "by the strong solver",
        "solver_gap": "the strong solver's lead",
    },
    "growth": {"within_budget": "share that adds 10 to 20 words"},
    "tags": {
        "complexity": "tags of a row, mean",
        "diversity": "different tags of 100 rows, for each row",
        "coverage": "share of all tags",
    },
}
_OF_A_MEAN = ("mean", "interval", "scored", "unscored")
_WENT_BY = {"embedding": "embedding", "sample": "seeds drawn", "check": "result that counts"}


@dataclass(frozen=True, slots=True)
class Section:
    """One score.

    Attributes:
        note: What its figures went by; "" where there is nothing to say.
        lines: A label and a cell for each round.
    """

    title: str
    note: str
    rounds: Sequence[str]
    lines: Sequence[tuple[str, Sequence[str]]]


def score_sections(sheet: StoredScores) -> list[Section]:
    """Return a section for each score of a sheet, in the order of their making."""
    names = dict.fromkeys(
        name
        for told in sheet.figures.values()
        for name, figures in told.items()
        if isinstance(figures, Mapping)
    )
    return [_section(sheet, name) for name in names]


def rows_by_round(sheet: StoredScores) -> dict[int, int]:
    """Return how many rows there were when the scores were made."""
    return {number: told["rows"] for number, told in sheet.figures.items() if "rows" in told}


def judges(sheet: StoredScores) -> list[str]:
    """Return the judges that were asked."""
    told = (sheet.settings.get(name, {}).get("judge") for name in JUDGED)
    return [*dict.fromkeys(judge for judge in told if judge)]


def _section(sheet: StoredScores, name: str) -> Section:
    by_round = sheet.rounds_with(name)
    cells = {number: dict(_cells(name, figures)) for number, figures in by_round.items()}
    fullest = sorted(cells.values(), key=len, reverse=True)
    labels = dict.fromkeys(label for told in fullest for label in told)
    return Section(
        _TITLES.get(name, name.replace("_", " ").capitalize()),
        _note(name, sheet.settings.get(name, {})),
        [round_label(number) for number in by_round],
        [(label, [told.get(label, "–") for told in cells.values()]) for label in labels],
    )


def _cells(name: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of a round's figures; a mean stands with its interval and its rows."""
    if figures.get("mean") is not None:
        yield "mean, 95 % interval", _mean(figures)
    known = _LABELS.get(name, {})
    rest = {key: value for key, value in figures.items() if key not in _OF_A_MEAN}
    for key in [key for key, value in rest.items() if is_mean(value)]:
        yield f"{known.get(key, key)}: mean, 95 % interval", _mean(rest.pop(key))
    for key, value in flat_numbers(rest).items():
        yield known.get(key, key.replace("levels.", "").replace("_", " ")), _number(value)
    if "scored" in figures or {*figures} == {"unscored"}:
        scored = figures.get("scored", 0)
        yield "rows scored / unscored", f"{scored:,} / {figures.get('unscored', 0):,}"
    elif "unscored" in figures:
        yield "rows unscored", f"{figures['unscored']:,}"


def _mean(figures: Mapping[str, Any]) -> str:
    if not figures.get("interval"):
        return _number(figures["mean"])
    low, high = figures["interval"]
    return f"{_number(figures['mean'])} ({_number(low)}–{_number(high)})"


def _number(value: float) -> str:
    """Return a number in three digits that count or more, large and whole ones with separators."""
    if not math.isfinite(value):
        return "–"
    is_plain = 1000 <= abs(value) < 1e12 or (abs(value) < 1e12 and value == int(value))
    return f"{value:,.0f}" if is_plain else f"{value:.3g}"


def _note(name: str, settings: Mapping[str, Any]) -> str:
    model = "judge" if name in JUDGED else "embedding" if name == "neighbours" else "model"
    labels = {"judge": model, **_WENT_BY}
    told = {label: settings[key] for key, label in labels.items() if settings.get(key)}
    return " · ".join(f"{label}: {value}" for label, value in told.items())
