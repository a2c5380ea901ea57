"""Pictures of several runs: outcomes, levels, means, losses, cost against quality."""

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autoevol.experiments.compare.runs import ComparedRun, last_mean, shared_means, sharing
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

_FATES = {"kept": SERIES[0], "failed": SERIES[1], "unscored": "#cdd5de"}


def draw_comparison(runs: Sequence[ComparedRun]) -> dict[str, Any]:
    """Return the pictures that several runs allow, by name."""
    if not runs:
        return {}
    found = {name: draw(runs) for name, draw in DRAWN.items()}
    return {name: figure for name, figure in found.items() if figure}


def draw_outcomes(figures: Mapping[str, Any]) -> Any:
    """Return wins, ties and losses as one bar, its inner borders with their 95 % intervals.

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
    _whisker(axes, 0.14, (win["value"], win["low"], win["high"]))
    _whisker(axes, -0.14, (1 - lose["value"], 1 - lose["high"], 1 - lose["low"]))
    axes.grid(visible=False)
    axes.set(xlim=(0, 1), xlabel="share of scored pairs; 95 % intervals of wins (above) and losses")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure


def draw_rounds(runs: Sequence[ComparedRun]) -> Any:
    """Return what became of the rows that entered each round, a panel for each run."""
    drawn = runs[:MOST_PANELS]
    size = (max(7.0, 2.9 * len(drawn)), 3.0)
    figure, all_axes = panels(len(drawn), size=size, sharey=True)
    for run, axes in zip(drawn, all_axes, strict=True):
        rounds = run.summary["rounds"]
        places, bottom = [str(each["round"]) for each in rounds], [0] * len(rounds)
        for fate, colour in _FATES.items():
            counts = [each[fate] for each in rounds]
            axes.bar(places, counts, bottom=bottom, color=colour, label=fate, width=0.65)
            bottom = [start + count for start, count in zip(bottom, counts, strict=True)]
        axes.grid(visible=False, axis="x")
        axes.set(title=run.name, xlabel="round")
    all_axes[0].set_ylabel("rows that entered")
    figure.legend(*all_axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    _say_cut(figure, len(drawn), len(runs))
    return figure


def draw_rules(runs: Sequence[ComparedRun]) -> Any:
    """Return the share of entered rows that each rule stopped, the rules on one axis for all runs.

    None: no rule stopped any.
    """
    drawn = runs[:MOST_PANELS]
    counts = [_by_rule(run) for run in drawn]
    names = [*dict.fromkeys(name for each in counts for name in each)]
    if not names:
        return None
    size = (max(7.0, 2.6 + 2.1 * len(drawn)), 1.2 + 0.28 * len(names))
    figure, all_axes = panels(len(drawn), size=size, sharex=True, sharey=True)
    for run, found, axes in zip(drawn, counts, all_axes, strict=True):
        entered = sum(each["entered"] for each in run.summary["rounds"]) or 1
        bars = axes.barh(names, [found.get(name, 0) / entered for name in names], color=SERIES[0])
        axes.bar_label(bars, [str(found.get(name) or "") for name in names], padding=2, fontsize=8)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.18)
        axes.set(title=run.name, xlabel="share of entered")
    all_axes[0].invert_yaxis()
    _say_cut(figure, len(drawn), len(runs))
    return figure


def draw_levels(runs: Sequence[ComparedRun]) -> Any:
    """Return the levels of difficulty, a row of panels for each run, a column for each round.

    None: there are no two runs with levels by the same judge.
    """
    places = sharing(runs, "difficulty")
    shared = [(runs[place].name, levels) for place in places if (levels := _levels(runs[place]))]
    if len(shared) < 2:
        return None
    held = shared[:MOST_PANELS]
    numbers = sorted({number for _, levels in held for number in levels})
    size = (max(7.0, 1.75 * len(numbers)), 0.9 + 1.35 * len(held))
    figure, all_axes = panels(len(numbers), len(held), size=size, sharex=True, sharey=True)
    for place, axes in enumerate(all_axes):
        line, column = divmod(place, len(numbers))
        name, levels = held[line]
        _level_panel(axes, levels.get(numbers[column]))
        if line == 0:
            axes.set_title(round_label(numbers[column]))
        if column == 0:
            told = textwrap.fill(name, _LABEL, max_lines=3, placeholder="…")
            axes.set_ylabel(told, color=INK, fontsize=8)
    _say_cut(figure, len(held), len(shared))
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
    for (name, numbers), axes in zip(shared.items(), all_axes, strict=False):
        for number in numbers:
            rounds = mean_rounds(runs[number].sheet, name)
            points = {n: point_of(told) for n, told in rounds.items()}
            heights = [value for value, _, _ in points.values()]
            bars, look = reach([*points.values()]), _look(number)
            places = [place + 0.05 * (number - (len(runs) - 1) / 2) for place in points]
            lines[number] = axes.errorbar(places, heights, yerr=bars, **look)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(title=name.rpartition(".")[2], xlabel="round (0: seeds)")
    _name_lines(figure, [(runs[number].name, lines[number]) for number in sorted(lines)])
    return figure


def draw_cost(runs: Sequence[ComparedRun]) -> Any:
    """Return quality against cost, a panel for each quality, a point with its interval a run.

    Cost is in USD where every run has a price, else in tokens. Quality is the share of lost rows,
    and the mean of each shared score in the last round.

    None: there are no rows.
    """
    label, costs = _costs(runs)
    drawn = _qualities(runs)
    if not drawn:
        return None
    figure, all_axes = _grid(len(drawn))
    named: dict[int, Any] = {}
    for (name, points), axes in zip(drawn.items(), all_axes, strict=False):
        for number, (cost, point) in enumerate(zip(costs, points, strict=True)):
            if point:
                line = axes.errorbar([cost], [point[0]], yerr=reach([point]), **_look(number))
                named.setdefault(number, line)
        axes.margins(x=0.25, y=0.15)
        axes.locator_params(axis="x", nbins=3)
        if label != _USD:
            axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set(title=name.rpartition(".")[2], xlabel=label)
    _name_lines(figure, [(runs[number].name, line) for number, line in sorted(named.items())])
    return figure


DRAWN: dict[str, Callable[[Sequence[ComparedRun]], Any]] = {
    "rounds": draw_rounds,
    "rules": draw_rules,
    "cost": draw_cost,
    "levels": draw_levels,
    "means": draw_means,
}
"""By name."""


def _whisker(axes: Any, height: float, point: Point) -> None:
    axes.errorbar([point[0]], [height], xerr=reach([point]), color=INK)


def _grid(count: int) -> tuple[Any, list[Any]]:
    """Return a figure with so many panels, at most three side by side."""
    columns = min(3, count)
    rows = math.ceil(count / columns)
    figure, all_axes = panels(columns, rows, size=(max(7.0, 2.9 * columns), 0.5 + 2.9 * rows))
    for axes in all_axes[count:]:
        axes.set_axis_off()
    return figure, all_axes


def _look(number: int) -> dict[str, Any]:
    """Return how the points of a run look, the same in every picture."""
    return {"color": SERIES[number % len(SERIES)], "marker": "osD^vP"[number % 6]}


def _name_lines(figure: Any, named: Sequence[tuple[str, Any]]) -> None:
    """Add a legend of runs; the texts are set afterwards, since a label with `_` is left out."""
    lines, places = [line for _, line in named], [str(number) for number in range(len(named))]
    legend = figure.legend(lines, places, loc="outside lower center", ncols=4)
    for text, (name, _) in zip(legend.get_texts(), named, strict=True):
        text.set_text(name)


def _say_cut(figure: Any, drawn: int, there: int) -> None:
    if drawn < there:
        figure.suptitle(f"the first {drawn} of {there} runs", color=SOFT)


def _qualities(runs: Sequence[ComparedRun]) -> dict[str, list[Point | None]]:
    """Return by quality a point for each run; None where a run has none to hold against others."""
    found = {"share of rewrites lost": [run.lost for run in runs]}
    for name, places in shared_means(runs).items():
        found[f"{name}, last round"] = [
            last_mean(run, name) if place in places else None for place, run in enumerate(runs)
        ]
    return {name: points for name, points in found.items() if any(points)}


def _costs(runs: Sequence[ComparedRun]) -> tuple[str, list[float]]:
    priced = [run.summary.get("cost_usd") for run in runs]
    if all(priced):
        return _USD, [float(cost) for cost in priced if cost]
    return "tokens in and out", [float(run.tokens) for run in runs]


def _by_rule(run: ComparedRun) -> dict[str, int]:
    stages = run.summary.get("failures_by_rule", {})
    return {f"{rule} ({stage})": n for stage, rules in stages.items() for rule, n in rules.items()}


def _levels(run: ComparedRun) -> dict[int, Mapping[str, int]]:
    return {
        number: told["levels"]
        for number, told in run.sheet.rounds_with("difficulty").items()
        if sum(told.get("levels", {}).values())
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
