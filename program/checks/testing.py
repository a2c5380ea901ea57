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
)
from autoevol.metrics.verification.written_tests import tests_in
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
        is_unsupported: The sandbox cannot tell what the program does.
    """

    passes: bool
    passed: tuple[str, ...]
    share: float
    evidence: str
    is_unsupported: bool = False


async def written_tests(role: Role, task: str, answers: Sequence[str], draw: int) -> list[str]:
    """Return tests of a task, which a model writes from the task and the names to call.

    Args:
        role: Writes; it is not shown the answers' code.
        task: The instruction, with what was said before it.
        answers: To the task; some hold a program.
        draw: Of the call.

    Raises:
        LMError: The call failed for good.
    """
    solutions = [solution for answer in answers if (solution := solution_in(answer))]
    names = _names(solutions)
    heads = next((s.heads for s in solutions if tuple(s.heads) == names), {})
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


async def tested(
    sandbox: Sandbox, answers: Sequence[str], tests: Sequence[str]
) -> list[Tested | None]:
    """Return what the tests say of each answer; None: it holds no program that can be read.

    Args:
        sandbox: Runs solutions and tests.
        answers: To one task.
        tests: At least one.
    """
    solutions = [solution_in(answer) for answer in answers]
    names = _names([solution for solution in solutions if solution])
    runs = await together([_run(sandbox, solution, tests, names) for solution in solutions])
    passed = [
        frozenset(n for n, result in enumerate(run) if result.ending == "value") for run in runs
    ]
    believed = believed_tests([p for p, s in zip(passed, solutions, strict=True) if s])
    return [
        _tested(tests, run, own, believed) if solution else None
        for run, own, solution in zip(runs, passed, solutions, strict=True)
    ]


async def _run(
    sandbox: Sandbox, solution: Solution | None, tests: Sequence[str], names: Sequence[str]
) -> list[CallResult]:
    if solution is None:
        return []
    program = program_of(solution, tests, names)
    calls = [Call(name) for name in test_names(tests)]
    results = await results_of(sandbox, program, calls)
    # One that fails may owe it to another, which left something behind: it is tried alone.
    again = [n for n, result in enumerate(results) if result.ending == "error"]
    if len(again) < len(results):
        for number in again:
            results[number : number + 1] = await sandbox.run(program, [calls[number]])
    return results


def _tested(
    tests: Sequence[str], run: Sequence[CallResult], own: frozenset[int], believed: frozenset[int]
) -> Tested:
    unsupported = next((r.message for r in run if r.ending == "unsupported"), None)
    failed = next((test for n, test in enumerate(tests) if n not in own), "")
    evidence = f"{len(own)} of {len(tests)} tests pass" + (f", not: {failed}" if failed else "")
    return Tested(
        own == believed and 2 * len(own) > len(tests),
        tuple(test for n, test in enumerate(tests) if n in own),
        len(own) / len(tests),
        evidence if unsupported is None else f"the sandbox does not support it: {unsupported}",
        unsupported is not None,
    )


def _names(solutions: Sequence[Solution]) -> tuple[str, ...]:
    """Return the names that most of the programs define, the first of equals."""
    named = Counter(tuple(solution.heads) for solution in solutions)
    return max(named, key=lambda names: named[names], default=())
