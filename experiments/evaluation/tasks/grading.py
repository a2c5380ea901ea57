"""Answers held against what is right: constraints, numbers, programs, checks."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from autoevol.experiments.evaluation.tasks.items import Answered, Item, ItemResult
from autoevol.metrics.quality.consistency import result_of, stated_result
from autoevol.metrics.verification.loose import loose_forms
from autoevol.metrics.verification.solutions import solution_in
from autoevol.program.blocks import together
from autoevol.program.checks.check import checks_of
from autoevol.program.checks.checking import findings
from autoevol.program.errors import ConfigError
from autoevol.program.sandbox import Call, CallResult, Sandbox
from autoevol.program.witnesses.results import value_of

EXTRA = "pip install 'autoevol[evaluate]'"


async def grade_number(answered: Answered, sandbox: Sandbox | None) -> list[ItemResult]:
    """Grade answers by their result: that of a last line `Answer: …`, else the last number."""
    return [_number(item, answer) for item, answer in answered]


def _number(item: Item, answer: str) -> ItemResult:
    stated = stated_result(answer)
    result = value_of(stated if any(map(str.isdigit, stated)) else result_of(answer))
    right = value_of(result_of(str(item.key["result"])))
    return ItemResult(item.id, float(result == right), answer, f"{result} for {right}")


async def grade_program(answered: Answered, sandbox: Sandbox | None) -> list[ItemResult]:
    """Grade programs by their task's tests, in the sandbox."""
    if sandbox is None:
        raise ValueError("programs need a sandbox")
    runs = await together(
        [sandbox.run(_program(item, answer), [Call("evaluate")]) for item, answer in answered]
    )
    return [
        _program_result(item, answer, run[0])
        for (item, answer), run in zip(answered, runs, strict=True)
    ]


def _program(item: Item, answer: str) -> str:
    before, solution = str(item.key["before"]), solution_in(answer)
    # The function as the question begins it stays in front: others of the question may be used.
    own = f"{before}\n{solution.code}" if solution else f"{before}{answer}"
    return f"{own}\n\n{item.key['test']}"


def _program_result(item: Item, answer: str, run: CallResult) -> ItemResult:
    if run.ending == "unsupported":
        return ItemResult(item.id, None, answer, f"unsupported: {run.message}")
    passes = run.ending == "value"
    return ItemResult(item.id, float(passes), answer, "" if passes else run.message or run.ending)


async def grade_checks(answered: Answered, sandbox: Sandbox | None) -> list[ItemResult]:
    """Grade answers by the checks of their rows: 1 if all are kept."""
    if sandbox is None:
        raise ValueError("checks need a sandbox")
    checks = [checks_of(item.key["checks"]) for item, _ in answered]
    pairs = [
        (check, answer) for (_, answer), own in zip(answered, checks, strict=True) for check in own
    ]
    results = iter(await findings(sandbox, pairs))
    graded = []
    for (item, answer), own in zip(answered, checks, strict=True):
        outcomes = [next(results) for _ in own]
        problem = next((outcome.problem for outcome in outcomes if outcome.problem), "")
        broken = [
            outcome.check.text or outcome.check.kind for outcome in outcomes if not outcome.strict
        ]
        score = None if problem else float(not broken)
        graded.append(ItemResult(item.id, score, answer, problem or "; ".join(broken)))
    return graded


async def grade_constraints(answered: Answered, sandbox: Sandbox | None) -> list[ItemResult]:
    """Grade answers by IFEval's own checkers: 1 if every constraint is kept, strictly.

    The evidence names the loose result, too: the best of eight forms of an answer.

    Raises:
        ConfigError: The checkers are not installed.
    """
    return [_constraints(item, answer) for item, answer in answered]


def _constraints(item: Item, answer: str) -> ItemResult:
    try:
        strict = _kept(item, answer)
        loose = [
            any(forms) for forms in zip(*(_kept(item, f) for f in loose_forms(answer)), strict=True)
        ]
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        # Sentences, for one, are counted with data that NLTK loads from elsewhere.
        return ItemResult(item.id, None, answer, f"its checker fails: {_first_line(error)}")
    broken = [kind for kind, kept in zip(item.key["kinds"], strict, strict=True) if not kept]
    evidence = f"broken: {', '.join(broken)}" if broken else ""
    if broken and all(loose):
        evidence += " (kept loosely)"
    return ItemResult(item.id, float(not broken), answer, evidence)


def _kept(item: Item, answer: str) -> list[bool]:
    return [
        _keeps(kind, options, item.question, answer)
        for kind, options in zip(item.key["kinds"], item.key["options"], strict=True)
    ]


def _keeps(kind: str, options: Mapping[str, Any], question: str, answer: str) -> bool:
    checker = ifeval_checkers()[kind](kind)
    checker.build_description(**{name: value for name, value in options.items() if value})
    arguments = checker.get_instruction_args()
    if arguments and "prompt" in arguments:
        checker.build_description(prompt=question)
    return bool(answer.strip()) and bool(checker.check_following(answer))


@cache
def ifeval_checkers() -> Mapping[str, Any]:
    """Return IFEval's checkers by name, those of lm-evaluation-harness.

    Raises:
        ConfigError: They are not installed.
    """
    try:
        # NLTK says on import that it cannot download.
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            from langdetect import DetectorFactory
            from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT
    except ImportError as error:
        raise ConfigError("ifeval", f"needs lm-evaluation-harness: {EXTRA}") from error
    # Without a seed the language of a short text is drawn.
    DetectorFactory.seed = 0
    return dict(INSTRUCTION_DICT)


def _first_line(error: Exception) -> str:
    lines = [line.strip(" *\n") for line in str(error).splitlines()]
    return next(filter(None, lines), type(error).__name__)


def check_tools(names: Sequence[str]) -> None:
    """Check that what grades these tasks is installed, before a model is called.

    Raises:
        ConfigError: Something is not.
    """
    if "ifeval" in names:
        ifeval_checkers()
