"""Accuracy of responses under their checks, strict and loose, with intervals.

Source of the four figures: IFEval, arXiv 2311.07911, section 3: by row (all its checks are kept)
and by check, each strict and loose. Higher is better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from autoevol.experiments.verification.response_checks import CheckedRow
from autoevol.metrics.stats.intervals import wilson
from autoevol.program.checks.checking import Finding


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A share with its interval.

    Attributes:
        kept: Of `checked`; what gave no result is in neither.
    """

    kept: int
    checked: int

    @property
    def value(self) -> float | None:
        """The share, in [0, 1]; None: nothing was checked."""
        return self.kept / self.checked if self.checked else None

    def as_json(self) -> dict[str, Any]:
        """Return the share, the ends of its 95 % interval (Wilson), and the counts."""
        low, high = wilson(self.kept, self.checked)
        counts = {"kept": self.kept, "checked": self.checked}
        return {"value": self.value, "low": low, "high": high, **counts}

    def __str__(self) -> str:
        if self.value is None:
            return "–"
        low, high = wilson(self.kept, self.checked)
        return f"{self.value:.2f} ({low:.2f}–{high:.2f})"


def figures_of(rows: Sequence[CheckedRow]) -> dict[str, Any]:
    """Return all figures as JSON: rows, checks and kinds, and what gave no result."""
    results = [finding for row in rows for finding in row.findings]
    return {
        "rows": len(rows),
        "rows_without_checks": sum(not row.findings and not row.problem for row in rows),
        "rows_unreadable": sum(bool(row.problem) for row in rows),
        "rows_without_result": sum(bool(row.findings) and row.strict is None for row in rows),
        "checks": len(results),
        "checks_without_result": sum(finding.strict is None for finding in results),
        "strict_rows": _accuracy([row.strict for row in rows]).as_json(),
        "loose_rows": _accuracy([row.loose for row in rows]).as_json(),
        "strict_checks": _accuracy([finding.strict for finding in results]).as_json(),
        "loose_checks": _accuracy([finding.loose for finding in results]).as_json(),
        "by_kind": {kind: _kind(own) for kind, own in _by_kind(results).items()},
    }


def _kind(results: Sequence[Finding]) -> dict[str, Any]:
    return {
        "strict": _accuracy([finding.strict for finding in results]).as_json(),
        "loose": _accuracy([finding.loose for finding in results]).as_json(),
        "without_result": sum(finding.strict is None for finding in results),
    }


def _accuracy(results: Sequence[bool | None]) -> Accuracy:
    checked = [result for result in results if result is not None]
    return Accuracy(sum(checked), len(checked))


def _by_kind(results: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    kinds: dict[str, list[Finding]] = {}
    for finding in sorted(results, key=lambda finding: finding.check.kind):
        kinds.setdefault(finding.check.kind, []).append(finding)
    return kinds


def table(figures: Mapping[str, Any]) -> Table:
    """Return the figures as a table: all rows, all checks, then a line a kind."""
    printed = Table(*("", "checked", "strict (95 %)", "loose (95 %)", "no result"))
    unread = figures["rows_unreadable"] + figures["rows_without_result"]
    lost = figures["checks_without_result"]
    _add(printed, "rows", figures["strict_rows"], figures["loose_rows"], unread)
    _add(printed, "checks", figures["strict_checks"], figures["loose_checks"], lost)
    printed.add_section()
    for kind, own in figures["by_kind"].items():
        _add(printed, kind, own["strict"], own["loose"], own["without_result"])
    return printed


def _add(
    table: Table, name: str, strict: Mapping[str, Any], loose: Mapping[str, Any], lost: int
) -> None:
    accuracies = [Accuracy(figure["kept"], figure["checked"]) for figure in (strict, loose)]
    cells = [str(strict["checked"]), *map(str, accuracies), str(lost) if lost else ""]
    table.add_row(name, *cells)
