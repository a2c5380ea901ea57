"""Answers to programming tasks, held against tests that a model writes apart from them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import dspy
from dspy.utils.exceptions import AdapterParseError

from autoevol.metrics.verification.solutions import (
    Solution,
    believed_tests,
    program_of,
    solution_in,
    test_names,
    tests_in,
)
from autoevol.program.blocks import together
from autoevol.program.checks.checking import results_of
from autoevol.program.roles import Role, ask
from autoevol.program.sandbox import Call, CallResult, Sandbox
from autoevol.signatures.verification import TESTED, WriteTests


@dataclass(frozen=True, slots=True)
class Tested:
    """What the tests say of one answer.

    Attributes:
        passes: Whether it is in the believed group, which passes more than half of the tests.
        passed: The tests that it passes.
        share: Of the tests, in [0, 1]; higher is better.
        evidence: How many it passes, and the first that it does not.
    """

    passes: bool
    passed: tuple[str, ...]
    share: float
    evidence: str


async def written_tests(role: Role, task: str, answers: Sequence[str], draw: int) -> list[str]:
    """Return tests of a task, which a model writes from the task and the names to call.

    Args:
        role: Writes; it is not shown the answers' code.
        task: The instruction.
        answers: To the task; some hold a program.
        draw: Of the call.

    Raises:
        LMError: The call failed for good.
    """
    names = _names(answers)
    heads = next(
        (s.heads for answer in answers if (s := solution_in(answer)) and tuple(s.heads) == names),
        {},
    )
    try:
        prediction = await ask(
            dspy.Predict(WriteTests),
            role,
            draw=draw,
            demos=[dspy.Example(**example) for example in TESTED],
            task=task,
            interface="\n".join(heads.values()),
        )
    except AdapterParseError:
        return []
    return tests_in(prediction.tests or "", names)


def is_code(answers: Sequence[str]) -> bool:
    """Return whether any of the answers holds a program."""
    return any(solution_in(answer) for answer in answers)


async def tested(
    sandbox: Sandbox, answers: Sequence[str], tests: Sequence[str]
) -> list[Tested | None]:
    """Return what the tests say of each answer; None: it holds no program.

    Args:
        sandbox: Runs solutions and tests.
        answers: To one task.
        tests: At least one.
    """
    solutions = [solution_in(answer) for answer in answers]
    names = _names(answers)
    runs = await together([_run(sandbox, solution, tests, names) for solution in solutions])
    passed = [
        frozenset(n for n, result in enumerate(run) if result.ending == "value") for run in runs
    ]
    believed = believed_tests([p for p, s in zip(passed, solutions, strict=True) if s])
    return [
        _tested(tests, own, believed) if solution else None
        for own, solution in zip(passed, solutions, strict=True)
    ]


async def _run(
    sandbox: Sandbox, solution: Solution | None, tests: Sequence[str], names: Sequence[str]
) -> list[CallResult]:
    if solution is None:
        return []
    calls = [Call(name) for name in test_names(tests)]
    return await results_of(sandbox, program_of(solution, tests, names), calls)


def _tested(tests: Sequence[str], own: frozenset[int], believed: frozenset[int]) -> Tested:
    failed = next((test for n, test in enumerate(tests) if n not in own), "")
    evidence = f"{len(own)} of {len(tests)} tests pass" + (f", not: {failed}" if failed else "")
    return Tested(
        own == believed and 2 * len(own) > len(tests),
        tuple(test for n, test in enumerate(tests) if n in own),
        len(own) / len(tests),
        evidence,
    )


def _names(answers: Sequence[str]) -> tuple[str, ...]:
    """Return the names that most of the answers define, the first of equals."""
    named = Counter(tuple(s.heads) for answer in answers if (s := solution_in(answer)))
    return max(named, key=lambda names: named[names], default=())
