"""What lost most rows of a run, and what helps against it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from autoevol.experiments.artifacts.funnel import meaning_of

_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        "same_text unchanged reworded same_sum restated equal nothing_added same_answer "
        "stagnant_complexity evolkit_stagnant h2o_change demands_no_more",
        "The evolver changes too little. A stronger `models.evolver.model` helps most, and so do "
        "other operators (`evolve.methods`). A second attempt uses the next one "
        "(`evolve.attempts: 2`).",
    ),
    (
        "answered replied leaked_answer no_request missing_question",
        "The evolver answers the instruction instead of rewriting it. A method with demonstrations "
        "shows it the difference (`optimizer.initial_method: e0-shown`). A stronger "
        "`models.evolver.model` knows it.",
    ),
    (
        "changed_task lost_details lost_material shrunk loss_of_key_information evolkit_lost",
        "The rewrites drop parts of their seeds, such as numbers, quotations or code. Operators "
        "that only add something keep more (`evolve.methods: [constraints, deepen]`). A lower "
        "`models.evolver.temperature` keeps more, too. A larger `models.evolver.model` may keep "
        "them by itself.",
    ),
    (
        "unparsed empty prompt_leak rewriting_talk field_residue malformed_code repeated garbled "
        "copied_demonstration copied_template author_opening koevol_filter teacher_instruction",
        "The evolver's replies have an odd form. A lower `models.evolver.temperature` makes them "
        "steadier. A stronger `models.evolver.model` helps as well; `autoevol preview` shows raw "
        "replies.",
    ),
    (
        "truncated",
        "Replies hit their token limit. Raise `models.evolver.max_tokens` if rewrites are cut, "
        "`models.responder.max_tokens` if responses are.",
    ),
    (
        "bloated over_length",
        "The rewrites are too long. The numbers of `failure.thresholds` and `evolve.until` say how "
        "long they may be; fewer `evolve.rounds` keep them short.",
    ),
    (
        "language_drift",
        "The model leaves the language of the seeds. Use one that is strong in that language.",
    ),
    (
        "refusal refused_request declined_in_role not_possible short_apology "
        "insufficient_qualification evolkit_unqualified",
        "The model declines. Another `models.responder.model` or `models.evolver.model` may not, "
        "or such seeds are left out with `data.where`.",
    ),
    (
        "asks_for_input confirmed_only dont_know echo continued says_nothing only_stop_words "
        "idk_or_garbled teacher_response",
        "The responses are no answers. Set a stronger `models.responder.model`; where a response "
        "asks for something, the rewrite lacks it.",
    ),
    (
        "impossible defects analysis unsolvable",
        "The rewrites cannot be carried out as they stand. A stronger `models.evolver.model`, "
        "fewer `evolve.rounds`, or a search (`optimizer.name`) helps.",
    ),
    (
        "too_easy no_gap",
        "A weak solver solves the rewrites, too. A search (`optimizer.name`) looks for a method "
        "that demands more; harder seeds help as well.",
    ),
    (
        "too_hard",
        "The strong solver's answers disagree. Set a stronger `models.strong_solver.model`, or "
        "start from easier seeds.",
    ),
    (
        "verifier_failed tests_failed no_tests no_agreement wrong_result unreadable_checks",
        "The responses do not pass their checks. More samples (`answer.samples`) or a stronger "
        "`models.responder.model` give more that do.",
    ),
)

REMEDIES = {rule: remedy for rules, remedy in _REMEDIES for rule in rules.split()}
"""What helps against a rule, by the rule's name."""

Config = Mapping[str, Any]
"""A run's config as the tree of its YAML."""

_SHOWN = "`optimizer.initial_method: e0-shown`"
_DONE: Mapping[str, Callable[[Config], bool]] = {
    "`models.evolver.temperature`": lambda config: (
        _value(config, "models.evolver.temperature") == 0
    ),
    "`evolve.methods: [constraints, deepen]`": lambda config: (
        bool(_methods(config)) and {*_methods(config)} <= {"constraints", "deepen"}
    ),
    "`evolve.attempts: 2`": lambda config: (_value(config, "evolve.attempts") or 1) > 1,
    _SHOWN: lambda config: (
        "e0-shown" in (_value(config, "optimizer.initial_method"), *_methods(config))
    ),
}
"""Advice that a run has followed already, by the words in which it is given."""


def remedy_of(rule: str, config: Config) -> str:
    """Return what helps against a rule, without what the run has done already; "": nobody knows.

    Args:
        rule: Its name.
        config: Of the run; {}: it is not known.
    """
    sentences = re.split(r"(?<=\.) ", REMEDIES.get(rule, ""))
    done = [words for words, is_done in _DONE.items() if config and is_done(config)]
    advice = " ".join(text for text in sentences if not any(words in text for words in done))
    # The key of a search would start one.
    is_search = not config or _value(config, "optimizer.name") not in (None, "none")
    return advice if is_search else advice.replace(_SHOWN, "`evolve.methods: [e0-shown]`")


def _value(config: Config, key: str) -> Any:
    node: Any = config
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _methods(config: Config) -> list[str]:
    """Return the names of the methods that a config applies, in any round."""
    entries = [*(_value(config, "evolve.methods") or [])]
    for part in _value(config, "evolve.schedule") or []:
        entries += part if isinstance(part, list) else [part]
    return [str(one.get("name") if isinstance(one, Mapping) else one) for one in entries]


@dataclass(frozen=True, slots=True)
class Loss:
    """A rule that failed rows.

    Attributes:
        stage: Of the rule.
        rule: Its name.
        rows: Rows that it failed; some of them broke other rules, too.
        meaning: What it detects; "" if nothing is recorded of it.
        remedy: What helps; "" if nothing is recorded.
    """

    stage: str
    rule: str
    rows: int
    meaning: str
    remedy: str


def losses(
    summary: Mapping[str, Any], config: Config = MappingProxyType({}), *, count: int = 3
) -> list[Loss]:
    """Return what failed most rows of a run, the greatest loss first.

    Args:
        summary: The run's figures.
        config: Of the run: what it does already is not advised.
        count: How many rules.
    """
    counts = [
        (rows, stage, rule)
        for stage, rules in (summary.get("failures_by_rule") or {}).items()
        for rule, rows in rules.items()
    ]
    # Sorting keeps equals in the order of the funnel.
    greatest = sorted(counts, key=lambda entry: -entry[0])[:count]
    return [
        Loss(stage, rule, rows, meaning_of(rule), remedy_of(rule, config))
        for rows, stage, rule in greatest
    ]
