"""Figures of a run, drawn without a display."""

from collections.abc import Sequence
from pathlib import Path

from experiments.funnel import Stopped
from metrics import FailureRate
from program.records import StepRecord


def failure_rate_figure(steps: Sequence[StepRecord], path: Path) -> Path:
    """Draw the failure rate on the dev rows over the steps; candidates are points.

    Args:
        steps: At least one.
        path: A PNG or SVG file to write.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    rates = [steps[0].incumbent.failure_rate, *(step.best.failure_rate for step in steps)]
    axes.errorbar(
        range(len(rates)),
        [rate.rate for rate in rates],
        yerr=_bars(rates),
        marker="o",
        capsize=3,
        label="best method, 95 % interval",
    )
    for is_pruned, marker, label in ((False, "x", "candidates"), (True, "|", "stopped early")):
        tried = [
            (step.step + 1, candidate.failure_rate.rate)
            for step in steps
            for candidate in step.candidates
            if candidate.failure_rate and candidate.is_pruned == is_pruned
        ]
        if tried:
            axes.scatter(*zip(*tried, strict=True), marker=marker, color="tab:gray", label=label)
    axes.set(xlabel="step", ylabel="failure rate on dev rows", ylim=(-0.03, 1.03))
    axes.set_xticks(range(len(rates)))
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return path


def funnel_figure(stopped: Sequence[Stopped], path: Path) -> Path:
    """Draw how many rows each rule stopped: a bar for each rule, a shade for each round.

    Args:
        stopped: At least one, in the order of the table.
        path: A PNG or SVG file to write.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = (7, 1.2 + 0.3 * len(stopped))
    figure, axes = pyplot.subplots(figsize=size, layout="constrained")
    labels = [f"{each.rule} ({each.stage})" for each in stopped]
    left = [0] * len(stopped)
    for number in sorted({number for each in stopped for number in each.by_round}):
        widths = [each.by_round.get(number, 0) for each in stopped]
        axes.barh(labels, widths, left=left, label=f"round {number}")
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.bar_label(axes.containers[-1], labels=[str(total) for total in left], padding=3)
    axes.invert_yaxis()
    axes.set(xlabel="rows stopped", xlim=(0, 1.1 * max(left)))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return path


def _bars(rates: Sequence[FailureRate]) -> list[list[float]]:
    below = [max(0.0, rate.rate - rate.interval[0]) for rate in rates]
    above = [max(0.0, rate.interval[1] - rate.rate) for rate in rates]
    return [below, above]
