"""Tables of scores, one for each score: headings in words, a column for each round."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.config.scoring.scores import JUDGED
from autoevol.experiments.files.trees import flat_numbers
from autoevol.experiments.report.plots import round_label
from autoevol.experiments.report.score_means import is_mean
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
        "distinct_1": "distinct words, share",
        "distinct_2": "distinct pairs of words, share",
        "distinct_3": "distinct triples of words, share",
        "compression": "compression ratio",
    },
    "neighbours": {
        "mnd": "distance to the nearest row, mean",
        "mnd_median": "distance to the nearest row, median",
        "close_neighbours": "rows with a close neighbour",
    },
    "overlap": {"copies": "copies of another row"},
    "ifd": {
        "ifd": "IFD",
        "ic_ifd": "IC-IFD",
        "misleading": "rows with IFD above 1",
        "cut": "responses too long for the model, cut",
    },
    "solver": {
        "strong_solver": "by the strong solver",
        "solver_gap": "strong solver's rate minus the solver's",
    },
    "growth": {"within_budget": "share that adds 10 to 20 words"},
    "tags": {
        "complexity": "tags of a row, mean",
        "diversity": "distinct tags per row, of 100 rows",
        "coverage": "share of all tags",
    },
}
_OF_A_MEAN = ("mean", "interval", "scored", "unscored")
_NOTED_SETTINGS = {"embedding": "embedding", "sample": "seeds drawn", "check": "result that counts"}


@dataclass(frozen=True, slots=True)
class ScoreSection:
    """The table of one score.

    Attributes:
        note: Its judge, model or other settings; "" if it has none.
        rounds: Column headings.
        lines: A label, and a cell for each round.
    """

    title: str
    note: str
    rounds: Sequence[str]
    lines: Sequence[tuple[str, Sequence[str]]]


def score_sections(scores: StoredScores) -> list[ScoreSection]:
    """Return a section for each score, in the order they were computed."""
    names = dict.fromkeys(
        name
        for by_score in scores.figures.values()
        for name, figures in by_score.items()
        if isinstance(figures, Mapping)
    )
    return [_section(scores, name) for name in names]


def rows_by_round(scores: StoredScores) -> dict[int, int]:
    """Return the number of rows by round at the time when the scores were computed."""
    by_round = scores.figures.items()
    return {number: by_score["rows"] for number, by_score in by_round if "rows" in by_score}


def judges(scores: StoredScores) -> list[str]:
    """Return the judge models of the scores, each once."""
    names = (scores.settings.get(score, {}).get("judge") for score in JUDGED)
    return [*dict.fromkeys(name for name in names if name)]


def _section(scores: StoredScores, name: str) -> ScoreSection:
    by_round = scores.rounds_with(name)
    cells = {number: dict(_cells(name, figures)) for number, figures in by_round.items()}
    # The round with most figures sets the order; a round that lacks some would put them last.
    fullest_first = sorted(cells.values(), key=len, reverse=True)
    labels = dict.fromkeys(label for column in fullest_first for label in column)
    return ScoreSection(
        _TITLES.get(name, name.replace("_", " ").capitalize()),
        _note(name, scores.settings.get(name, {})),
        [round_label(number) for number in by_round],
        [(label, [column.get(label, "–") for column in cells.values()]) for label in labels],
    )


def _cells(name: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of a round's figures; a mean has its interval and its rows."""
    if figures.get("mean") is not None:
        yield "mean, 95 % interval", _mean(figures)
    labels = _LABELS.get(name, {})
    rest = {key: value for key, value in figures.items() if key not in _OF_A_MEAN}
    for key in [key for key, value in rest.items() if is_mean(value)]:
        yield f"{labels.get(key, key)}: mean, 95 % interval", _mean(rest.pop(key))
    for key, value in flat_numbers(rest).items():
        yield labels.get(key, key.replace("levels.", "").replace("_", " ")), _number(value)
    # A round in which no row was scored has no mean and no "scored", only "unscored".
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
    """Return a number with three significant digits; large and whole ones with all, separated."""
    if not math.isfinite(value):
        return "–"
    is_plain = 1000 <= abs(value) < 1e12 or (abs(value) < 1e12 and value == int(value))
    return f"{value:,.0f}" if is_plain else f"{value:.3g}"


def _note(name: str, settings: Mapping[str, Any]) -> str:
    # Settings name the model of every score "judge".
    model = "judge" if name in JUDGED else "embedding" if name == "neighbours" else "model"
    labels = {"judge": model, **_NOTED_SETTINGS}
    noted = {label: settings[key] for key, label in labels.items() if settings.get(key)}
    return " · ".join(f"{label}: {value}" for label, value in noted.items())
