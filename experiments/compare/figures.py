"""Pictures of several runs: outcomes, levels, means, losses, cost against quality."""

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autoevol.experiments.compare.runs import ComparedRun, last_mean, shared_means, sharing
from autoevol.experiments.compare.sides import stopped_by_rule
from autoevol.experiments.report.plots import INK, SERIES, SOFT, Point, panels, reach, round_label
from autoevol.experiments.report.score_figures import LEVEL_COLOURS
from autoevol.experiments.report.score_means import mean_rounds, point_of
from autoevol.metrics.quality.difficulty import LEVELS

_OUTCOMES = {"won": ("win", SERIES[0]), "tied": ("tie", "#cdd5de"), "lost": ("lose", SERIES[1])}
_USD = "USD"
_LABEL = 16
"""Letters of a run's name in a line beside its panels."""

MOST_PANELS = 24
"""Runs that have a panel of their own; a picture of more is too large to be drawn."""

_STATUSES = {"kept": SERIES[0], "failed": SERIES[1], "unscored": "#cdd5de"}


def draw_comparison(runs: Sequence[ComparedRun]) -> dict[str, Any]:
    """Return the pictures that several runs allow, by name."""
    if not runs:
        return {}
    figures = {name: draw(runs) for name, draw in DRAWN.items()}
    return {name: figure for name, figure in figures.items() if figure}


def draw_outcomes(figures: Mapping[str, Any]) -> Any:
    """Return wins, ties and losses as one bar, with 95 % intervals at its inner borders.

    None: no pair was decided.
    """
    if not figures["win"]:
        return None
    figure, (axes,) = panels(size=(7, 1.7))
    start = 0.0
    for name, (share, colour) in _OUTCOMES.items():
        value = figures[share]["value"]
        axes.barh([""], [value], left=start, color=colour, label=f"{name} {figures[name]}")
        start += value
    win, lose = figures["win"], figures["lose"]
    # Losses end at the right edge, so their interval is mirrored. Both are moved off the middle of
    # the bar, or they would hide each other.
    _draw_interval(axes, 0.14, (win["value"], win["low"], win["high"]))
    _draw_interval(axes, -0.14, (1 - lose["value"], 1 - lose["high"], 1 - lose["low"]))
    axes.grid(visible=False)
    axes.set(xlim=(0, 1), xlabel="share of scored pairs; 95 % intervals of wins (above) and losses")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure


def draw_rounds(runs: Sequence[ComparedRun]) -> Any:
    """Return the fate of the rows that entered each round, a panel for each run."""
    drawn = runs[:MOST_PANELS]
    size = (max(7.0, 2.9 * len(drawn)), 3.0)
    figure, all_axes = panels(len(drawn), size=size, sharey=True)
    for run, axes in zip(drawn, all_axes, strict=True):
        rounds = run.summary["rounds"]
        labels, bottom = [str(counts["round"]) for counts in rounds], [0] * len(rounds)
        for status, colour in _STATUSES.items():
            heights = [counts[status] for counts in rounds]
            axes.bar(labels, heights, bottom=bottom, color=colour, label=status, width=0.65)
            bottom = [start + height for start, height in zip(bottom, heights, strict=True)]
        axes.grid(visible=False, axis="x")
        axes.set(title=run.name, xlabel="round")
    all_axes[0].set_ylabel("rows that entered")
    figure.legend(*all_axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    _note_cut(figure, len(drawn), len(runs))
    return figure


def draw_rules(runs: Sequence[ComparedRun]) -> Any:
    """Return the share of entered rows that each rule stopped, the rules on one axis for all runs.

    None: no rule stopped any.
    """
    drawn = runs[:MOST_PANELS]
    counts = [_stopped(run) for run in drawn]
    names = [*dict.fromkeys(name for by_rule in counts for name in by_rule)]
    if not names:
        return None
    size = (max(7.0, 2.6 + 2.1 * len(drawn)), 1.2 + 0.28 * len(names))
    figure, all_axes = panels(len(drawn), size=size, sharex=True, sharey=True)
    for run, by_rule, axes in zip(drawn, counts, all_axes, strict=True):
        entered = sum(count["entered"] for count in run.summary["rounds"]) or 1
        shares = [by_rule.get(name, 0) / entered for name in names]
        bars = axes.barh(names, shares, color=SERIES[0])
        labels = [str(by_rule.get(name) or "") for name in names]
        axes.bar_label(bars, labels, padding=2, fontsize=8)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.18)
        axes.set(title=run.name, xlabel="share of entered")
    # barh puts the first name at the bottom. The axes are shared: one call turns them all.
    all_axes[0].invert_yaxis()
    _note_cut(figure, len(drawn), len(runs))
    return figure


def draw_levels(runs: Sequence[ComparedRun]) -> Any:
    """Return the levels of difficulty, a row of panels for each run, a column for each round.

    None: there are no two runs with levels by the same judge.
    """
    sharers = [runs[number] for number in sharing(runs, "difficulty")]
    by_run = [(run.name, levels) for run in sharers if (levels := _levels(run))]
    if len(by_run) < 2:
        return None
    drawn = by_run[:MOST_PANELS]
    numbers = sorted({number for _, levels in drawn for number in levels})
    size = (max(7.0, 1.75 * len(numbers)), 0.9 + 1.35 * len(drawn))
    figure, all_axes = panels(len(numbers), len(drawn), size=size, sharex=True, sharey=True)
    for panel, axes in enumerate(all_axes):
        line, column = divmod(panel, len(numbers))
        name, levels = drawn[line]
        _level_panel(axes, levels.get(numbers[column]))
        if line == 0:
            axes.set_title(round_label(numbers[column]))
        if column == 0:
            label = textwrap.fill(name, _LABEL, max_lines=3, placeholder="…")
            axes.set_ylabel(label, color=INK, fontsize=8)
    _note_cut(figure, len(drawn), len(by_run))
    return figure


def draw_means(runs: Sequence[ComparedRun]) -> Any:
    """Return mean scores against the round, a panel for each score, a line for each run.

    None: no score is in two runs by the same judge.
    """
    shared = shared_means(runs)
    if not shared:
        return None
    figure, all_axes = _grid(len(shared))
    lines: dict[int, Any] = {}
    # Not strict: a grid has whole rows, so there may be more panels than scores.
    for (name, numbers), axes in zip(shared.items(), all_axes, strict=False):
        for number in numbers:
            rounds = mean_rounds(runs[number].stored, name)
            points = {n: point_of(mean) for n, mean in rounds.items()}
            heights = [value for value, _, _ in points.values()]
            bars, style = reach([*points.values()]), _style(number)
            # Runs are moved apart a little, so that their error bars do not hide each other.
            positions = [n + 0.05 * (number - (len(runs) - 1) / 2) for n in points]
            lines[number] = axes.errorbar(positions, heights, yerr=bars, **style)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(title=name.rpartition(".")[2], xlabel="round (0: seeds)")
    _add_legend(figure, [(runs[number].name, lines[number]) for number in sorted(lines)])
    return figure


def draw_cost(runs: Sequence[ComparedRun]) -> Any:
    """Return quality against cost, a panel for each quality, a point with its interval a run.

    Cost is in USD where every run has a price, else in tokens. Quality is the share of lost rows,
    and the mean of each shared score in the last round.

    None: there are no rows.
    """
    label, costs = _costs(runs)
    qualities = _qualities(runs)
    if not qualities:
        return None
    figure, all_axes = _grid(len(qualities))
    lines: dict[int, Any] = {}
    for (name, points), axes in zip(qualities.items(), all_axes, strict=False):
        for number, (cost, point) in enumerate(zip(costs, points, strict=True)):
            if point:
                line = axes.errorbar([cost], [point[0]], yerr=reach([point]), **_style(number))
                lines.setdefault(number, line)
        axes.margins(x=0.25, y=0.15)
        axes.locator_params(axis="x", nbins=3)
        if label != _USD:
            axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set(title=name.rpartition(".")[2], xlabel=label)
    _add_legend(figure, [(runs[number].name, line) for number, line in sorted(lines.items())])
    return figure


DRAWN: dict[str, Callable[[Sequence[ComparedRun]], Any]] = {
    "rounds": draw_rounds,
    "rules": draw_rules,
    "cost": draw_cost,
    "levels": draw_levels,
    "means": draw_means,
}
"""By name."""


def _draw_interval(axes: Any, height: float, point: Point) -> None:
    axes.errorbar([point[0]], [height], xerr=reach([point]), color=INK)


def _grid(count: int) -> tuple[Any, list[Any]]:
    """Return a figure with so many panels, at most three side by side."""
    columns = min(3, count)
    rows = math.ceil(count / columns)
    figure, all_axes = panels(columns, rows, size=(max(7.0, 2.9 * columns), 0.5 + 2.9 * rows))
    for axes in all_axes[count:]:
        axes.set_axis_off()
    return figure, all_axes


def _style(number: int) -> dict[str, Any]:
    """Return the colour and marker of a run, the same in every picture."""
    return {"color": SERIES[number % len(SERIES)], "marker": "osD^vP"[number % 6]}


def _add_legend(figure: Any, runs: Sequence[tuple[str, Any]]) -> None:
    """Add a legend of runs: their names and lines."""
    # matplotlib leaves out labels that begin with `_`, so the names are set afterwards.
    lines, labels = [line for _, line in runs], [str(number) for number in range(len(runs))]
    legend = figure.legend(lines, labels, loc="outside lower center", ncols=4)
    for text, (name, _) in zip(legend.get_texts(), runs, strict=True):
        text.set_text(name)


def _note_cut(figure: Any, drawn: int, runs: int) -> None:
    """Say on a figure that it shows some of the runs only."""
    if drawn < runs:
        figure.suptitle(f"the first {drawn} of {runs} runs", color=SOFT)


def _qualities(runs: Sequence[ComparedRun]) -> dict[str, list[Point | None]]:
    """Return by quality a point for each run; None where a run's quality is not comparable."""
    qualities = {"share of rewrites lost": [run.lost for run in runs]}
    for name, members in shared_means(runs).items():
        qualities[f"{name}, last round"] = [
            last_mean(run, name) if number in members else None for number, run in enumerate(runs)
        ]
    return {name: points for name, points in qualities.items() if any(points)}


def _costs(runs: Sequence[ComparedRun]) -> tuple[str, list[float]]:
    prices = [run.summary.get("cost_usd") for run in runs]
    # A price of 0 counts as none: runs of local models all cost 0 USD, but not as many tokens.
    if all(prices):
        return _USD, [float(price) for price in prices if price]
    return "tokens in and out", [float(run.tokens) for run in runs]


def _stopped(run: ComparedRun) -> dict[str, int]:
    return {f"{rule} ({stage})": n for (stage, rule), n in stopped_by_rule(run.summary).items()}


def _levels(run: ComparedRun) -> dict[int, Mapping[str, int]]:
    """Return the counts of each level by round, of the rounds that have any."""
    return {
        number: figures["levels"]
        for number, figures in run.stored.rounds_with("difficulty").items()
        if sum(figures.get("levels", {}).values())
    }


def _level_panel(axes: Any, counts: Mapping[str, int] | None) -> None:
    axes.grid(visible=False, axis="x")
    axes.set(ylim=(0, 1.05))
    axes.set_xticks(range(len(LEVELS)), LEVELS, rotation=90, fontsize=8)
    if counts is None:
        axes.text(2, 0.5, "no rows", ha="center", va="center", color=SOFT)
        return
    shares = [counts[level] / sum(counts.values()) for level in LEVELS]
    axes.bar(range(len(LEVELS)), shares, color=[LEVEL_COLOURS[level] for level in LEVELS])
