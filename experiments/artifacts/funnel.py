"""The funnel: how many rows each rule stopped, at which stage and in which round."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autoevol.metrics import RULES

EXAMPLES = 3
REASONS_WITHOUT_A_RULE = {
    "refused_request": "The model refused the request.",
    "over_length": "The rewrite is longer than `evolve.until` allows.",
    "verifier_failed": "The answer breaks a constraint of its row (`answer.check: constraints`).",
    "unreadable_checks": "The row's column `checks` cannot be read (`answer.check: constraints`).",
    "tests_failed": "The answer's program fails tests that others pass (`answer.check: tests`).",
    "no_tests": "No tests were written that could be run (`answer.check: tests`).",
    "no_agreement": "The answers agree on no result (`answer.check: agreement`).",
    "wrong_result": "The answer's result is not the agreed one (`answer.check: agreement`).",
}
"""Reasons for which the pipeline itself fails a row, beside the rules of F."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The rows that broke one rule at one stage.

    Attributes:
        by_round: Rows by round; a row that broke several rules counts for each of them.
        alone: Rows that no other rule stopped: without this one they would be kept.
        examples: Up to three of the rows, as in `failures.jsonl`.
    """

    stage: str
    rule: str
    by_round: Mapping[int, int]
    alone: int
    examples: Sequence[Mapping[str, Any]]

    @property
    def rows(self) -> int:
        """The rows of all rounds."""
        return sum(self.by_round.values())

    @property
    def meaning(self) -> str:
        """What the rule looks for, in a line; "" for a rule that has since been removed."""
        return meaning_of(self.rule)


def meaning_of(rule: str) -> str:
    """Return what a rule looks for, in a line; "" for a rule that has since been removed."""
    return RULES[rule].meaning if rule in RULES else REASONS_WITHOUT_A_RULE.get(rule, "")


def funnel(failed: Iterable[Mapping[str, Any]]) -> list[Stopped]:
    """Return what stopped the rows of `failures.jsonl`: the evolve stage first, largest first."""
    by_rule: dict[tuple[str, str], Stopped] = {}
    for row in failed:
        # A set: a row counts once for a rule, however often it breaks it.
        rules = {reason["rule"] for reason in row["reasons"]}
        for rule in rules:
            key = (row["failed_at"], rule)
            stopped = by_rule.get(key) or Stopped(*key, {}, 0, ())
            by_rule[key] = _with(stopped, row, is_alone=len(rules) == 1)
    return sorted(by_rule.values(), key=lambda entry: (entry.stage, -entry.rows, entry.rule))


def counts_by_stage(stopped: Sequence[Stopped]) -> dict[str, dict[str, int]]:
    """Return the rows by stage and rule, as plain data for the summary."""
    counts: dict[str, dict[str, int]] = {"evolve": {}, "respond": {}}
    for entry in stopped:
        counts.setdefault(entry.stage, {})[entry.rule] = entry.rows
    return counts


def _with(stopped: Stopped, row: Mapping[str, Any], *, is_alone: bool) -> Stopped:
    """Return the entry with one more row."""
    by_round = {**stopped.by_round, row["round"]: stopped.by_round.get(row["round"], 0) + 1}
    shown = (*stopped.examples, row) if len(stopped.examples) < EXAMPLES else stopped.examples
    return replace(stopped, by_round=by_round, alone=stopped.alone + int(is_alone), examples=shown)
