"""The table of rules, the rule sets, and F: which rules a case breaks.

A rule set is a tuple of rule names. In a config, `failure.evolve` and `failure.respond` list rule
sets and rules; a leading "-" removes one again: `[strict, -truncated]`. `failure.thresholds`
replaces the default numbers of a rule.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from autoevol.metrics.failure import (
    answers,
    drift,
    form,
    lost_content,
    published,
    replies,
    restated,
    unchanged,
)
from autoevol.metrics.failure.cases import (
    Case,
    Detector,
    Finding,
    MethodKind,
    Reason,
    Stage,
    Witness,
)
from autoevol.metrics.failure.evolvers import EvolverClass

Thresholds = Mapping[str, Mapping[str, float]]
"""Numbers by the name of the rule and of the detector's keyword-only parameter."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A named detector and the cases that it applies to.

    Attributes:
        stages: Stages whose text it looks at.
        detect: Returns the evidence of a failure; None for a rule that a witness decides.
        method_kinds: Methods of other kinds may do what the rule forbids.
        question: The question for the witness, for a rule without a detector.
        finding: What a broken rule says of a row; see `Finding`.
        evolvers: Classes of evolvers of whose rows it can speak.
        witness: The model that decides a rule without a detector.
        numbers: The thresholds of a rule without a detector.
    """

    name: str
    stages: tuple[Stage, ...]
    detect: Detector | None
    method_kinds: tuple[MethodKind, ...] = ("depth", "breadth", "down")
    question: str = ""
    finding: Finding = "evidence"
    evolvers: tuple[EvolverClass, ...] = ("copies", "rewords", "unknown")
    witness: Witness | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)

    def applies_to(self, case: Case) -> bool:
        """Tell whether the case's method may not do what the rule forbids."""
        return case.method_kind in self.method_kinds

    @property
    def thresholds(self) -> dict[str, float]:
        """The numbers that a config may replace, with their defaults."""
        return thresholds_of(self.detect) if self.detect else dict(self.numbers)

    @property
    def meaning(self) -> str:
        """One sentence on what the rule detects, for the report."""
        if self.detect is None:
            return f"The {self.witness}: {self.question}"
        # Other thresholds make the detector a `partial`, whose own docstring is that of `partial`.
        docstring = inspect.getdoc(getattr(self.detect, "func", self.detect))
        return docstring.splitlines()[0] if docstring else f"{self.name}."


_BOTH: tuple[Stage, ...] = ("evolve", "respond")
_EVOLVE: tuple[Stage, ...] = ("evolve",)
_RESPOND: tuple[Stage, ...] = ("respond",)
_TEACH: tuple[Stage, ...] = ("teach",)
_DEPTH: tuple[MethodKind, ...] = ("depth",)
_SAME_TASK: tuple[MethodKind, ...] = ("depth", "down")
_NEW_DEMANDS: tuple[MethodKind, ...] = ("depth", "breadth")


def _asked(
    name: str,
    witness: Witness,
    question: str,
    method_kinds: tuple[MethodKind, ...] = ("depth", "breadth", "down"),
    **numbers: float,
) -> Rule:
    """Return a rule that a witness decides, with its thresholds."""
    return Rule(
        name, _EVOLVE, None, method_kinds, question=question, witness=witness, numbers=numbers
    )


def _taught(
    name: str,
    witness: Witness,
    question: str,
    method_kinds: tuple[MethodKind, ...] = ("depth", "breadth", "down"),
) -> Rule:
    """Return a rule of the stage `teach`; see `metrics.quality.learnable` for its numbers."""
    return Rule(name, _TEACH, None, method_kinds, question=question, witness=witness)


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("unparsed", _EVOLVE, form.unparsed),
        Rule("empty", _BOTH, form.empty),
        Rule("same_text", _EVOLVE, unchanged.same_text),
        Rule("unchanged", _EVOLVE, unchanged.unchanged, finding="suspicion"),
        Rule("reworded", _EVOLVE, unchanged.reworded, _DEPTH, finding="suspicion"),
        Rule("same_sum", _EVOLVE, unchanged.same_sum, _DEPTH, finding="suspicion"),
        Rule(
            "restated",
            _EVOLVE,
            restated.restated,
            _DEPTH,
            finding="suspicion",
            evolvers=("rewords", "unknown"),
        ),
        Rule("copied_demonstration", _EVOLVE, unchanged.copied_demonstration),
        Rule("shrunk", _EVOLVE, lost_content.shrunk, _DEPTH, finding="suspicion"),
        Rule("bloated", _EVOLVE, form.bloated, finding="suspicion"),
        Rule("answered", _EVOLVE, answers.answered),
        Rule("replied", _EVOLVE, answers.replied),
        Rule("no_request", _EVOLVE, restated.no_request, finding="suspicion"),
        Rule("leaked_answer", _EVOLVE, answers.leaked_answer),
        Rule("missing_question", _EVOLVE, answers.missing_question),
        Rule("prompt_leak", _EVOLVE, answers.prompt_leak),
        Rule("rewriting_talk", _EVOLVE, answers.rewriting_talk, finding="suspicion"),
        Rule("field_residue", _BOTH, form.field_residue),
        Rule("changed_task", _EVOLVE, lost_content.changed_task, _SAME_TASK, finding="suspicion"),
        Rule("lost_details", _EVOLVE, lost_content.lost_details, _DEPTH),
        Rule("lost_material", _EVOLVE, lost_content.lost_material, _DEPTH),
        Rule("truncated", _BOTH, form.truncated),
        Rule("malformed_code", _EVOLVE, form.malformed_code),
        Rule("repeated", _BOTH, form.repeated),
        Rule("garbled", _BOTH, form.garbled),
        Rule("language_drift", _BOTH, drift.language_drift),
        Rule("refusal", _BOTH, replies.refusal),
        Rule("declined_in_role", _RESPOND, replies.declined_in_role, finding="suspicion"),
        Rule("asks_for_input", _RESPOND, replies.asks_for_input),
        Rule("confirmed_only", _RESPOND, replies.confirmed_only),
        Rule("dont_know", _RESPOND, replies.dont_know),
        Rule("echo", _RESPOND, replies.echo),
        Rule("continued", _RESPOND, replies.continued, finding="suspicion"),
        Rule("says_nothing", _RESPOND, replies.says_nothing),
        _asked("equal", "judge", "are the two instructions equal?"),
        _asked("nothing_added", "judge", "does the suspected rewrite ask for more?", _DEPTH),
        _asked("impossible", "judge", "can the task be done as it stands?", votes=3),
        _asked("defects", "judge", "which defects does the rewrite have?", _DEPTH),
        _asked("analysis", "judge", "has the rewrite failed?", _DEPTH),
        _asked("unsolvable", "solver", "do its solutions agree?", samples=3, agree=0.6),
        _asked(
            "same_answer",
            "solver",
            "has the suspected rewrite the seed's own answer?",
            _DEPTH,
            samples=3,
            agree=0.6,
        ),
        _taught("too_hard", "solvers", "do the strong solver's solutions agree?"),
        _taught(
            "too_easy",
            "solvers",
            "is the weak one right too often, or as often as on the parent?",
            _NEW_DEMANDS,
        ),
        _taught(
            "no_gap", "solvers", "is the strong one right more often than the weak?", _NEW_DEMANDS
        ),
        _taught("demands_no_more", "judge", "does it demand more than its parent?", _DEPTH),
        Rule("stagnant_complexity", _RESPOND, published.stagnant_complexity),
        Rule("insufficient_qualification", _RESPOND, published.insufficient_qualification),
        Rule("loss_of_key_information", _RESPOND, published.loss_of_key_information),
        Rule("author_opening", _RESPOND, published.author_opening),
        Rule("not_possible", _RESPOND, published.not_possible),
        Rule("short_apology", _RESPOND, published.short_apology),
        Rule("only_stop_words", _RESPOND, published.only_stop_words),
        Rule("copied_template", _EVOLVE, published.copied_template),
        Rule("koevol_filter", _BOTH, published.koevol_filter),
        Rule("h2o_change", _EVOLVE, published.h2o_change),
        Rule("idk_or_garbled", _RESPOND, published.idk_or_garbled),
        Rule("teacher_instruction", _EVOLVE, published.teacher_instruction),
        Rule("teacher_response", _RESPOND, published.teacher_response),
        Rule("evolkit_stagnant", _RESPOND, published.evolkit_stagnant),
        Rule("evolkit_unqualified", _RESPOND, published.evolkit_unqualified),
        Rule("evolkit_lost", _RESPOND, published.evolkit_lost),
    )
}

_RANGES: Mapping[str, tuple[float, float]] = {"votes": (1, 99), "samples": (2, 99), "agree": (0, 1)}
"""Of the numbers of rules that a witness decides."""

ALWAYS = ("unparsed", "empty")
"""Rules that no config can remove: without a text there is no row."""

_PAPER = ("stagnant_complexity", "insufficient_qualification", "loss_of_key_information")
_STRICT = """
    same_text unchanged reworded same_sum restated copied_demonstration shrunk bloated replied
    no_request leaked_answer missing_question prompt_leak rewriting_talk field_residue lost_details
    lost_material truncated malformed_code repeated garbled language_drift refusal declined_in_role
    asks_for_input confirmed_only dont_know echo continued says_nothing
""".split()
_STRICT_2026_11 = """
    unchanged reworded same_sum copied_demonstration shrunk bloated answered leaked_answer
    missing_question prompt_leak field_residue changed_task lost_details lost_material truncated
    malformed_code repeated garbled language_drift refusal declined_in_role asks_for_input
    confirmed_only dont_know echo continued says_nothing
""".split()
ONE_KIND = "strict-2026-11"
"""The set in which all findings are evidence, as they were before there were two kinds."""

RULE_SETS: dict[str, tuple[str, ...]] = {
    "paper": _PAPER,
    "author": (*_PAPER, "author_opening", "not_possible"),
    "wizardlm": ("equal", "short_apology", "only_stop_words", "copied_template"),
    "koevol": ("koevol_filter", "equal"),
    "joonavel": ("idk_or_garbled",),
    # Without `equal`: the source has an equality check, but it is switched off.
    "h2o": ("h2o_change",),
    # The source names equality, copied prompts, "sorry" and stop words only as a TODO.
    "evol_teacher": ("teacher_instruction", "teacher_response"),
    "evolkit": ("evolkit_stagnant", "evolkit_unqualified", "evolkit_lost"),
    "strict": tuple(_STRICT),
    ONE_KIND: tuple(_STRICT_2026_11),
    "strict+judge": (*_STRICT, "nothing_added", "impossible"),
    "strict+solver": (*_STRICT, "unsolvable", "same_answer"),
    "learnable": ("too_easy", "too_hard", "no_gap", "demands_no_more"),
}


SETS_ON_TEXTS: tuple[str, ...] = tuple(
    name
    for name, members in RULE_SETS.items()
    if any(RULES[member].stages != _TEACH for member in members)
)
"""Sets that judge a rewrite or its answer by themselves, and so can be held against labels."""


def compose(
    names: Sequence[str], stage: Stage, thresholds: Thresholds | None = None
) -> tuple[Rule, ...]:
    """Return the rules that a config's list selects for `stage`, in the table's order.

    Args:
        names: Rule sets and rules, applied in order; a leading "-" removes a set or a rule.
        stage: Rules of the other stage are left out.
        thresholds: Numbers that replace the rules' defaults.

    Raises:
        KeyError: A name is neither a rule nor a rule set; its argument is the name.
        ValueError: As `check_thresholds`.
    """
    chosen: dict[str, Rule] = {}
    for name in names:
        bare = name.removeprefix("-")
        members = _members(bare)
        if name.startswith("-"):
            chosen = {key: rule for key, rule in chosen.items() if key not in members}
        else:
            chosen |= members
    chosen |= {name: RULES[name] for name in ALWAYS}
    thresholds = thresholds or {}
    check_thresholds(thresholds)
    rules = (chosen[name] for name in RULES if name in chosen and stage in chosen[name].stages)
    return tuple(_with_thresholds(rule, thresholds.get(rule.name, {})) for rule in rules)


def _members(name: str) -> dict[str, Rule]:
    """Return the rules of a set, or one rule, by name."""
    if name not in RULE_SETS:
        return {name: RULES[name]}
    rules = {member: RULES[member] for member in RULE_SETS[name]}
    if name != ONE_KIND:
        return rules
    return {member: replace(rule, finding="evidence") for member, rule in rules.items()}


def for_evolver(rules: Iterable[Rule], evolver: EvolverClass) -> tuple[Rule, ...]:
    """Return the rules that can speak of an evolver's rows."""
    return tuple(rule for rule in rules if evolver in rule.evolvers)


def check_thresholds(thresholds: Thresholds) -> None:
    """Check that the rules exist and have these thresholds.

    Raises:
        ValueError: Names the rule, the threshold and the thresholds that the rule has.
    """
    for name, numbers in thresholds.items():
        if name not in RULES:
            raise ValueError(f"unknown rule {name!r}")
        defaults = RULES[name].thresholds
        for key in numbers:
            if key not in defaults:
                existing = ", ".join(defaults) or f"none{_elsewhere(name)}"
                raise ValueError(f"{name} has no threshold {key!r}; its thresholds: {existing}")
            if isinstance(defaults[key], int) and numbers[key] != int(numbers[key]):
                raise ValueError(f"{name}.{key} must be a whole number, got {numbers[key]}")
            if RULES[name].witness:
                _check_range(name, key, numbers[key])


def _elsewhere(name: str) -> str:
    return "; failure.learnable has its numbers" if name in RULE_SETS["learnable"] else ""


def _check_range(name: str, key: str, number: float) -> None:
    least, most = _RANGES[key]
    if not least <= number <= most:
        raise ValueError(f"{name}.{key} must be {least} to {most}, got {number:g}")


def thresholds_of(detect: Detector) -> dict[str, float]:
    """Return the keyword-only numbers of a detector with their defaults."""
    parameters = inspect.signature(detect).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def broken(rules: Sequence[Rule], case: Case) -> tuple[Reason, ...]:
    """Return a reason for each rule that `case` breaks; rules of witnesses are skipped."""
    reasons = []
    # No stop at the first broken rule: the funnel counts a row for each rule that it breaks.
    for rule in rules:
        if rule.detect is not None and rule.applies_to(case):
            evidence = rule.detect(case)
            if evidence is not None:
                reasons.append(Reason(rule.name, evidence, rule.finding))
    return tuple(reasons)


def _with_thresholds(rule: Rule, numbers: Mapping[str, float]) -> Rule:
    if not numbers:
        return rule
    # Numbers of a config are floats; where the default is whole, the detector may slice by it.
    cast = {key: type(rule.thresholds[key])(value) for key, value in numbers.items()}
    if rule.detect is None:
        return replace(rule, numbers={**rule.numbers, **cast})
    return replace(rule, detect=partial(rule.detect, **cast))
