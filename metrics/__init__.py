"""Judgement: pure functions from texts to reasons and rates."""

from autoevol.metrics.failure.cases import Case, MethodKind, Reason, Stage
from autoevol.metrics.failure.rate import FailureRate, count_by_rule, failure_rate
from autoevol.metrics.failure.rules import (
    RULE_SETS,
    RULES,
    Rule,
    Thresholds,
    broken,
    check_thresholds,
    compose,
)
from autoevol.metrics.quality.consistency import majority
from autoevol.metrics.quality.diversity import distances
from autoevol.metrics.quality.growth import added_words
from autoevol.metrics.stats.paired import Pairs, mean_interval, pairs

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
