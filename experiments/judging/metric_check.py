"""`autoevol metric-check`: how well every rule set agrees with labelled rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from autoevol.experiments.judging.labelled import LabelledRow
from autoevol.metrics import SETS_ON_TEXTS, Reason, broken, compose, fails, for_evolver
from autoevol.metrics.failure.evolvers import EvolverClass, EvolverLook, look_at
from autoevol.metrics.stats.agreement import confusion
from autoevol.metrics.stats.intervals import Estimate, share

FIGURES = (
    "precision",
    "recall",
    "recall_failed",
    "specificity",
    "balanced_accuracy",
    "f1",
    "suspected_good",
    "suspected_precision",
    "kept_good",
    "bad_kept",
)
"""Of each rule set; docs/failure-metric.md says what each means and which way is better."""

GROUPS: Mapping[str, Callable[[LabelledRow], str]] = {
    "source": lambda row: row.source,
    "lang": lambda row: row.lang,
    "domain": lambda row: row.domain,
    "kind": lambda row: row.case.method_kind,
    "confidence": lambda row: "sure" if row.is_sure else "low",
}
"""What rows can be grouped by."""

LEAST_GOOD = 20
"""Good rows from which a source's specificity is compared with that of others."""

Decision = Literal["failed", "suspected", "kept"]


class Verdict(NamedTuple):
    """What a rule set says of a row.

    Attributes:
        decision: "suspected": there is no evidence against the row.
        is_kept: Whether the defaults keep the row: suspects are dropped where the evolver copies.
    """

    row: LabelledRow
    decision: Decision
    is_kept: bool


class Classes:
    """The class of each source's evolver.

    Args:
        rows: All rows.
        evolver: The class of all of them; None: it is estimated for each source.
    """

    def __init__(self, rows: Sequence[LabelledRow], evolver: EvolverClass | None = None) -> None:
        self._fixed = evolver
        self.looks: dict[str, EvolverLook] = {
            source: look_at(row.case for row in rows if row.source == source)
            for source in sorted({row.source for row in rows})
        }

    def of(self, row: LabelledRow) -> EvolverClass:
        """Return the class of a row's evolver."""
        return self._fixed or self.looks[row.source].evolver_class


Findings = Sequence[tuple[Reason, ...]]
"""What F finds in each of some rows."""


def check_rule_sets(
    rows: Sequence[LabelledRow],
    witnessed: Mapping[str, Findings] | None = None,
    classes: Classes | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the agreement of each rule set with the labels.

    Args:
        rows: At least one.
        witnessed: For rule sets with witnesses, what F finds with them; in the others, rules of
            witnesses flag nothing.
        classes: Of the sources' evolvers; None: estimated.
    """
    classes, witnessed = classes or Classes(rows), witnessed or {}
    return {
        name: _figures(_verdicts(rows, witnessed.get(name) or _pure(name, rows, classes), classes))
        for name in SETS_ON_TEXTS
    }


def broken_rules(
    name: str, row: LabelledRow, evolver: EvolverClass = "unknown"
) -> tuple[Reason, ...]:
    """Return what a set finds in a row, at both stages, rules of witnesses excluded."""
    reasons = broken(for_evolver(compose([name], "evolve"), evolver), row.rewrite)
    return (*reasons, *broken_by_response(name, row))


def broken_by_response(name: str, row: LabelledRow) -> tuple[Reason, ...]:
    """Return what a set finds in a row's response; nothing where there is none."""
    if row.case.response is None:
        return ()
    return broken(compose([name], "respond"), row.case)


def _pure(name: str, rows: Sequence[LabelledRow], classes: Classes) -> Findings:
    return [broken_rules(name, row, classes.of(row)) for row in rows]


def _verdicts(rows: Sequence[LabelledRow], findings: Findings, classes: Classes) -> list[Verdict]:
    def verdict(row: LabelledRow, reasons: tuple[Reason, ...]) -> Verdict:
        if fails(reasons):
            return Verdict(row, "failed", is_kept=False)
        if reasons:
            return Verdict(row, "suspected", is_kept=classes.of(row) != "copies")
        return Verdict(row, "kept", is_kept=True)

    return [verdict(row, reasons) for row, reasons in zip(rows, findings, strict=True)]


def _figures(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    kinds = sorted({kind for verdict in verdicts for kind in verdict.row.kinds})
    by_kind = {
        kind: [v.decision != "kept" for v in verdicts if kind in v.row.kinds] for kind in kinds
    }
    groups = {key: _agreement(members) for key, members in _groups(verdicts).items()}
    return {
        **_agreement(verdicts),
        "worst_source": _worst(verdicts),
        "recall_by_kind": {kind: sum(flags) / len(flags) for kind, flags in by_kind.items()},
        "rows_by_kind": {kind: len(flags) for kind, flags in by_kind.items()},
        "groups": groups,
    }


def _groups(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    return {
        f"{name} {value}": [verdict for verdict in verdicts if key(verdict.row) == value]
        for name, key in GROUPS.items()
        for value in sorted({key(verdict.row) for verdict in verdicts})
    }


def _worst(verdicts: Sequence[Verdict]) -> dict[str, Any] | None:
    """Return the source with the least specificity; None: no source has enough good rows."""
    specificities = []
    for source in sorted({verdict.row.source for verdict in verdicts}):
        good = [v for v in verdicts if v.row.source == source and not v.row.failed]
        if len(good) >= LEAST_GOOD:
            passed = sum(verdict.decision != "failed" for verdict in good)
            specificities.append((passed / len(good), source, len(good)))
    if not specificities:
        return None
    specificity, source, count = min(specificities)
    return {"source": source, "specificity": specificity, "good_rows": count}


def _agreement(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    estimates = _estimates(verdicts)
    return {
        **{name: estimate.value if estimate else None for name, estimate in estimates.items()},
        "intervals": {
            name: estimate.interval if estimate else None for name, estimate in estimates.items()
        },
        "rows": len(verdicts),
    }


def _estimates(verdicts: Sequence[Verdict]) -> dict[str, Estimate | None]:
    flagged = confusion((v.decision != "kept", v.row.failed) for v in verdicts)
    failed = confusion((v.decision == "failed", v.row.failed) for v in verdicts)
    suspected = confusion((v.decision == "suspected", v.row.failed) for v in verdicts)
    kept = confusion((v.is_kept, v.row.failed) for v in verdicts)
    good, bad = kept.false_alarms + kept.passes, kept.hits + kept.misses
    return {
        "precision": flagged.precision,
        "recall": flagged.recall,
        "recall_failed": failed.recall,
        "specificity": failed.specificity,
        # Of its two shares the second leaves suspects out: to suspect all rows must not look good.
        "balanced_accuracy": flagged.balanced_accuracy,
        "f1": flagged.f1,
        "suspected_good": share(suspected.false_alarms, good),
        "suspected_precision": suspected.precision,
        "kept_good": share(kept.false_alarms, good),
        "bad_kept": share(kept.hits, bad),
    }
