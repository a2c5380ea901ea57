"""`autoevol metric-check`: how well every rule set agrees with labelled rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from autoevol.experiments.judging.labelled import LabelledRow
from autoevol.metrics import RULE_SETS, broken, compose
from autoevol.metrics.stats.agreement import Confusion, confusion
from autoevol.metrics.stats.intervals import Estimate

FIGURES = ("precision", "recall", "specificity", "balanced_accuracy", "f1")
_Pairs = Sequence[tuple[bool, LabelledRow]]
"""Whether the rule set flags the row, and the row."""


def check_rule_sets(
    rows: Sequence[LabelledRow], judged: Mapping[str, frozenset[str]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the agreement of each rule set with the labels.

    Args:
        rows: At least one.
        judged: For each row's id, the judge rules that it breaks; None: no judge was asked, and
            the judge rules flag nothing.
    """
    return {name: _figures(_pairs(name, rows, judged or {})) for name in RULE_SETS}


def broken_rules(name: str, row: LabelledRow) -> tuple[str, ...]:
    """Return the rules of a set that a row breaks, at both stages, judge rules excluded."""
    reasons = broken(compose([name], "evolve"), row.rewrite)
    if row.case.response is not None:
        reasons += broken(compose([name], "respond"), row.case)
    return tuple(reason.rule for reason in reasons)


def table(agreements: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a line for each rule set: its figures with 95 % intervals."""
    lines = Table("rule set", *(name.replace("_", " ") for name in FIGURES))
    for name, figures in agreements.items():
        lines.add_row(name, *(_cell(figures, column) for column in FIGURES))
    return lines


def kinds_table(agreements: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the recall by failure kind, a column for each rule set."""
    first = next(iter(agreements.values()))
    lines = Table("kind", "rows", *agreements)
    for kind, count in first["rows_by_kind"].items():
        cells = (f"{figures['recall_by_kind'][kind]:.2f}" for figures in agreements.values())
        lines.add_row(kind, str(count), *cells)
    return lines


def groups_table(agreements: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the balanced accuracy by language, by domain, and without the unsure labels."""
    first = next(iter(agreements.values()))
    lines = Table("balanced accuracy", "rows", *agreements)
    for name, group in first["groups"].items():
        cells = (_number(f["groups"][name]["balanced_accuracy"]) for f in agreements.values())
        lines.add_row(name, str(group["rows"]), *cells)
    return lines


def _pairs(
    name: str, rows: Sequence[LabelledRow], judged: Mapping[str, frozenset[str]]
) -> list[tuple[bool, LabelledRow]]:
    members = set(RULE_SETS[name])
    return [
        (bool(broken_rules(name, row) or members & judged.get(row.id, frozenset())), row)
        for row in rows
    ]


def _figures(pairs: _Pairs) -> dict[str, Any]:
    kinds = sorted({kind for _, row in pairs for kind in row.kinds})
    by_kind = {kind: [flagged for flagged, row in pairs if kind in row.kinds] for kind in kinds}
    return {
        **_agreement(pairs),
        "recall_by_kind": {kind: sum(flags) / len(flags) for kind, flags in by_kind.items()},
        "rows_by_kind": {kind: len(flags) for kind, flags in by_kind.items()},
        "groups": {name: _agreement(members) for name, members in _groups(pairs).items()},
    }


def _groups(pairs: _Pairs) -> dict[str, _Pairs]:
    """Return the rows by language, by domain, and those with sure labels."""
    keys: dict[str, Callable[[LabelledRow], str]] = {
        "language": lambda row: row.lang,
        "domain": lambda row: row.domain,
    }
    groups: dict[str, _Pairs] = {
        f"{name} {value}": [pair for pair in pairs if key(pair[1]) == value]
        for name, key in keys.items()
        for value in sorted({key(row) for _, row in pairs})
    }
    return {**groups, "sure labels only": [pair for pair in pairs if pair[1].is_sure]}


def _agreement(pairs: _Pairs) -> dict[str, Any]:
    counts = confusion((flagged, row.failed) for flagged, row in pairs)
    estimates = {name: _estimate(counts, name) for name in FIGURES}
    values = {name: estimate.value if estimate else None for name, estimate in estimates.items()}
    intervals = {
        name: estimate.interval if estimate else None for name, estimate in estimates.items()
    }
    return {**values, "intervals": intervals, "rows": len(pairs)}


def _estimate(counts: Confusion, name: str) -> Estimate | None:
    estimate: Estimate | None = getattr(counts, name)
    return estimate


def _cell(figures: Mapping[str, Any], name: str) -> str:
    value, interval = figures[name], figures["intervals"][name]
    return str(Estimate(value, interval)) if value is not None else "–"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
