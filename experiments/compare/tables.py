"""Tables of runs side by side: their rows and costs, the rules that stopped rows, their scores."""

import math
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from autoevol.experiments.compare.shared_seeds import seeds_table
from autoevol.experiments.compare.sides import Side, lost_share, stopped_by_rule
from autoevol.metrics.quality.difficulty import gap
from autoevol.metrics.stats.paired import mean_interval

_FIGURES = (
    *("rows_in", "rows_out", "rows_failed", "rows_unscored"),
    *("calls", "tokens_in", "tokens_out", "cost_usd"),
)
_RATES = ("failure_rate_heldout_initial", "failure_rate_heldout_best")


def tables(sides: Sequence[Side]) -> list[Table]:
    """Return the tables that need no judge; none where a side is a file, which has no summary."""
    if not all(side.summary for side in sides):
        return []
    candidates = (
        seeds_table(sides),
        summary_table(sides),
        funnel_table(sides),
        difference_table(sides),
    )
    return [table for table in candidates if table is not None]


def summary_table(sides: Sequence[Side]) -> Table:
    """Return a column for each run: rows, calls, failure rates with intervals."""
    first, *others = sides
    table = Table("run", *(side.name for side in sides))
    for name in _FIGURES:
        table.add_row(name, *(_cell(side.summary.get(name)) for side in sides))
    table.add_row("time", *(_time(side.summary.get("wall_s")) for side in sides))
    table.add_row("loss rate", *(_loss_rate(side) for side in sides))
    differences = (_loss_difference(side, first) for side in others)
    table.add_row(f"loss rate, difference to {first.name}", "", *differences)
    for name in _RATES:
        table.add_row(name, *(_rate(side.summary.get(name)) for side in sides))
    return table


def funnel_table(sides: Sequence[Side]) -> Table | None:
    """Return how many rows each rule stopped, by run; None: no rule stopped any."""
    counts = [stopped_by_rule(side.summary) for side in sides]
    rules = dict.fromkeys(rule for by_rule in counts for rule in by_rule)
    if not rules:
        return None
    table = Table("rule", *(side.name for side in sides))
    for stage, rule in rules:
        table.add_row(f"{stage}: {rule}", *(str(n.get((stage, rule), 0)) for n in counts))
    return table


def difference_table(sides: Sequence[Side]) -> Table | None:
    """Return the first run's mean scores by round, and how the other runs' means differ.

    Only rows that all runs have are counted, paired by id and by their seed's text. A score that
    different judges gave, or that was made with other settings, is left out.
    None: there are no such rows with scores.
    """
    first, *others = sides
    scores = [{(row.round, row.id, row.origin): row.scores for row in side.rows} for side in sides]
    shared = sorted(set.intersection(*({*by_row} for by_row in scores)))
    names = dict.fromkeys(name for key in shared for name in scores[0][key])
    heads = [first.name, *(f"{side.name} − {first.name}" for side in others)]
    table = Table("score", "rows", *heads)
    for number in dict.fromkeys(key[0] for key in shared):
        for name in (name for name in names if _is_comparable(sides, name)):
            values = [
                [by_row[key][name] for by_row in scores]
                for key in shared
                if key[0] == number and all(name in by_row[key] for by_row in scores)
            ]
            if values:
                table.add_row(f"{name}, round {number}", *_difference_cells(values))
    return table if table.row_count else None


def _is_comparable(sides: Sequence[Side], name: str) -> bool:
    first, *others = (side.score_settings.get(name, {}) for side in sides)
    return all(settings == first for settings in others)


def _difference_cells(values: Sequence[Sequence[float]]) -> list[str]:
    """Return rows, the first run's mean, and the others' mean differences with intervals.

    Args:
        values: (rows, runs), at least one row.
    """
    mean = sum(row[0] for row in values) / len(values)
    others = range(1, len(values[0]))
    return [
        str(len(values)),
        f"{mean:.4g}",
        *(_difference([row[n] - row[0] for row in values]) for n in others),
    ]


def _difference(differences: Sequence[float]) -> str:
    mean, low, high = mean_interval(differences)
    is_finite = math.isfinite(low)
    interval = f"{low:+.3g} to {high:+.3g}" if is_finite else "too few rows for an interval"
    return f"{mean:+.3g} ({interval})"


def _loss_rate(side: Side) -> str:
    """Return the share of scored rewrites that were lost, with its interval."""
    lost = lost_share(side.summary)
    if lost is None:
        return "–"
    low, high = lost.interval
    return f"{lost.value:.1%} ({low:.0%}–{high:.0%})"


def _loss_difference(side: Side, first: Side) -> str:
    """Return a run's loss rate minus the first run's, with its interval."""
    difference = gap(lost_share(side.summary), lost_share(first.summary))
    if difference is None:
        return "–"
    low, high = difference.interval
    return f"{difference.value:+.1%} ({low:+.0%} to {high:+.0%})"


def _rate(rate: dict[str, Any] | None) -> str:
    if not rate:
        return "–"
    return f"{rate['rate']:.0%} ({rate['failed']} of {rate['scored']})"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f} s"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
