"""The funnel: how many rows each rule stopped, at which stage and in which round."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics import RULES

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
        """What the rule looks for, in a line."""
        return RULES[self.rule].meaning if self.rule in RULES else _NO_RULES[self.rule]


def funnel(failed: Sequence[Mapping[str, Any]]) -> list[Stopped]:
    """Return what stopped the rows of `failures.jsonl`: the evolve stage first, largest first."""
    places = defaultdict(list)
    for row in failed:
        for rule in {reason["rule"] for reason in row["reasons"]}:
            places[row["failed_at"], rule].append(row)
    stopped = [_stopped(stage, rule, rows) for (stage, rule), rows in places.items()]
    return sorted(stopped, key=lambda each: (each.stage, -each.rows, each.rule))


def counts_by_stage(stopped: Sequence[Stopped]) -> dict[str, dict[str, int]]:
    """Return the rows by stage and rule, as plain data for the summary."""
    found: dict[str, dict[str, int]] = {"evolve": {}, "respond": {}}
    for each in stopped:
        found[each.stage][each.rule] = each.rows
    return found


def _stopped(stage: str, rule: str, rows: Sequence[Mapping[str, Any]]) -> Stopped:
    by_round: dict[int, int] = {}
    for row in rows:
        by_round[row["round"]] = by_round.get(row["round"], 0) + 1
    alone = sum({reason["rule"] for reason in row["reasons"]} == {rule} for row in rows)
    return Stopped(stage, rule, by_round, alone, rows[:EXAMPLES])
