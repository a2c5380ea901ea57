"""The rules by name, the rule sets, and F: which rules a case breaks.

A rule set is a tuple of rule names. In a config, `failure.evolve` and `failure.respond` are lists
that name sets and rules and take single rules out again: `[strict, -truncated]`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics import detectors, published
from metrics.cases import Case, Reason, Stage
from metrics.published import Detector


@dataclass(frozen=True, slots=True)
class Rule:
    """A detector with a name and the stages it belongs to.

    Attributes:
        detect: Returns the evidence for a failure; None for a rule that a judge model decides.
    """

    name: str
    stages: tuple[Stage, ...]
    detect: Detector | None


_BOTH: tuple[Stage, ...] = ("evolve", "respond")
_EVOLVE: tuple[Stage, ...] = ("evolve",)
_RESPOND: tuple[Stage, ...] = ("respond",)

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("unparsed", _EVOLVE, detectors.unparsed),
        Rule("empty", _BOTH, detectors.empty),
        Rule("unchanged", _EVOLVE, detectors.unchanged),
        Rule("truncated", _BOTH, detectors.truncated),
        Rule("prompt_leak", _EVOLVE, detectors.prompt_leak),
        Rule("field_residue", _EVOLVE, detectors.field_residue),
        Rule("answered", _EVOLVE, detectors.answered),
        Rule("lost_details", _EVOLVE, detectors.lost_details),
        Rule("refusal", _BOTH, detectors.refusal),
        Rule("asks_for_input", _RESPOND, detectors.asks_for_input),
        Rule("language_drift", _BOTH, detectors.language_drift),
        Rule("repeated", _BOTH, detectors.repeated),
        Rule("stagnant_complexity", _RESPOND, published.stagnant_complexity),
        Rule("insufficient_qualification", _RESPOND, published.insufficient_qualification),
        Rule("loss_of_key_information", _RESPOND, published.loss_of_key_information),
        Rule("author_opening", _RESPOND, published.author_opening),
        Rule("not_possible", _RESPOND, published.not_possible),
        Rule("equal", _EVOLVE, None),
        Rule("short_apology", _RESPOND, published.short_apology),
        Rule("only_stop_words", _RESPOND, published.only_stop_words),
        Rule("copied_template", _EVOLVE, published.copied_template),
        Rule("koevol_filter", _BOTH, published.koevol_filter),
        Rule("idk_or_garbled", _RESPOND, published.idk_or_garbled),
        Rule("teacher_instruction", _EVOLVE, published.teacher_instruction),
        Rule("teacher_response", _RESPOND, published.teacher_response),
    )
}

ALWAYS = ("unparsed", "empty")
"""Rules that no config can take out: without a text there is no row."""

_PAPER = ("stagnant_complexity", "insufficient_qualification", "loss_of_key_information")
_AUTHOR = (*_PAPER, "author_opening", "not_possible")
_STRUCTURAL = """
    unchanged truncated prompt_leak field_residue answered lost_details refusal asks_for_input
    language_drift repeated
""".split()

RULE_SETS: dict[str, tuple[str, ...]] = {
    "paper": _PAPER,
    "author": _AUTHOR,
    "wizardlm": ("equal", "short_apology", "only_stop_words", "copied_template"),
    "koevol": ("koevol_filter", "equal"),
    "joonavel": ("idk_or_garbled",),
    "evol_teacher": ("teacher_instruction", "teacher_response"),
    "strict": (*_STRUCTURAL, *_AUTHOR),
}


def compose(names: Sequence[str], stage: Stage) -> tuple[Rule, ...]:
    """Return the rules that a config's list selects for `stage`, in the table's order.

    Args:
        names: Rule sets and rules; a leading "-" takes what it names out again.
        stage: Rules of the other stage are left out.

    Raises:
        KeyError: A name is neither a rule nor a rule set; its argument is the name.
    """
    chosen: set[str] = set()
    for name in names:
        bare = name.removeprefix("-")
        members = set(RULE_SETS[bare]) if bare in RULE_SETS else {RULES[bare].name}
        chosen = chosen - members if name.startswith("-") else chosen | members
    chosen |= set(ALWAYS)
    return tuple(rule for rule in RULES.values() if rule.name in chosen and stage in rule.stages)


def broken(rules: Sequence[Rule], case: Case) -> tuple[Reason, ...]:
    """Return a reason for each rule that `case` breaks; rules for a judge model are passed over."""
    found = ((rule.name, rule.detect(case)) for rule in rules if rule.detect is not None)
    return tuple(Reason(name, evidence) for name, evidence in found if evidence is not None)
