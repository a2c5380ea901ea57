"""The means among a set's scores: their names, their rounds, and their intervals."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from autoevol.experiments.report.plots import Point
from autoevol.experiments.scores.stored import StoredScores


def score_means(scores: StoredScores) -> list[str]:
    """Return the names of the figures that are means of rows, in the order they were computed.

    A score with one mean has its own name; the means of other scores are `score.figure`.
    """
    items = (item for by_score in scores.figures.values() for item in by_score.items())
    return [*dict.fromkeys(name for score, figures in items for name in _means_in(score, figures))]


def mean_rounds(scores: StoredScores, name: str) -> dict[int, Mapping[str, Any]]:
    """Return the rounds in which a figure has a mean."""
    score, _, figure = name.partition(".")
    by_round = scores.rounds_with(score)
    means = {n: group.get(figure, {}) if figure else group for n, group in by_round.items()}
    return {number: mean for number, mean in means.items() if is_mean(mean)}


def _means_in(score: str, figures: Any) -> Iterator[str]:
    if is_mean(figures):
        yield score
    if isinstance(figures, Mapping):
        yield from (f"{score}.{name}" for name, value in figures.items() if is_mean(value))


def is_mean(figures: Any) -> bool:
    """Tell whether a group of figures is a mean with its interval and its numbers of rows."""
    return isinstance(figures, Mapping) and figures.get("mean") is not None


def point_of(mean: Mapping[str, Any]) -> Point:
    """Return a mean with its interval; nan if it has none."""
    low, high = mean.get("interval") or (math.nan, math.nan)
    return mean["mean"], low, high
