"""Stages 1 to 3: constraints, their verifiers, and what is left of both after cross-validation."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import dspy
from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.metrics.verification.agreement import cross_validated
from autoevol.metrics.verification.programs import (
    FUNCTION,
    VerifierCase,
    cases_in,
    code_in,
    fault_of,
    unique_programs,
    without_contradictions,
)
from autoevol.program.blocks import together
from autoevol.program.checks.check import CODE, Check
from autoevol.program.checks.checking import verdicts
from autoevol.program.draws import draw_number
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.roles import Role, ask
from autoevol.program.sandbox import CallResult, Sandbox
from autoevol.program.verification.funnel import StageCount, stage_count
from autoevol.program.verification.options import VerificationOptions
from autoevol.signatures.constraints import ConstraintKind, constraint_kinds
from autoevol.signatures.verification import WRITTEN, ProposeConstraints, WriteVerifier

_LINE = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+?)\s*$", re.MULTILINE)
_LEAST, _MOST = 8, 300  # characters of a constraint
SAMPLE_TEMPERATURE = 0.7
"""Of a model that is configured to be greedy, whose samples would be equal."""

_EXAMPLES = 12  # constraints that a proposal is shown


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint with its verifiers.

    Attributes:
        id: "c" and its number, in the order in which constraints came up.
        text: The constraint in words.
        source: "seed", "proposed", or "shipped" with a check that is written already.
        functions: Programs that check it; each defines `evaluate(response)`.
        cases: Responses that the functions were tried on.
        lost_at: The stage that it did not pass; "": it passed all so far.
        reason: Why, as a slug; "" where it was not lost.
        check: Of a shipped kind; None: the functions check it.
    """

    id: str
    text: str
    source: str = "seed"
    functions: tuple[str, ...] = ()
    cases: tuple[VerifierCase, ...] = ()
    lost_at: str = ""
    reason: str = ""
    check: Check | None = None

    @property
    def checks(self) -> list[Check]:
        """The checks that rows under this constraint carry."""
        if self.check:
            return [self.check]
        return [Check(CODE, code=code, text=self.text) for code in self.functions]

    def lost(self, stage: str, reason: str) -> "Constraint":
        """Return the constraint as lost at a stage; as it is where there is no reason."""
        return replace(self, lost_at=stage, reason=reason) if reason else self


def sampling_temperature(role: Role) -> float:
    """Return the temperature at which a role's model is sampled: its own, or one above 0."""
    return float(role.lm.kwargs.get("temperature") or SAMPLE_TEMPERATURE)


def shipped(count: int, language: str) -> list[Constraint]:
    """Return constraints of the shipped kinds, whose checks are written by hand.

    Args:
        count: At most so many, a kind each; kinds without words in the language are left out.
        language: "en" or "ko".
    """
    kinds = [kind for kind in constraint_kinds().values() if language in kind.wording]
    chosen = random.Random(draw_number("kinds")).sample(kinds, min(count, len(kinds)))
    return [_of_kind(f"k{number}", kind, language) for number, kind in enumerate(chosen, 1)]


def _of_kind(identity: str, kind: ConstraintKind, language: str) -> Constraint:
    options = kind.drawn(random.Random(draw_number("options", kind.name)))
    text = kind.text(options, language)
    check = Check(kind.name, options, text=text)
    calling = f"{kind.function}(response, **{options!r})"
    function = f"{check.source}\n\ndef {FUNCTION}(response):\n    return {calling}\n"
    return Constraint(identity, text, "shipped", (function,), check=check)


async def proposed(
    role: Role, seeds: Sequence[str], options: VerificationOptions
) -> tuple[list[Constraint], StageCount]:
    """Stage 1: return the seed constraints and new ones, none twice.

    Args:
        role: Proposes.
        seeds: Constraints that exist already.
        options: `proposals` calls are made, each on a sample of the seeds.
    """
    replies = await together([_proposal(role, seeds, n) for n in range(options.proposals)])
    lines = [line for reply in replies for line in _LINE.findall(reply)]
    keys: set[str] = set()
    constraints: list[Constraint] = []
    reasons: list[str] = []
    for text, source in [*((s, "seed") for s in seeds), *((line, "proposed") for line in lines)]:
        key = " ".join(re.findall(r"\w+", text.lower()))
        reason = "duplicate" if key in keys else _fault(text)
        reasons.append(reason)
        keys.add(key)
        if not reason:
            constraints.append(Constraint(f"c{len(constraints) + 1}", text, source))
    return constraints, stage_count("propose", "constraints", reasons)


def _fault(text: str) -> str:
    if not _LEAST <= len(text) <= _MOST:
        return "length"
    return "" if re.search(r"\w+\W+\w+", text) else "no_sentence"


async def _proposal(role: Role, seeds: Sequence[str], number: int) -> str:
    start = number * _EXAMPLES % max(1, len(seeds))
    shown = [*seeds[start:], *seeds[:start]][:_EXAMPLES]
    examples = "\n".join(f"- {seed}" for seed in shown)
    try:
        prediction = await ask(
            dspy.Predict(ProposeConstraints),
            role,
            draw=draw_number("propose", number),
            temperature=sampling_temperature(role),
            examples=examples,
        )
    except (*UNSCORED_ERRORS, LMInvalidRequestError):
        return ""
    return prediction.constraints or ""


async def with_verifiers(
    role: Role, constraint: Constraint, options: VerificationOptions
) -> tuple[Constraint, list[str]]:
    """Stage 2: return a constraint with written functions and cases, and a reason a sample.

    Samples that are no verifier are left out; the reason says why, "" where one is used.
    """
    replies = await together([_written(role, constraint, n) for n in range(options.samples)])
    codes = [code_in(reply or "") for reply in replies]
    reasons = [
        "no_reply" if reply is None else fault_of(code)
        for reply, code in zip(replies, codes, strict=True)
    ]
    sound = [code for code, reason in zip(codes, reasons, strict=True) if not reason]
    stated = dict.fromkeys(case for reply in replies for case in cases_in(reply or ""))
    cases = without_contradictions(list(stated))
    written = replace(constraint, functions=tuple(unique_programs(sound)), cases=tuple(cases))
    fault = "no_function" if not sound else "no_case" if not cases else ""
    return written.lost("write", fault), reasons


async def _written(role: Role, constraint: Constraint, number: int) -> str | None:
    try:
        prediction = await ask(
            dspy.Predict(WriteVerifier),
            role,
            draw=draw_number("verifier", constraint.text, number),
            temperature=sampling_temperature(role),
            demos=[dspy.Example(**example) for example in WRITTEN],
            constraint=constraint.text,
        )
    except (*UNSCORED_ERRORS, LMInvalidRequestError):
        return None
    return prediction.verifier or ""


async def agreed(
    sandbox: Sandbox, constraint: Constraint, options: VerificationOptions
) -> tuple[Constraint, list[str]]:
    """Stage 3: return a constraint with what cross-validation keeps, and a reason a function."""
    texts = [case.response for case in constraint.cases]
    runs = await together([verdicts(sandbox, code, texts) for code in constraint.functions])
    expected = [case.keeps for case in constraint.cases]
    results = [[_verdict(result) for result in run] for run in runs]
    kept = cross_validated(results, expected, options.agreement)
    reasons = [
        "" if number in kept.functions else _function_fault(run) for number, run in enumerate(runs)
    ]
    left = replace(
        constraint,
        functions=tuple(constraint.functions[number] for number in kept.functions),
        cases=tuple(constraint.cases[number] for number in kept.cases),
    )
    return left.lost("cross-validate", _shortage(left, options)), reasons


def _verdict(result: CallResult) -> bool | None:
    return result.value if result.ending == "value" and isinstance(result.value, bool) else None


def _function_fault(run: Sequence[CallResult]) -> str:
    """Return why a function was not kept: how its calls ended, if any ended badly."""
    for result in run:
        if result.ending != "value":
            return result.ending
        if not isinstance(result.value, bool):
            return "no_bool"
    return "disagrees"


def _shortage(constraint: Constraint, options: VerificationOptions) -> str:
    if len(constraint.functions) < options.least_functions:
        return "few_functions"
    if len(constraint.cases) < options.least_cases:
        return "few_cases"
    is_one_sided = len({case.keeps for case in constraint.cases}) < 2
    return "one_sided" if options.two_sided and is_one_sided else ""
