"""What witnesses were admitted for, from the figures of their exams in `summary.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoevol.metrics.stats.intervals import Estimate

FIRST_EXAM_HALF = 10
"""Sound items, and broken ones, of the exam whose figures name no numbers of items."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A witness's result for a rule and a group of languages.

    Attributes:
        flags: How many sound and how many broken items it called broken.
        accuracy: Balanced accuracy with its 95 % interval; "–" where all items were sound.
    """

    rule: str
    group: str
    flags: str
    accuracy: str
    is_admitted: bool


def admissions(fitness: Mapping[str, Mapping[str, Any]]) -> list[Admission]:
    """Return a witness's results by rule and group of languages.

    Args:
        fitness: `judge_fitness` of a summary, which holds those of solvers, too.
    """
    return [
        _admission(rule, group, figures)
        for rule, overall in fitness.items()
        for group, figures in (overall.get("groups") or {"all": overall}).items()
    ]


def admission_lines(fitness: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return each rule with what its witness is admitted for, in words."""
    results = admissions(fitness)
    return [(rule, _sentence([one for one in results if one.rule == rule])) for rule in fitness]


def _sentence(results: list[Admission]) -> str:
    groups = [result.group for result in results if result.is_admitted]
    if not groups:
        return "not admitted: the rule abstains"
    return "admitted" if groups == ["all"] else f"admitted for {', '.join(groups)}"


def _admission(rule: str, group: str, figures: Mapping[str, Any]) -> Admission:
    sound, broken = (figures.get(key, FIRST_EXAM_HALF) for key in ("sound", "broken"))
    flags = f"{figures['false_alarms']} of {sound} sound"
    if broken:
        flags += f", {figures['hits']} of {broken} broken"
    value = figures.get("balanced_accuracy")
    accuracy = "–" if value is None else str(Estimate(value, tuple(figures["interval"])))
    return Admission(rule, group.replace("_", " "), flags, accuracy, figures["is_fit"])
