"""`autoevol metric-check`: every rule set against rows that people have labelled."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from autoevol.experiments.judging.labelled import Labelled
from autoevol.metrics import RULE_SETS, broken, compose
from autoevol.metrics.stats.agreement import Confusion, confusion
from autoevol.metrics.stats.intervals import Estimate

FIGURES = ("precision", "recall", "specificity", "balanced_accuracy", "f1")
_Pairs = Sequence[tuple[bool, Labelled]]


def check_rule_sets(
    rows: Sequence[Labelled], judged: Mapping[str, frozenset[str]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the figures of each rule set.

    Args:
        rows: At least one.
        judged: For each row's id, the judge's rules that it breaks; None: no judge was asked, and
            the rules for a judge flag nothing.
    """
    return {name: _figures(_pairs(name, rows, judged or {})) for name in RULE_SETS}


def broken_rules(name: str, row: Labelled) -> tuple[str, ...]:
    """Return the rules of a set that a row breaks, at both stages, judges' rules aside."""
    found = broken(compose([name], "evolve"), row.rewrite)
    if row.case.response is not None:
        found += broken(compose([name], "respond"), row.case)
    return tuple(reason.rule for reason in found)


def table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the figures with their 95 % intervals as a table."""
    shown = Table("rule set", *(name.replace("_", " ") for name in FIGURES))
    for name, figures in found.items():
        shown.add_row(name, *(_cell(figures, column) for column in FIGURES))
    return shown


def kinds_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the recall by kind, rule sets side by side."""
    first = next(iter(found.values()))
    shown = Table("kind", "rows", *found)
    for kind, count in first["rows_by_kind"].items():
        cells = (f"{figures['recall_by_kind'][kind]:.2f}" for figures in found.values())
        shown.add_row(kind, str(count), *cells)
    return shown


def groups_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the balanced accuracy by language and domain, and without the unsure rows."""
    first = next(iter(found.values()))
    shown = Table("balanced accuracy", "rows", *found)
    for group, of_first in first["groups"].items():
        cells = (_number(f["groups"][group]["balanced_accuracy"]) for f in found.values())
        shown.add_row(group, str(of_first["rows"]), *cells)
    return shown


def _pairs(
    name: str, rows: Sequence[Labelled], judged: Mapping[str, frozenset[str]]
) -> list[tuple[bool, Labelled]]:
    mine = set(RULE_SETS[name])
    return [(bool(broken_rules(name, r) or mine & judged.get(r.id, frozenset())), r) for r in rows]


def _figures(pairs: _Pairs) -> dict[str, Any]:
    kinds = sorted({kind for _, row in pairs for kind in row.kinds})
    by_kind = {kind: [flagged for flagged, row in pairs if kind in row.kinds] for kind in kinds}
    return {
        **_agreement(pairs),
        "recall_by_kind": {kind: sum(flags) / len(flags) for kind, flags in by_kind.items()},
        "rows_by_kind": {kind: len(flags) for kind, flags in by_kind.items()},
        "groups": {name: _agreement(found) for name, found in _groups(pairs).items()},
    }


def _groups(pairs: _Pairs) -> dict[str, _Pairs]:
    """Return the rows by language, by domain, and those that their reader was sure of."""
    of: dict[str, Callable[[Labelled], str]] = {
        "language": lambda row: row.lang,
        "domain": lambda row: row.domain,
    }
    found: dict[str, _Pairs] = {
        f"{name} {value}": [pair for pair in pairs if key(pair[1]) == value]
        for name, key in of.items()
        for value in sorted({key(row) for _, row in pairs})
    }
    return {**found, "sure labels only": [pair for pair in pairs if pair[1].is_sure]}


def _agreement(pairs: _Pairs) -> dict[str, Any]:
    counted = confusion((flagged, row.failed) for flagged, row in pairs)
    found = {name: _estimate(counted, name) for name in FIGURES}
    values = {name: each.value if each else None for name, each in found.items()}
    intervals = {name: each.interval if each else None for name, each in found.items()}
    return {**values, "intervals": intervals, "rows": len(pairs)}


def _estimate(counted: Confusion, name: str) -> Estimate | None:
    found: Estimate | None = getattr(counted, name)
    return found


def _cell(figures: Mapping[str, Any], name: str) -> str:
    value, interval = figures[name], figures["intervals"][name]
    return str(Estimate(value, interval)) if value is not None else "–"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
