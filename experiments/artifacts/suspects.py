"""Suspected rows: how many each rule suspects, kept or dropped, with examples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.funnel import EXAMPLES
from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES
from autoevol.experiments.files.reading import read_rows
from autoevol.metrics import RULES


@dataclass(slots=True)
class Suspected:
    """The rows that one rule suspects, and against which there is no evidence.

    Attributes:
        kept: Rows in `evolved.jsonl`; a row that several rules suspect counts for each of them.
        dropped: Rows in `failures.jsonl`.
        examples: Up to three of the rows, each with the rule's evidence.
    """

    rule: str
    kept: int
    dropped: int
    examples: list[tuple[Mapping[str, Any], str]]

    @property
    def meaning(self) -> str:
        """What the rule looks for, in a line; "" for a rule that has since been removed."""
        return RULES[self.rule].meaning if self.rule in RULES else ""


def suspects_in(folder: Path, summary: Mapping[str, Any]) -> list[Suspected]:
    """Return the suspicions of a run by rule, the commonest first.

    Args:
        folder: The run's, with its rows.
        summary: Its figures: files without suspected rows are not read.
    """
    by_rule: dict[str, Suspected] = {}
    for row, reasons, is_kept in _suspected_rows(folder, summary):
        for rule, evidence in {reason["rule"]: reason["evidence"] for reason in reasons}.items():
            entry = by_rule.setdefault(rule, Suspected(rule, 0, 0, []))
            entry.kept += is_kept
            entry.dropped += not is_kept
            if len(entry.examples) < EXAMPLES:
                entry.examples.append((row, evidence))
    return sorted(by_rule.values(), key=lambda entry: (-entry.kept - entry.dropped, entry.rule))


def counts_by_rule(suspected: Sequence[Suspected]) -> dict[str, dict[str, int]]:
    """Return the rows by rule, as plain data for the summary."""
    return {entry.rule: {"kept": entry.kept, "dropped": entry.dropped} for entry in suspected}


_SuspectedRow = tuple[Mapping[str, Any], Sequence[Mapping[str, str]], bool]


def _suspected_rows(folder: Path, summary: Mapping[str, Any]) -> Iterator[_SuspectedRow]:
    if summary.get("rows_suspected"):
        for row in read_rows(folder / EVOLVED):
            if row.get("suspected_by"):
                yield row, row["suspected_by"], True
    if summary.get("rows_failed_suspected"):
        for row in read_rows(folder / FAILURES):
            if row.get("status") == "suspected":
                yield row, row["reasons"], False
