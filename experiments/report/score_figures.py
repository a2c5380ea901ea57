"""Pictures of a set's scores by round: difficulty, means, lengths, histograms of row values."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autoevol.experiments.report.plots import panels, reach, round_label, shade
from autoevol.experiments.report.score_means import mean_rounds, point_of, score_means
from autoevol.experiments.scores.stored import StoredScores
from autoevol.metrics.quality.difficulty import LEVELS

Draw = Callable[[StoredScores], Any]
"""Returns a figure; None: the scores have nothing to draw."""

LEVEL_COLOURS = dict(
    zip(LEVELS, ("#d9ecd5", "#f6e8b1", "#f3b562", "#d9683c", "#8c1f28"), strict=True)
)
"""From easy to hard, roughly from light to dark, for print without colours."""

_BINS = 40
_DISTANCE = "distance to the nearest neighbour (MND)"
_BY_CONFIDENCE = {
    "ifd": "IFD: the answer's loss after the instruction / its loss alone",
    "ic_ifd": "IC-IFD: IFD / the instruction's loss",
    "confidence": "confidence: mean probability of the evolver's likeliest token",
}


_LEAST_ROUNDS = 2
"""A chart of a single point shows less than the number in the table."""


def score_figures(scores: StoredScores) -> dict[str, Any]:
    """Draw the figures for which there are scores, by file name."""
    figures = {name: draw(scores) for name, draw in DRAWN.items()}
    return {name: figure for name, figure in figures.items() if figure}


def draw_levels(scores: StoredScores) -> Any:
    """Draw the share of each level of difficulty by round, as stacked bars."""
    counts_by_round = {
        round_label(number): figures["levels"]
        for number, figures in scores.rounds_with("difficulty").items()
        if sum(figures.get("levels", {}).values())
    }
    if len(counts_by_round) < _LEAST_ROUNDS:
        return None
    figure, (axes,) = panels(size=(7, 3))
    bottom = [0.0] * len(counts_by_round)
    for level in LEVELS:
        shares = [counts[level] / sum(counts.values()) for counts in counts_by_round.values()]
        colour = LEVEL_COLOURS[level]
        axes.bar([*counts_by_round], shares, bottom=bottom, label=level, color=colour, width=0.6)
        bottom = [start + share for start, share in zip(bottom, shares, strict=True)]
    axes.grid(visible=False, axis="x")
    axes.set(ylabel="share of scored rows", ylim=(0, 1))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), reverse=True)
    return figure


def draw_means(scores: StoredScores) -> Any:
    """Draw the mean scores by round with 95 % intervals, a panel for each score."""
    names = [
        name for name in score_means(scores) if len(mean_rounds(scores, name)) >= _LEAST_ROUNDS
    ]
    if not names:
        return None
    columns = min(3, len(names))
    figure, all_axes = panels(columns, math.ceil(len(names) / columns))
    for axes in all_axes[len(names) :]:
        axes.set_axis_off()
    for name, axes in zip(names, all_axes, strict=False):
        points = {n: point_of(mean) for n, mean in mean_rounds(scores, name).items()}
        heights = [value for value, _, _ in points.values()]
        axes.errorbar([*points], heights, yerr=reach([*points.values()]), marker="o")
        axes.set_xticks([*points])
        axes.set(title=name.rpartition(".")[2], xlabel="round (0: seeds)")
    return figure


def draw_words(scores: StoredScores) -> Any:
    """Draw the mean words of instructions and responses by round."""
    lengths = scores.rounds_with("length")
    if len(lengths) < _LEAST_ROUNDS:
        return None
    figure, (axes,) = panels(size=(7, 3))
    for name, label in (("words", "instruction"), ("response_words", "response")):
        means = {round_label(n): figures[name] for n, figures in lengths.items()}
        points = {number: mean for number, mean in means.items() if mean is not None}
        if points:
            axes.plot([*points], [*points.values()], marker="o", label=label)
    axes.set(ylabel="words, mean", ylim=(0, None))
    axes.legend()
    return figure


def draw_distances(scores: StoredScores) -> Any:
    """Draw the distances of rows to their nearest neighbour, a histogram for each round."""
    by_round = scores.numbers.get("mnd", {})
    if not by_round:
        return None
    furthest = max(max(values) for values in by_round.values())
    # The vectors have length 1, so no two are more than 2 apart.
    return _histograms({_DISTANCE: by_round}, ends=(0.0, min(2.0, 1.15 * furthest + 0.05)))


def draw_confidence(scores: StoredScores) -> Any:
    """Draw histograms of IFD, IC-IFD and confidence, a panel for each."""
    values_by_label = {
        label: scores.numbers[name]
        for name, label in _BY_CONFIDENCE.items()
        if name in scores.numbers
    }
    return _histograms(values_by_label) if values_by_label else None


DRAWN: dict[str, Draw] = {
    "score_difficulty": draw_levels,
    "score_means": draw_means,
    "score_distances": draw_distances,
    "score_confidence": draw_confidence,
    "score_words": draw_words,
}
"""By file name."""


def _histograms(
    values_by_label: Mapping[str, Mapping[int, Sequence[float]]],
    ends: tuple[float, float] | None = None,
) -> Any:
    """Draw a panel for each label, with an outlined histogram for each round."""
    figure, all_axes = panels(1, len(values_by_label), size=(7, 3 * len(values_by_label)))
    for (label, by_round), axes in zip(values_by_label.items(), all_axes, strict=True):
        # The same ends, and so the same bins, for all rounds: else their shapes would not compare.
        low, high = ends or _ends_with_margin([v for values in by_round.values() for v in values])
        for number, values in by_round.items():
            _draw_histogram(axes, values, (low, high), number)
        axes.set(xlabel=label, ylabel="density", xlim=(low, high))
        axes.legend()
    return figure


def _draw_histogram(
    axes: Any, values: Sequence[float], ends: tuple[float, float], number: int
) -> None:
    # Densities, because rounds differ in their numbers of rows.
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
    # Equal values have no range, and a histogram needs one.
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin
