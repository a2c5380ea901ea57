"""Pictures of a study: what each arm taught, and the learning curve."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.report.plots import SERIES, SOFT, panels, reach, write_pictures
from autoevol.experiments.study.figures import CellFigures
from autoevol.metrics.stats.crossed import CrossedMean

_LINE_INCHES = 0.42
CURVE = "curve-"


def write_study_pictures(folder: Path, figures: Sequence[CellFigures], task: str) -> list[Path]:
    """Write `arms.png` and `curve.png`, those that show something; return their paths.

    Args:
        folder: Gets them.
        figures: Of all cells.
        task: The one that decides.
    """
    for name in ("arms", "curve"):
        (folder / f"{name}.png").unlink(missing_ok=True)  # of an earlier study
    own = [cell for cell in figures if cell.task == task and cell.value]
    drawn = {"arms": draw_arms(own, task), "curve": draw_curve(own, task)}
    return list(write_pictures(drawn, folder).values())


def draw_arms(figures: Sequence[CellFigures], task: str) -> Any:
    """Draw each arm's difference to the baseline, in pairs, with those of its training seeds.

    Means of arms say little beside each other: their intervals are as wide as questions differ.
    None: nothing to draw.
    """
    shown = [cell for cell in figures if not cell.condition.startswith(CURVE)]
    compared = [(cell, cell.difference) for cell in shown if cell.difference]
    if not compared:
        return None
    figure, (axes,) = panels(size=(7.5, 1.3 + _LINE_INCHES * len(compared)))
    names = [f"{cell.arm}, {cell.condition}" for cell, _ in compared]
    means = [difference for _, difference in compared]
    values = [mean.value for mean in means]
    axes.axvline(0, color=SOFT, linewidth=1)
    axes.errorbar(values, names, xerr=reach([*map(_point, means)]), fmt="o", color=SERIES[0])
    for place, mean in enumerate(means):
        axes.plot(mean.seeds, [place] * len(mean.seeds), "|", color=SOFT, markersize=11)
    axes.set(
        xlabel=f"{task}: difference to {shown[0].arm}, 95 % interval; strokes are training seeds"
    )
    axes.set_ylim(len(compared) - 0.5, -0.5)
    return figure


def draw_curve(figures: Sequence[CellFigures], task: str) -> Any:
    """Draw each arm's mean against the number of its rows. None: there is no curve."""
    points: dict[str, list[tuple[int, CrossedMean]]] = {}
    for cell in figures:
        if cell.condition.startswith(CURVE) and cell.value:
            count = int(cell.condition.removeprefix(CURVE))
            points.setdefault(cell.arm, []).append((count, cell.value))
    if not points:
        return None
    figure, (axes,) = panels(size=(7, 3.6))
    for number, (arm, own) in enumerate(points.items()):
        own.sort(key=lambda point: point[0])
        rows, means = [n for n, _ in own], [mean for _, mean in own]
        axes.errorbar(
            rows,
            [mean.value for mean in means],
            yerr=reach([*map(_point, means)]),
            fmt="o-",
            color=SERIES[number % len(SERIES)],
            label=arm,
        )
    sizes = sorted({count for own in points.values() for count, _ in own})
    axes.set(xlabel="rows", ylabel=task, xticks=sizes)
    axes.legend()
    return figure


def _point(mean: CrossedMean) -> tuple[float, float, float]:
    return mean.value, mean.low, mean.high
