"""Judgement: pure functions from texts to reasons and rates."""

from metrics.cases import Case, Reason, Stage
from metrics.complexity import added_words
from metrics.failure_rate import FailureRate, count_by_rule, failure_rate
from metrics.rules import RULE_SETS, RULES, Rule, broken, compose

__all__ = [
    "RULES",
    "RULE_SETS",
    "Case",
    "FailureRate",
    "Reason",
    "Rule",
    "Stage",
    "added_words",
    "broken",
    "compose",
    "count_by_rule",
    "failure_rate",
]
