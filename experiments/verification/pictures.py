"""Pictures of a verified set: the stages' account, and pass rates by kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.report.plots import INK, SERIES, SOFT, panels, reach, write_pictures
from autoevol.program.verification.funnel import StageCount

_STEP_INCHES = 0.34


def write_set_pictures(
    folder: Path, funnel: Sequence[StageCount], rates: Mapping[str, Mapping[str, float]]
) -> list[Path]:
    """Write `stages.png` and `pass_rates.png`, those that show something; return their paths."""
    for name in ("stages", "pass_rates"):
        (folder / f"{name}.png").unlink(missing_ok=True)  # of an earlier set
    figures = {"stages": draw_stages(funnel), "pass_rates": draw_pass_rates(rates)}
    return list(write_pictures(figures, folder).values())


def draw_stages(funnel: Sequence[StageCount]) -> Any:
    """Draw what left each stage, dark, and what was lost there, light, with the main reason.

    Each stage has the length of what entered it: the stages count different things. None: nothing
    entered any stage.
    """
    shown = [count for count in funnel if count.entered]
    if not shown:
        return None
    figure, (axes,) = panels(size=(8.5, 1.2 + _STEP_INCHES * len(shown)))
    names = [f"{count.stage} ({count.unit})" for count in shown]
    left = [count.left / count.entered for count in shown]
    axes.barh(names, left, color=SERIES[0], label="left")
    axes.barh(names, [1 - share for share in left], left=left, color="#d3dbe5", label="lost")
    for place, count in enumerate(shown):
        axes.text(1.01, place, _label(count), va="center", color=INK, fontsize=8.5)
    axes.set(xlim=(0, 1), xlabel="share of what entered the stage")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    return figure


def _label(count: StageCount) -> str:
    reason = next(iter(count.lost), "")
    main = f", most by {reason.replace('_', ' ')}" if reason else ""
    return f"{count.left:,} of {count.entered:,}{main}"


def draw_pass_rates(rates: Mapping[str, Mapping[str, float]]) -> Any:
    """Draw the share of answers that pass all verifiers of their constraint, by kind.

    Bars are 95 % intervals. None: there were no answers.
    """
    if not rates:
        return None
    figure, (axes,) = panels(size=(7, 1.2 + 0.28 * len(rates)))
    ordered = sorted(rates.items(), key=lambda item: item[1]["value"])
    points = [(rate["value"], rate["low"], rate["high"]) for _, rate in ordered]
    names = [f"{kind} ({rate['answers']:.0f})" for kind, rate in ordered]
    values = [value for value, _, _ in points]
    axes.errorbar(values, names, xerr=reach(points), fmt="o", color=SERIES[0], ecolor=SOFT)
    axes.set(xlim=(-0.03, 1.03), xlabel="share of answers that pass (number of answers)")
    return figure
