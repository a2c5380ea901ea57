"""Pictures of a set's scores by round: difficulty, means, words, and values row by row."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from autoevol.experiments.report.plots import Point, panels, reach, round_label, shade
from autoevol.experiments.scores.stored import StoredScores
from autoevol.metrics.quality.difficulty import LEVELS

Draw = Callable[[StoredScores], Any]
"""Returns a figure; None where the sheet has nothing to draw."""

LEVEL_COLOURS = dict(
    zip(LEVELS, ("#d9ecd5", "#f6e8b1", "#f3b562", "#d9683c", "#8c1f28"), strict=True)
)
"""From easy to hard; they also differ in lightness, for print without colours."""

_BINS = 40
_DISTANCE = "distance to the nearest neighbour (MND)"
_BY_CONFIDENCE = {
    "ifd": "IFD: the answer's loss after the instruction, to its loss alone",
    "ic_ifd": "IC-IFD: IFD to the loss of the instruction",
    "confidence": "confidence: mean probability of the evolver's likeliest token",
}


def score_figures(sheet: StoredScores) -> dict[str, Any]:
    """Return the pictures that the scores allow, by the file's name."""
    found = {name: draw(sheet) for name, draw in DRAWN.items()}
    return {name: figure for name, figure in found.items() if figure}


def draw_levels(sheet: StoredScores) -> Any:
    """Return the share of each level of difficulty by round, as stacked bars."""
    found = {
        round_label(number): told["levels"]
        for number, told in sheet.rounds_with("difficulty").items()
        if sum(told.get("levels", {}).values())
    }
    if not found:
        return None
    figure, (axes,) = panels(size=(7, 3))
    bottom = [0.0] * len(found)
    for level in LEVELS:
        shares = [counts[level] / sum(counts.values()) for counts in found.values()]
        colour = LEVEL_COLOURS[level]
        axes.bar([*found], shares, bottom=bottom, label=level, color=colour, width=0.6)
        bottom = [start + share for start, share in zip(bottom, shares, strict=True)]
    axes.grid(visible=False, axis="x")
    axes.set(ylabel="share of scored rows", ylim=(0, 1))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), reverse=True)
    return figure


def draw_means(sheet: StoredScores) -> Any:
    """Return the models' mean scores by round with 95 % intervals, a panel for each score."""
    names = score_means(sheet)
    if not names:
        return None
    columns = min(3, len(names))
    figure, all_axes = panels(columns, math.ceil(len(names) / columns))
    for axes in all_axes[len(names) :]:
        axes.set_axis_off()
    for name, axes in zip(names, all_axes, strict=False):
        points = {n: point_of(told) for n, told in mean_rounds(sheet, name).items()}
        heights = [value for value, _, _ in points.values()]
        axes.errorbar([*points], heights, yerr=reach([*points.values()]), marker="o")
        axes.set_xticks([*points])
        axes.set(title=name.rpartition(".")[2], xlabel="round (0: seeds)")
    return figure


def draw_words(sheet: StoredScores) -> Any:
    """Return the mean words of instructions and responses by round."""
    found = sheet.rounds_with("length")
    if not found:
        return None
    figure, (axes,) = panels(size=(7, 3))
    for name, label in (("words", "instruction"), ("response_words", "response")):
        points = {round_label(n): told[name] for n, told in found.items() if told[name] is not None}
        if points:
            axes.plot([*points], [*points.values()], marker="o", label=label)
    axes.set(ylabel="words, mean", ylim=(0, None))
    axes.legend()
    return figure


def draw_distances(sheet: StoredScores) -> Any:
    """Return the distances of rows to their nearest neighbour, a histogram for each round."""
    by_round = sheet.numbers.get("mnd", {})
    if not by_round:
        return None
    furthest = max(max(values) for values in by_round.values())
    return _histograms({_DISTANCE: by_round}, ends=(0.0, min(2.0, 1.15 * furthest + 0.05)))


def draw_confidence(sheet: StoredScores) -> Any:
    """Return how IFD, IC-IFD and log-probabilities are spread, a panel for each."""
    found = {
        label: sheet.numbers[name]
        for name, label in _BY_CONFIDENCE.items()
        if name in sheet.numbers
    }
    return _histograms(found) if found else None


DRAWN: dict[str, Draw] = {
    "score_difficulty": draw_levels,
    "score_means": draw_means,
    "score_distances": draw_distances,
    "score_confidence": draw_confidence,
    "score_words": draw_words,
}
"""By the file's name."""


def score_means(sheet: StoredScores) -> list[str]:
    """Return the figures that are means of rows, in the order of their making.

    A score with one mean gives its name, others are `score.figure`.
    """
    groups = (each for told in sheet.figures.values() for each in told.items())
    return [*dict.fromkeys(name for score, told in groups for name in _means_in(score, told))]


def mean_rounds(sheet: StoredScores, name: str) -> dict[int, Mapping[str, Any]]:
    """Return the rounds in which a figure has a mean."""
    score, _, figure = name.partition(".")
    by_round = sheet.rounds_with(score)
    held = {n: told.get(figure, {}) if figure else told for n, told in by_round.items()}
    return {number: told for number, told in held.items() if is_mean(told)}


def _means_in(score: str, told: Any) -> Iterator[str]:
    if is_mean(told):
        yield score
    if isinstance(told, Mapping):
        yield from (f"{score}.{figure}" for figure, each in told.items() if is_mean(each))


def is_mean(told: Any) -> bool:
    """Tell whether a group of figures is a mean with what belongs to it."""
    return isinstance(told, Mapping) and told.get("mean") is not None


def point_of(told: Mapping[str, Any]) -> Point:
    """Return a mean with its interval; nan where there is none."""
    low, high = told.get("interval") or (math.nan, math.nan)
    return told["mean"], low, high


def _histograms(
    values_by_label: Mapping[str, Mapping[int, Sequence[float]]],
    ends: tuple[float, float] | None = None,
) -> Any:
    """Return a panel for each label with an outlined histogram for each round."""
    figure, all_axes = panels(1, len(values_by_label), size=(7, 3 * len(values_by_label)))
    for (label, by_round), axes in zip(values_by_label.items(), all_axes, strict=True):
        low, high = ends or _ends_with_margin([v for values in by_round.values() for v in values])
        for number, values in by_round.items():
            _draw_histogram(axes, values, (low, high), number)
        axes.set(xlabel=label, ylabel="density", xlim=(low, high))
        axes.legend()
    return figure


def _draw_histogram(
    axes: Any, values: Sequence[float], ends: tuple[float, float], number: int
) -> None:
    axes.hist(
        values,
        bins=_BINS,
        range=ends,
        density=True,
        histtype="stepfilled",
        facecolor=(shade(number), 0.22),
        edgecolor=shade(number),
        linewidth=1.4,
        label=round_label(number),
    )


def _ends_with_margin(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis, with a margin beside the values."""
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin
