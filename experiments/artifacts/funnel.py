"""The funnel: how many rows each rule stopped, at which stage and in which round."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autoevol.metrics import RULES

EXAMPLES = 3
_NO_RULES = {
    "refused_request": "The model refused the request.",
    "over_length": "The rewrite is longer than `evolve.until` allows.",
}
"""What stops rows beside F."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The rows that broke one rule at one stage.

    Attributes:
        by_round: Rows by round; a row that broke several rules counts for each of them.
        alone: Rows that no other rule stopped: they would be kept without this one.
        examples: Up to three of them, as `failures.jsonl` has them.
    """

    stage: str
    rule: str
    by_round: Mapping[int, int]
    alone: int
    examples: Sequence[Mapping[str, Any]]

    @property
    def rows(self) -> int:
        """Over all rounds."""
        return sum(self.by_round.values())

    @property
    def meaning(self) -> str:
        """What the rule looks for, in a line; "" of a rule that is no longer there."""
        return RULES[self.rule].meaning if self.rule in RULES else _NO_RULES.get(self.rule, "")


def funnel(failed: Iterable[Mapping[str, Any]]) -> list[Stopped]:
    """Return what stopped the rows of `failures.jsonl`: the evolve stage first, largest first."""
    found: dict[tuple[str, str], Stopped] = {}
    for row in failed:
        rules = {reason["rule"] for reason in row["reasons"]}
        for rule in rules:
            key = (row["failed_at"], rule)
            stopped = found.get(key) or Stopped(*key, {}, 0, ())
            found[key] = _with(stopped, row, is_alone=len(rules) == 1)
    return sorted(found.values(), key=lambda each: (each.stage, -each.rows, each.rule))


def counts_by_stage(stopped: Sequence[Stopped]) -> dict[str, dict[str, int]]:
    """Return the rows by stage and rule, as plain data for the summary."""
    found: dict[str, dict[str, int]] = {"evolve": {}, "respond": {}}
    for each in stopped:
        found[each.stage][each.rule] = each.rows
    return found


def _with(stopped: Stopped, row: Mapping[str, Any], *, is_alone: bool) -> Stopped:
    """Return the account with one more row."""
    by_round = {**stopped.by_round, row["round"]: stopped.by_round.get(row["round"], 0) + 1}
    shown = (*stopped.examples, row) if len(stopped.examples) < EXAMPLES else stopped.examples
    return replace(stopped, by_round=by_round, alone=stopped.alone + int(is_alone), examples=shown)
