"""Runs side by side: what became of their rows, what they cost, and how their rows score."""

import math
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from autoevol.experiments.compare.sides import Side
from autoevol.metrics.quality.difficulty import gap
from autoevol.metrics.stats.intervals import Estimate, share
from autoevol.metrics.stats.paired import mean_interval

_FIGURES = (
    *("rows_in", "rows_out", "rows_failed", "rows_unscored"),
    *("calls", "tokens_in", "tokens_out", "cost_usd", "wall_s"),
)
_RATES = ("failure_rate_heldout_initial", "failure_rate_heldout_best")


def tables(sides: Sequence[Side]) -> list[Table]:
    """Return what there is to say of runs without a judge; files have no figures of a run."""
    if not all(side.summary for side in sides):
        return []
    found = (summary_table(sides), funnel_table(sides), difference_table(sides))
    return [table for table in found if table is not None]


def summary_table(sides: Sequence[Side]) -> Table:
    """Return a column for each run: rows, calls, failure rates with intervals."""
    table = Table("run", *(side.name for side in sides))
    for name in _FIGURES:
        table.add_row(name, *(_cell(side.summary.get(name)) for side in sides))
    table.add_row("lost rows", *(_lost(side) for side in sides))
    table.add_row("lost, less the first's", "", *(_lost_more(s, sides[0]) for s in sides[1:]))
    for name in _RATES:
        table.add_row(name, *(_rate(side.summary.get(name)) for side in sides))
    return table


def funnel_table(sides: Sequence[Side]) -> Table | None:
    """Return how many rows each rule stopped, by run; None: no rule stopped any."""
    counts = [
        {
            f"{stage}: {rule}": count
            for stage, rules in side.summary.get("failures_by_rule", {}).items()
            for rule, count in rules.items()
        }
        for side in sides
    ]
    names = dict.fromkeys(name for each in counts for name in each)
    if not names:
        return None
    table = Table("rule", *(side.name for side in sides))
    for name in names:
        table.add_row(name, *(str(each.get(name, 0)) for each in counts))
    return table


def difference_table(sides: Sequence[Side]) -> Table | None:
    """Return the mean scores by round of the rows that all runs have, and how others differ.

    Rows are paired by id and by their seed's text. A score that different judges gave, or that
    went by other settings, is left out.
    None: there are no such rows with scores.
    """
    first, *others = sides
    held = [{(row.round, row.id, row.origin): row.scores for row in side.rows} for side in sides]
    shared = sorted(set.intersection(*({*each} for each in held)))
    names = dict.fromkeys(name for place in shared for name in held[0][place])
    table = Table("score", "rows", first.name, *(f"{side.name} − {first.name}" for side in others))
    for number in dict.fromkeys(place[0] for place in shared):
        for name in (name for name in names if _is_comparable(sides, name)):
            values = [
                [each[place][name] for each in held]
                for place in shared
                if place[0] == number and all(name in each[place] for each in held)
            ]
            if values:
                table.add_row(f"{name}, round {number}", *_cells(values))
    return table if table.row_count else None


def _is_comparable(sides: Sequence[Side], name: str) -> bool:
    first, *others = (side.went_by.get(name, {}) for side in sides)
    return all(each == first for each in others)


def _cells(values: Sequence[Sequence[float]]) -> list[str]:
    """Return rows, the first side's mean, and the others' mean differences with intervals."""
    mean = sum(each[0] for each in values) / len(values)
    others = range(1, len(values[0]))
    return [
        str(len(values)),
        f"{mean:.4g}",
        *(_difference([each[n] - each[0] for each in values]) for n in others),
    ]


def _difference(differences: Sequence[float]) -> str:
    mean, low, high = mean_interval(differences)
    told = f"{low:+.3g} to {high:+.3g}" if math.isfinite(low) else "too few rows for an interval"
    return f"{mean:+.3g} ({told})"


def _lost_share(side: Side) -> Estimate | None:
    failed, kept = side.summary["rows_failed"], side.summary["rows_out"]
    return share(failed, failed + kept)


def _lost(side: Side) -> str:
    """Return the share of scored rewrites that were lost, with its interval."""
    found = _lost_share(side)
    if found is None:
        return "–"
    low, high = found.interval
    return f"{found.value:.1%} ({low:.0%}–{high:.0%})"


def _lost_more(side: Side, first: Side) -> str:
    """Return by how much a run's share of lost rows differs from the first's."""
    found = gap(_lost_share(side), _lost_share(first))
    if found is None:
        return "–"
    low, high = found.interval
    return f"{found.value:+.1%} ({low:+.0%} to {high:+.0%})"


def _rate(rate: dict[str, Any] | None) -> str:
    if not rate:
        return "–"
    return f"{rate['rate']:.0%} ({rate['failed']} of {rate['scored']})"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
