"""Judgement: pure functions from texts to reasons and rates."""

from metrics.cases import Case, MethodKind, Reason, Stage
from metrics.complexity import added_words
from metrics.consistency import majority
from metrics.diversity import distances
from metrics.failure_rate import FailureRate, count_by_rule, failure_rate
from metrics.paired import Pairs, mean_interval, pairs
from metrics.rules import RULE_SETS, RULES, Rule, Thresholds, broken, check_thresholds, compose

__all__ = [
    "RULES",
    "RULE_SETS",
    "Case",
    "FailureRate",
    "MethodKind",
    "Pairs",
    "Reason",
    "Rule",
    "Stage",
    "Thresholds",
    "added_words",
    "broken",
    "check_thresholds",
    "compose",
    "count_by_rule",
    "distances",
    "failure_rate",
    "majority",
    "mean_interval",
    "pairs",
]
