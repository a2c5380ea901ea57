"""The nine stages in order: from seed constraints and queries to verified rows and pairs.

1 propose, 2 write, 3 cross-validate, 4 describe, 5 contradict, 6 join, 7 answer and verify,
8 grade, 9 rows and pairs (AutoIF, arXiv 2406.13542, section 3). Every call is a draw of its own,
so a run that was killed makes the calls that are missing, and comes to the same result.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from autoevol.program.blocks import run_blocks
from autoevol.program.listeners import Phase
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.sandbox import Sandbox
from autoevol.program.verification.answers import AnsweredTask, Task, answered, joined
from autoevol.program.verification.constraints import (
    Constraint,
    agreed,
    proposed,
    shipped,
    with_verifiers,
)
from autoevol.program.verification.descriptions import (
    Relate,
    described,
    examined,
    without_contradiction,
)
from autoevol.program.verification.funnel import StageCount, stage_count
from autoevol.program.verification.options import VerificationOptions
from autoevol.program.witnesses.exam import Fitness

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class VerificationRoles:
    """The models of the stages.

    Attributes:
        writer: Proposes constraints, writes verifiers and describes them.
        responder: Answers.
        judge: Grades answers; None: stage 8 is left out.
        relate: Compares constraints, once it has passed an exam; None: stages 4 and 5 are left out.
    """

    writer: Role
    responder: Role
    judge: Role | None
    relate: Relate | None


@dataclass(frozen=True, slots=True)
class VerifiedSet:
    """What the stages made.

    Attributes:
        constraints: All of them; the lost ones say where and why.
        tasks: With their answers.
        funnel: The account of each stage, in order.
        fitness: What the witness of contradictions showed in its exam; None: there was no exam.
    """

    constraints: tuple[Constraint, ...]
    tasks: tuple[AnsweredTask, ...]
    funnel: tuple[StageCount, ...]
    fitness: Fitness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPipeline:
    """The stages with what they need.

    Attributes:
        roles: The models.
        sandbox: Runs the verifiers.
        options: What is asked for and kept.
        in_flight: Constraints or tasks at work at the same time.
        on_phase: Called when a stage begins.
        on_item: Called when one constraint or task is finished; True: it was lost.
    """

    roles: VerificationRoles
    sandbox: Sandbox
    options: VerificationOptions
    in_flight: int
    on_phase: Callable[[Phase], None]
    on_item: Callable[[bool], None]

    async def run(self, seeds: Sequence[str], queries: Sequence[Row]) -> VerifiedSet:
        """Run all stages.

        Args:
            seeds: Constraints in words, to begin with.
            queries: Rows that the constraints are joined with.
        """
        self.on_phase(Phase("propose constraints", 0))
        constraints, first = await proposed(self.roles.writer, seeds, self.options)
        funnel = [first]
        for stage in (self._write, self._cross_validate):
            constraints = await stage(constraints, funnel)
        relate = self.roles.relate if self.options.descriptions else None
        fitness = await self._fitness(relate) if relate and _left(constraints) else None
        if relate and fitness and fitness.is_fit:
            constraints = await self._compare(relate, constraints, funnel)
        constraints += shipped(self.options.kinds, self.options.language)
        tasks = joined(_left(constraints), queries, self.options)
        funnel.append(stage_count("join", "tasks", [""] * len(tasks)))
        results = await self._each("answer", tasks, self._answer)
        funnel += _answer_counts(results, self.options)
        return VerifiedSet(tuple(constraints), tuple(results), tuple(funnel), fitness)

    async def _write(
        self, constraints: Sequence[Constraint], funnel: list[StageCount]
    ) -> list[Constraint]:
        reasons: list[str] = []

        async def write(constraint: Constraint) -> Constraint:
            written, own = await with_verifiers(self.roles.writer, constraint, self.options)
            reasons.extend(own)
            return written

        written = await self._each("write verifiers", constraints, write)
        funnel.append(stage_count("write", "functions", reasons))
        funnel.append(_constraint_count("write", written))
        return written

    async def _cross_validate(
        self, constraints: Sequence[Constraint], funnel: list[StageCount]
    ) -> list[Constraint]:
        reasons: list[str] = []

        async def validate(constraint: Constraint) -> Constraint:
            if constraint.lost_at:
                return constraint
            left, own = await agreed(self.sandbox, constraint, self.options)
            reasons.extend(own)
            return left

        validated = await self._each("cross-validate", constraints, validate)
        funnel.append(stage_count("cross-validate", "functions", reasons))
        funnel.append(_constraint_count("cross-validate", validated))
        return validated

    async def _fitness(self, relate: Relate) -> Fitness:
        self.on_phase(Phase("exam", 0))
        return await examined(relate)

    async def _compare(
        self, relate: Relate, constraints: Sequence[Constraint], funnel: list[StageCount]
    ) -> list[Constraint]:
        async def compare(constraint: Constraint) -> Constraint:
            if constraint.lost_at:
                return constraint
            texts = await described(self.roles.writer, constraint, self.options)
            return await without_contradiction(relate, constraint, texts)

        compared = await self._each("compare", constraints, compare)
        funnel.append(_constraint_count("contradict", compared))
        return compared

    async def _answer(self, task: Task) -> AnsweredTask:
        return await answered(
            self.roles.responder, self.roles.judge, self.sandbox, task, self.options
        )

    async def _each(
        self, phase: str, items: Sequence[Item], work: Callable[[Item], Awaitable[Result]]
    ) -> list[Result]:
        """Return the result of each item, in their order."""
        self.on_phase(Phase(phase, len(items)))
        results: list[Any] = [None] * len(items)

        async def do(block: list[tuple[int, Item]]) -> None:
            for number, item in block:
                results[number] = result = await work(item)
                lost = getattr(result, "lost_at", "") or not getattr(result, "kept", (True,))
                self.on_item(bool(lost))

        await run_blocks(enumerate(items), do, size=1, in_flight=self.in_flight)
        return results


def _left(constraints: Sequence[Constraint]) -> list[Constraint]:
    return [constraint for constraint in constraints if not constraint.lost_at]


def _constraint_count(stage: str, constraints: Sequence[Constraint]) -> StageCount:
    """Return the account of those that entered a stage: lost at it, or not yet lost."""
    entered = [c for c in constraints if c.lost_at in ("", stage)]
    return stage_count(stage, "constraints", [constraint.reason for constraint in entered])


_GRADING = frozenset({"low_grade", "no_grade"})


def _answer_counts(tasks: Sequence[AnsweredTask], options: VerificationOptions) -> list[StageCount]:
    reasons = [reason for task in tasks for reason in task.reasons]
    verified = ["" if reason in _GRADING else reason for reason in reasons]
    counts = [stage_count("verify", "answers", verified)]
    if options.grade_above is not None:
        passed = [reason for reason in reasons if reason in _GRADING or not reason]
        counts.append(stage_count("grade", "answers", passed))
    kept = ["" if task.kept else "no_answer" for task in tasks]
    pairs = sum(len(task.pairs(options)) for task in tasks)
    return [
        *counts,
        stage_count("rows", "tasks", kept),
        stage_count("pairs", "pairs", [""] * pairs),
    ]
