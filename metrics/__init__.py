"""Metrics: pure functions that judge texts; no file, no network, no model.

failure: F, the failure metric: rules such as `unchanged` that tell whether a row failed, and why.
quality: what a row or a set is worth: difficulty, IFD, tags, lexical variety, preference.
selection: which rows of a set stay: duplicates, contamination, score bands, diversity.
stats: intervals, exact tests, agreement and summaries, for the other rooms.
text: words, scripts and one table of surface signs a language.

The names below are the ones that the program uses.
"""

from autoevol.metrics.failure.cases import Case, Finding, MethodKind, Reason, Stage, Witness, fails
from autoevol.metrics.failure.rate import FailureRate, count_by_rule, failure_rate
from autoevol.metrics.failure.rules import (
    ALWAYS,
    ONE_KIND,
    RULE_SETS,
    RULES,
    SETS_ON_TEXTS,
    Rule,
    Thresholds,
    broken,
    check_thresholds,
    compose,
    for_evolver,
)
from autoevol.metrics.quality.consistency import majority
from autoevol.metrics.quality.growth import added_words
from autoevol.metrics.quality.lexical import distances
from autoevol.metrics.stats.paired import Pairs, mean_interval, pairs

__all__ = [
    "ALWAYS",
    "ONE_KIND",
    "RULES",
    "RULE_SETS",
    "SETS_ON_TEXTS",
    "Case",
    "FailureRate",
    "Finding",
    "MethodKind",
    "Pairs",
    "Reason",
    "Rule",
    "Stage",
    "Thresholds",
    "Witness",
    "added_words",
    "broken",
    "check_thresholds",
    "compose",
    "count_by_rule",
    "distances",
    "fails",
    "failure_rate",
    "for_evolver",
    "majority",
    "mean_interval",
    "pairs",
]
