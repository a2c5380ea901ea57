"""Pictures of several runs: outcomes, levels, means, losses, cost against quality."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.comparison_runs import ComparedRun, is_shared, last_mean, shared_means
from experiments.drawing import INK, SERIES, SOFT, Point, panels, reach, round_label
from experiments.score_figures import LEVEL_COLOURS, mean_rounds, point_of
from metrics.difficulty import LEVELS

_OUTCOMES = {"won": ("win", SERIES[0]), "tied": ("tie", "#cdd5de"), "lost": ("lose", SERIES[1])}
_USD = "USD"
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
    size = (max(7.0, 2.9 * len(runs)), 3.0)
    figure, all_axes = panels(len(runs), size=size, sharey=True)
    for run, axes in zip(runs, all_axes, strict=True):
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
    return figure


def draw_rules(runs: Sequence[ComparedRun]) -> Any:
    """Return the share of entered rows that each rule stopped, the rules on one axis for all runs.

    None: no rule stopped any.
    """
    counts = [_by_rule(run) for run in runs]
    names = [*dict.fromkeys(name for each in counts for name in each)]
    if not names:
        return None
    size = (max(7.0, 2.6 + 2.1 * len(runs)), 1.2 + 0.28 * len(names))
    figure, all_axes = panels(len(runs), size=size, sharex=True, sharey=True)
    for run, found, axes in zip(runs, counts, all_axes, strict=True):
        entered = sum(each["entered"] for each in run.summary["rounds"]) or 1
        bars = axes.barh(names, [found.get(name, 0) / entered for name in names], color=SERIES[0])
        axes.bar_label(bars, [str(found.get(name) or "") for name in names], padding=2, fontsize=8)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.18)
        axes.set(title=run.name, xlabel="share of entered")
    all_axes[0].invert_yaxis()
    return figure


def draw_levels(runs: Sequence[ComparedRun]) -> Any:
    """Return the levels of difficulty, a row of panels for each run, a column for each round.

    None: there are no two runs with levels by the same judge.
    """
    if not is_shared(runs, "difficulty"):
        return None
    held = [(run.name, _levels(run)) for run in runs if _levels(run)]
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
            axes.set_ylabel(name, color=INK)
    return figure


def draw_means(runs: Sequence[ComparedRun]) -> Any:
    """Return mean scores against the round, a panel for each score, a line for each run.

    None: no score is in two runs by the same judge.
    """
    names = shared_means(runs)
    if not names:
        return None
    figure, all_axes = _grid(len(names))
    for name, axes in zip(names, all_axes, strict=False):
        for number, run in enumerate(runs):
            points = {n: point_of(told) for n, told in mean_rounds(run.sheet, name).items()}
            if points:
                heights = [value for value, _, _ in points.values()]
                bars, look = reach([*points.values()]), _look(number)
                places = [place + 0.05 * (number - (len(runs) - 1) / 2) for place in points]
                axes.errorbar(places, heights, yerr=bars, label=run.name, **look)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(title=name.rpartition(".")[2], xlabel="round (0: seeds)")
    figure.legend(*_handles(all_axes), loc="outside lower center", ncols=4)
    return figure


def draw_cost(runs: Sequence[ComparedRun]) -> Any:
    """Return quality against cost, a panel for each quality, a point with its interval a run.

    Cost is in USD where every run has a price, else in tokens. Quality is the share of lost rows,
    and the mean of each shared score in the last round.

    None: there are no rows.
    """
    label, costs = _costs(runs)
    qualities: dict[str, Callable[[ComparedRun], Point | None]] = {
        "share of rewrites lost": lambda run: run.lost,
        **{f"{name}, last round": _mean_of(name) for name in shared_means(runs)},
    }
    drawn = {name: points for name, of in qualities.items() if any(points := [*map(of, runs)])}
    if not drawn:
        return None
    figure, all_axes = _grid(len(drawn))
    for (name, points), axes in zip(drawn.items(), all_axes, strict=False):
        for number, (run, cost, point) in enumerate(zip(runs, costs, points, strict=True)):
            if point:
                axes.errorbar([cost], [point[0]], yerr=reach([point]), **_look(number))
                place = {"xytext": (6, 4), "textcoords": "offset points"}
                axes.annotate(run.name, (cost, point[0]), fontsize=8, **place)
        axes.margins(x=0.25, y=0.15)
        axes.locator_params(axis="x", nbins=4)
        if label != _USD:
            axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set(title=name, xlabel=label)
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


def _handles(all_axes: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """Return what a legend of all panels needs, each run once."""
    found = {
        label: handle
        for axes in all_axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    return [*found.values()], [*found]


def _mean_of(name: str) -> Callable[[ComparedRun], Point | None]:
    return lambda run: last_mean(run, name)


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
