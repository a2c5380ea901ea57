"""The figures of `metric-check` as tables that fit 80 columns; `--json` has all of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Column, Table

from autoevol.experiments.judging.metric_check import Classes
from autoevol.metrics.stats.intervals import Estimate

Agreements = Mapping[str, Mapping[str, Any]]
"""The figures of each rule set."""

_FIGURES = ("recall", "specificity", "balanced_accuracy")
_SUSPECTS = ("recall_failed", "suspected_good", "suspected_precision")
_OWN = "strict"
"""Our own rule set, alone or with witnesses; the others are earlier ones and published systems'."""


def tables(agreements: Agreements, classes: Classes, by: str) -> Iterator[Table]:
    """Yield the figures of all rule sets, then those of ours alone: suspects, kinds, groups.

    Args:
        agreements: Of all rule sets.
        classes: Of the sources' evolvers.
        by: What the rows are grouped by.
    """
    yield _figures("rule set", agreements, _FIGURES)
    own = {name: figures for name, figures in agreements.items() if name.split("+")[0] == _OWN}
    suspecting = {name: figures for name, figures in own.items() if _suspects(figures)}
    if suspecting:
        yield _figures("suspects", suspecting, _SUSPECTS)
    yield _kinds(own)
    yield _groups(agreements[_OWN], classes, by)


def summary_line(agreements: Agreements) -> str:
    """Return the worst source of our rule set in a line; "" where there is none to compare."""
    worst = agreements[_OWN]["worst_source"]
    if worst is None:
        return ""
    return (
        f"{_OWN}: least specificity over sources: {worst['specificity']:.2f} ({worst['source']}, "
        f"{worst['good_rows']} good rows)"
    )


def _figures(title: str, agreements: Agreements, columns: tuple[str, ...]) -> Table:
    lines = Table(Column(title, no_wrap=True), *map(_words, columns))
    for name, figures in agreements.items():
        lines.add_row(name, *(_with_interval(figures, column) for column in columns))
    return lines


def _suspects(figures: Mapping[str, Any]) -> bool:
    return bool(figures["suspected_good"]) or figures["suspected_precision"] is not None


def _kinds(agreements: Agreements) -> Table:
    """Return the recall by failure kind, a column for each rule set."""
    lines = Table(Column("recall of a kind", no_wrap=True), "rows", *agreements)
    kinds = next(iter(agreements.values()))["rows_by_kind"]
    for kind, count in kinds.items():
        cells = (_number(figures["recall_by_kind"][kind]) for figures in agreements.values())
        lines.add_row(kind, str(count), *cells)
    return lines


def _groups(figures: Mapping[str, Any], classes: Classes, by: str) -> Table:
    """Return the figures of one rule set by source, language, domain, kind or confidence."""
    lines = Table(Column(f"{_OWN}, by {by}", overflow="fold"), "rows", *map(_words, _FIGURES))
    if by == "source":
        lines.add_column("evolver", no_wrap=True)
    for key, group in figures["groups"].items():
        kind, _, value = key.partition(" ")
        if kind != by:
            continue
        look = classes.looks.get(value) if by == "source" else None
        note = [f"{look.evolver_class} ({look.kept:.2f})"] if look else []
        cells = (_number(group[column]) for column in _FIGURES)
        lines.add_row(value, str(group["rows"]), *cells, *note)
    return lines


def _words(name: str) -> str:
    return name.replace("_", " ")


def _with_interval(figures: Mapping[str, Any], name: str) -> str:
    value, interval = figures[name], figures["intervals"][name]
    return "–" if value is None else str(Estimate(value, interval))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
