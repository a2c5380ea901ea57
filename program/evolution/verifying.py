"""Whether an answer is verified: by checks of its row, by other answers' results, or by tests."""

from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.metrics import Reason
from autoevol.metrics.verification.solutions import solution_in
from autoevol.program.checks.check import Check, CheckError, checks_of
from autoevol.program.checks.checking import Checker
from autoevol.program.checks.constraining import CHECKS
from autoevol.program.checks.testing import Tested, tested, written_tests
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.witnesses.results import known_result, result_of_answer

_EVIDENCE = 200  # characters


@dataclass(frozen=True, slots=True)
class Checked:
    """The checks of one row, and what runs them.

    Attributes:
        checker: None: nobody does.
        checks: Of the row.
        problem: Why they cannot be read; "": they can.
    """

    checker: Checker | None = None
    checks: Sequence[Check] = ()
    problem: str = ""

    @classmethod
    def of(cls, row: Row, checker: Checker | None) -> "Checked":
        """Return the checks that a row carries."""
        try:
            return cls(checker, checks_of(row.meta.get(CHECKS)) if checker else ())
        except CheckError as error:
            return cls(checker, problem=str(error))

    async def reasons(self, response: str) -> tuple[Reason, ...]:
        """Return the constraints that a response breaks; a check without a result says nothing."""
        if self.problem:
            return (Reason("unreadable_checks", self.problem[:_EVIDENCE]),)
        if self.checker is None or not self.checks:
            return ()
        findings = await self.checker.findings(self.checks, response)
        broken = [finding.check for finding in findings if finding.strict is False]
        return tuple(
            Reason("verifier_failed", f"{check.kind}: {check.text}"[:_EVIDENCE]) for check in broken
        )


async def tests_of(
    checker: Checker, role: Role, task: str, answers: Sequence[str], draw: int
) -> list[tuple[Reason | None, Tested | None]]:
    """Return for each answer why its program is not believed, and what the tests say of it.

    Args:
        checker: Runs programs and tests.
        role: Writes the tests.
        task: The instruction.
        answers: To a programming task.
        draw: Of the call.

    Raises:
        LMError: The call failed for good.
    """
    if not any(solution_in(answer) for answer in answers):
        return [(_failure(None), None)] * len(answers)
    tests = await written_tests(role, task, answers, draw)
    if not tests:
        return [(Reason("no_tests", "no assertion that calls the answer"), None)] * len(answers)
    results = await tested(checker.sandbox, answers, tests)
    return [(_failure(result), result) for result in results]


def _failure(result: Tested | None) -> Reason | None:
    if result is None:
        return Reason("tests_failed", "no program that can be read")
    if result.is_unsupported:
        return Reason("no_tests", result.evidence[:_EVIDENCE])
    return None if result.passes else Reason("tests_failed", result.evidence[:_EVIDENCE])


def disagreement(answers: Sequence[str], own: str) -> list[Reason | None]:
    """Return for each answer why its result is not the agreed one; None: it is, or nobody can tell.

    Args:
        answers: To one task.
        own: The answer that the data has; its result, where it is clear, decides. "": it has none.
    """
    results = [result_of_answer(answer) for answer in answers]
    expected = known_result(own)
    if expected:
        return [_unlike(result, expected, "the data's answer is") for result in results]
    counts = {result: results.count(result) for result in results if result}
    agreed = max(counts, key=lambda result: counts[result], default="")
    if len(answers) < 2 or 2 * counts.get(agreed, 0) <= len(answers):
        shown = ", ".join(result or "none" for result in results)[:_EVIDENCE]
        return [Reason("no_agreement", f"{len(answers)} answers: {shown}")] * len(answers)
    return [
        _unlike(result, agreed, f"{counts[agreed]} of {len(answers)} say") for result in results
    ]


def _unlike(result: str, expected: str, who: str) -> Reason | None:
    if result == expected:
        return None
    return Reason("wrong_result", f"{result or 'no result'}; {who} {expected}"[:_EVIDENCE])
