"""Pictures of a run: the search, rows stopped by each rule, words added by each round."""

from collections.abc import Mapping, Sequence
from typing import Any

from autoevol.experiments.artifacts.funnel import Stopped
from autoevol.experiments.artifacts.search_record import SearchStep
from autoevol.experiments.report.plots import INK, SERIES, SOFT, panels, reach, round_label, shade
from autoevol.metrics import FailureRate


def draw_search(steps: Sequence[SearchStep]) -> Any:
    """Draw the failure rate on the dev rows over the steps; candidates are points.

    None: there were no steps.
    """
    if not steps:
        return None
    figure, (axes,) = panels(size=(7, 3.8))
    rates = [steps[0].incumbent.rate, *(step.best.rate for step in steps)]
    axes.errorbar(
        range(len(rates)),
        [rate.rate for rate in rates],
        yerr=reach([_point(rate) for rate in rates]),
        marker="o",
        label="best method, 95 % interval",
    )
    # Candidates stopped early were measured on some dev rows only: their rates do not compare.
    for is_pruned, marker, label in ((False, "x", "candidates"), (True, "|", "stopped early")):
        tried = [
            (number, proposal.measured.rate.rate)
            for number, step in enumerate(steps, start=1)
            for proposal in step.proposals
            if proposal.measured and proposal.is_pruned == is_pruned
        ]
        if tried:
            axes.scatter(*zip(*tried, strict=True), marker=marker, color=SOFT, label=label)
    axes.set(xlabel="step", ylabel="failure rate on dev rows", ylim=(-0.03, 1.03))
    axes.set_xticks(range(len(rates)))
    axes.legend()
    return figure


def draw_funnel(stopped: Sequence[Stopped]) -> Any:
    """Draw how many rows each rule stopped: a bar for each rule, a shade for each round.

    None: fewer than two rules stopped rows, and one bar says no more than a number.
    """
    if len(stopped) < 2:
        return None
    figure, (axes,) = panels(size=(7, 1.2 + 0.3 * len(stopped)))
    labels = [f"{bar.rule} ({bar.stage})" for bar in stopped]
    left = [0] * len(stopped)
    for number in sorted({number for bar in stopped for number in bar.by_round}):
        widths = [bar.by_round.get(number, 0) for bar in stopped]
        axes.barh(labels, widths, left=left, label=round_label(number), color=shade(number + 1))
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.bar_label(axes.containers[-1], labels=[str(total) for total in left], padding=3)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="rows stopped", xlim=(0, 1.1 * max(left)))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def draw_added_words(added: Mapping[int, Sequence[float]]) -> Any:
    """Draw how many words each round added to the rows that it kept, a box for each round.

    The box spans the middle half of the rows, its whiskers nine of ten; the point is the mean.

    None: fewer than two rounds have rows with a parent to compare with.
    """
    by_round = {number: counts for number, counts in sorted(added.items()) if len(counts)}
    if len(by_round) < 2:
        return None
    figure, (axes,) = panels(size=(7, 1.3 + 0.5 * len(by_round)))
    axes.boxplot(
        [*by_round.values()],
        orientation="horizontal",
        widths=0.55,
        whis=(5, 95),
        showfliers=False,
        showmeans=True,
        patch_artist=True,
        boxprops={"facecolor": "#dbe7f5", "edgecolor": SERIES[0]},
        whiskerprops={"color": SERIES[0]},
        capprops={"color": SERIES[0]},
        medianprops={"color": SERIES[0], "linewidth": 1.8},
        meanprops={"marker": "o", "markerfacecolor": INK, "markeredgecolor": "white"},
    )
    axes.set_yticks(range(1, len(by_round) + 1), [round_label(number) for number in by_round])
    axes.axvline(0, color=SOFT, linewidth=1)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="words added to the row's parent")
    return figure


def _point(rate: FailureRate) -> tuple[float, float, float]:
    return rate.rate, *rate.interval
