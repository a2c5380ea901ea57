"""What is left of a constraint after its functions and cases examined each other."""

import asyncio
from typing import Any

import pytest

from autoevol.experiments.sandbox import open_sandbox
from autoevol.metrics.verification.programs import VerifierCase
from autoevol.program.verification.constraints import Constraint, agreed
from autoevol.program.verification.options import VerificationOptions

SOUND = "def evaluate(response):\n    return 'a' in response"
LAX = "def evaluate(response):\n    return True"
CASES = (VerifierCase("a", True), VerifierCase("b", False), VerifierCase("ab", True))


def _agreed(
    functions: tuple[str, ...], cases: tuple[VerifierCase, ...] = CASES, **options: Any
) -> tuple[Constraint, list[str]]:
    constraint = Constraint("c1", "Use the letter a.", functions=functions, cases=cases)
    own = VerificationOptions(**{"least_functions": 1, "least_cases": 2, **options})

    async def run() -> tuple[Constraint, list[str]]:
        async with open_sandbox("monty") as sandbox:
            return await agreed(sandbox, constraint, own)

    return asyncio.run(run())


def test_a_function_that_disagrees_is_left_out() -> None:
    constraint, reasons = _agreed((SOUND, LAX))
    assert (constraint.functions, constraint.reason) == ((SOUND,), "")
    assert reasons == ["", "disagrees"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def evaluate(response):\n    return 'yes'", "no_bool"),
        ("def evaluate(response):\n    return 1", "no_bool"),
        ("def evaluate(response):\n    raise ValueError", "error"),
        ("def evaluate(response):\n    return 'x' * 10**10", "memory"),
        ("def evaluate(response):\n    return [yes for yes in (yield)]", "unsupported"),
    ],
)
def test_a_function_without_a_verdict_says_why(code: str, reason: str) -> None:
    constraint, reasons = _agreed((code,))
    assert reasons == [reason]
    assert (constraint.lost_at, constraint.reason) == ("cross-validate", "few_functions")


def test_cases_of_one_sort_show_nothing() -> None:
    cases = (VerifierCase("a", True), VerifierCase("aa", True), VerifierCase("b", True))
    assert _agreed((LAX,), cases)[0].reason == "one_sided"
    assert _agreed((LAX,), cases, two_sided=False)[0].reason == ""


def test_too_few_are_named() -> None:
    assert _agreed((SOUND,), least_functions=2)[0].reason == "few_functions"
    assert _agreed((SOUND,), least_cases=4)[0].reason == "few_cases"
