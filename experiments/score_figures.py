"""Figures of a set's scores, drawn without a display: difficulty, means, distances by round."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from experiments.score_book import ScoreBook
from metrics.difficulty import LEVELS

Draw = Callable[[ScoreBook], Any]
"""Returns a matplotlib figure; None where the book has nothing to draw."""

_COLOURS = dict(zip(LEVELS, ("#d9ecd5", "#f6e8b1", "#f3b562", "#d9683c", "#8c1f28"), strict=True))
"""From easy to hard, also without colours."""

_MEANS = ("difficulty", "complexity", "chain", "grade", "reward")


def write_figures(book: ScoreBook, folder: Path) -> list[Path]:
    """Write the figures that the scores allow as PNG files into `folder`; return their paths."""
    figures = {name: draw(book) for name, draw in DRAWN.items()}
    return [_saved(figure, folder / f"{name}.png") for name, figure in figures.items() if figure]


def draw_levels(book: ScoreBook) -> Any:
    """Return the share of each level of difficulty by round, as stacked bars."""
    found = {
        _label(number): figures["difficulty"]["levels"]
        for number, figures in sorted(book.figures.items())
        if sum(figures.get("difficulty", {}).get("levels", {}).values())
    }
    if not found:
        return None
    figure, axes = _axes()
    bottom = [0.0] * len(found)
    for level in LEVELS:
        shares = [counts[level] / sum(counts.values()) for counts in found.values()]
        axes.bar([*found], shares, bottom=bottom, label=level, color=_COLOURS[level])
        bottom = [start + share for start, share in zip(bottom, shares, strict=True)]
    axes.set(ylabel="share of scored rows", ylim=(0, 1))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_means(book: ScoreBook) -> Any:
    """Return the models' mean scores by round with 95 % intervals, a panel for each score."""
    names = [name for name in _MEANS if any(_means(book, name))]
    if not names:
        return None
    figure, panels = _axes(len(names))
    for name, axes in zip(names, panels if len(names) > 1 else [panels], strict=True):
        points = {
            n: told
            for n, told in zip(sorted(book.figures), _means(book, name), strict=True)
            if told
        }
        means = [told["mean"] for told in points.values()]
        axes.errorbar([*points], means, yerr=_bars(points), marker="o", capsize=3)
        axes.set_xticks([*points])
        axes.set(title=name, xlabel="round (0: seeds)")
    return figure


def draw_distances(book: ScoreBook) -> Any:
    """Return how far rows are from their nearest neighbour, a line for each round."""
    found = {
        _label(number): distances
        for number, rows in sorted(book.rounds.items())
        if (distances := [d for row in rows if (d := _distance(book, row.id)) is not None])
    }
    if not found:
        return None
    figure, axes = _axes()
    for label, distances in found.items():
        axes.hist(distances, bins=20, range=(0, 2), histtype="step", density=True, label=label)
    axes.set(xlabel="distance to the nearest neighbour (MND)", ylabel="density", xlim=(0, 2))
    axes.legend()
    return figure


def draw_words(book: ScoreBook) -> Any:
    """Return the mean words of instructions and responses by round."""
    found = {
        n: figures["length"] for n, figures in sorted(book.figures.items()) if "length" in figures
    }
    if not found:
        return None
    figure, axes = _axes()
    for name, label in (("words", "instruction"), ("response_words", "response")):
        points = {_label(n): told[name] for n, told in found.items() if told[name] is not None}
        if points:
            axes.plot([*points], [*points.values()], marker="o", label=label)
    axes.set(ylabel="words, mean", ylim=(0, None))
    axes.legend()
    return figure


DRAWN: dict[str, Draw] = {
    "score_difficulty": draw_levels,
    "score_means": draw_means,
    "score_distances": draw_distances,
    "score_words": draw_words,
}
"""By the file's name."""


def _axes(panels: int = 1) -> Any:
    """Return a figure and its axes, a list of them if there are several panels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(1, panels, figsize=(max(7, 3.2 * panels), 3.6), layout="constrained")


def _saved(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot

    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return path


def _means(book: ScoreBook, name: str) -> list[Mapping[str, Any] | None]:
    told = [book.figures[number].get(name, {}) for number in sorted(book.figures)]
    return [each if each.get("mean") is not None else None for each in told]


def _bars(points: Mapping[int, Mapping[str, Any]]) -> list[list[float]]:
    """Return how far the intervals reach below and above the means; nothing without one."""
    pairs = [(told["mean"], told["interval"] or (math.nan, math.nan)) for told in points.values()]
    return [[mean - low for mean, (low, _) in pairs], [high - mean for mean, (_, high) in pairs]]


def _distance(book: ScoreBook, identity: str) -> float | None:
    value = book.values.get(identity, {}).get("neighbours", {}).get("mnd")
    return value if isinstance(value, float) else None


def _label(number: int) -> str:
    return f"round {number}" if number else "seeds"
