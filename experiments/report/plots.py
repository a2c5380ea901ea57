"""Style, panels and PNG files of all pictures; only this module imports matplotlib."""

import io
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.files.atomic import whole_path

INK, SOFT, LINE = "#1c2430", "#5c6b7f", "#dfe5ec"
SERIES = ("#2456a6", "#c8642b", "#2f8a6b", "#8453a0", "#a8892a", "#5c6b7f")
"""Colours of things without an order, for example runs."""

_DEPTHS = ("#9aa7b5", "#86b1de", "#4b86cc", "#1f56a0", "#0e2f63")
_HANGUL = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
)
_DOTS_PER_INCH = 150

Sharing = Literal["none", "all", "row", "col"] | bool

Point = tuple[float, float, float]
"""A value with the ends of its interval; nan if there is no interval."""


def panels(
    columns: int = 1,
    rows: int = 1,
    *,
    size: tuple[float, float] | None = None,
    sharex: Sharing = False,
    sharey: Sharing = False,
) -> tuple[Any, list[Any]]:
    """Return a new figure and its axes, row by row.

    Args:
        columns: Axes side by side.
        rows: Axes one below the other.
        size: Width and height in inches; None: as wide as a page.
        sharex: As in matplotlib's `subplots`.
        sharey: As in matplotlib's `subplots`.
    """
    # Loaded with the first picture: matplotlib is slow to import.
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams.update(_style())
    width, height = size or (max(7.0, 2.9 * columns), 3.4 * rows)
    # Not by pyplot, which looks for a display and keeps every figure.
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, [axes for row in grid for axes in row]


def shade(number: int) -> str:
    """Return the colour of a round, darker for later rounds; 0 is the seeds."""
    return _DEPTHS[min(number, len(_DEPTHS) - 1)]


def round_label(number: int) -> str:
    """Return a round's label on an axis."""
    return f"round {number}" if number else "seeds"


def reach(points: Sequence[Point]) -> list[list[float]]:
    """Return the lengths of the error bars below and above the values, for `errorbar`."""
    # nan is not equal to itself: a value without an interval keeps its nan.
    below = [low if low != low else max(0.0, value - low) for value, low, _ in points]
    above = [high if high != high else max(0.0, high - value) for value, _, high in points]
    return [below, above]


def png(figure: Any) -> bytes:
    """Return a figure as a PNG."""
    buffer = io.BytesIO()
    # A name in a script that no font on this machine has is drawn as boxes.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        # White, because the page inverts pictures in dark mode and prints them as they are.
        figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, facecolor="white")
    return buffer.getvalue()


def write_pictures(figures: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write figures as `NAME.png`, without those that are None, and return their paths."""
    paths = {name: folder / f"{name}.png" for name, figure in figures.items() if figure}
    for name, path in paths.items():
        with whole_path(path) as partial:
            partial.write_bytes(png(figures[name]))
    return paths


@cache
def _style() -> dict[str, Any]:
    from matplotlib.font_manager import get_font_names

    # Hangul fonts are fallbacks for glyphs that DejaVu lacks. matplotlib logs a warning for each
    # family that is not installed, so those are left out.
    installed = {*get_font_names()}
    return {
        "font.family": ["DejaVu Sans", *(name for name in _HANGUL if name in installed)],
        "font.size": 9.5,
        "text.color": INK,
        "text.parse_math": False,  # a "$" in a run's name is no formula
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.labelcolor": SOFT,
        "axes.edgecolor": "#b8c2ce",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.prop_cycle": f"cycler(color={[*SERIES]})",
        "grid.color": LINE,
        "grid.linewidth": 0.8,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "legend.frameon": False,
        "errorbar.capsize": 3,
    }
