"""The rules that a solver decides: do its solutions of a task agree, and on which result?

A task with one right answer that nobody can reach has a defect. Where a task is suspected to be its
seed in other words, the seed's own answer settles it.
"""

import asyncio
import logging
from collections.abc import Sequence

from autoevol.metrics import Case, Reason, Rule
from autoevol.program.roles import Role
from autoevol.program.witnesses.exam import Exam, Exams, Fitness, Item, solver_exam
from autoevol.program.witnesses.questions import TOO_LITTLE_ADDED, may_be_suspected
from autoevol.program.witnesses.results import result_of_answer, value_of
from autoevol.program.witnesses.solutions import SAMPLE_TEMPERATURE, Solutions, TaskSolver

logger = logging.getLogger(__name__)


class Solver:
    """A solver model with its fitness, examined once for each rule.

    Args:
        role: The role whose model solves.
        temperature: Of its samples, above 0.
        paper: The exam; None: that of new runs.

    Attributes:
        tasks: Solves them.
        exams: Those that were held.
    """

    def __init__(
        self, role: Role, temperature: float = SAMPLE_TEMPERATURE, paper: Exam | None = None
    ) -> None:
        self.role = role
        self.tasks = TaskSolver(role, temperature)
        self.exams = Exams()
        self._exam = paper or solver_exam()

    async def decided(
        self, reasons: tuple[Reason, ...], rules: Sequence[Rule], case: Case
    ) -> tuple[Reason, ...]:
        """Return the reasons, with the solver's evidence where it has any.

        Args:
            reasons: Suspicions at most.
            rules: Those of the solver are decided.
            case: At the evolve stage.

        Raises:
            LMError: A call failed for good.
        """
        for rule in rules:
            if rule.witness != "solver" or not rule.applies_to(case) or case.task is None:
                continue
            if rule.name == "same_answer" and not TOO_LITTLE_ADDED.intersection(
                reason.rule for reason in reasons
            ):
                continue
            evidence = await self._evidence(rule, case, case.task)
            if evidence is not None:
                return (*reasons, Reason(rule.name, evidence))
        return reasons

    async def prepare(self, rules: Sequence[Rule]) -> None:
        """Hold the exams of some rules before the first row needs them.

        Raises:
            LMError: A call failed for good.
        """
        has_suspects = may_be_suspected(rules)
        for rule in (rule for rule in rules if rule.witness == "solver"):
            if has_suspects or rule.name != "same_answer":
                await self.examine(rule)

    async def examine(self, rule: Rule) -> Fitness:
        """Return the solver's fitness for a rule; the first call tries all items.

        Raises:
            LMError: A call failed for good.
        """
        return await self.exams.fitness_for(rule.name, lambda: self._tested(rule))

    async def _evidence(self, rule: Rule, case: Case, task: str) -> str | None:
        fitness = await self.examine(rule)
        if not fitness.is_fit:
            return None
        solutions = await self.tasks.solutions(task, int(rule.numbers["samples"]))
        if rule.name == "unsolvable":
            return solutions.fault(rule.numbers["agree"])
        return await self._same_answer(rule, case, solutions)

    async def _same_answer(self, rule: Rule, case: Case, solutions: Solutions) -> str | None:
        agree = rule.numbers["agree"]
        result = solutions.agreed(agree)
        if not result:
            return None
        own = result_of_answer(case.expected) if case.expected else ""
        if not own:
            seed = await self.tasks.solutions(case.source_task, int(rule.numbers["samples"]))
            own = seed.agreed(agree)
        return f"the seed's own answer: {own}" if result == own else None

    async def _tested(self, rule: Rule) -> Fitness:
        """Hold the exam; only sound tasks have an answer that could be missed."""
        items = items_of(self._exam)
        if rule.name == "same_answer":
            items = [item for item in items if item.is_sound]
        flags = await asyncio.gather(*(self._flag(rule, item) for item in items))
        fitness = self._exam.fitness(items, flags)
        if not fitness.is_fit:
            logger.warning(
                "%s is not fit to decide %r: it %s items of its exam; the rule abstains",
                self.role.model,
                rule.name,
                fitness,
            )
        return fitness

    async def _flag(self, rule: Rule, item: Item) -> bool:
        """Tell whether the solver fails an item: finds no solution, or misses the known one."""
        solutions = await self.tasks.solutions(item.rewrite, int(rule.numbers["samples"]))
        agree = rule.numbers["agree"]
        if rule.name == "unsolvable":
            return solutions.fault(agree) is not None
        return solutions.agreed(agree) != value_of(item.answer)


def items_of(paper: Exam) -> list[Item]:
    """Return the items that a solver tries: tasks with a known answer, and their broken twins."""
    items = paper.about(("solvable",))
    originals = {item.original for item in items if item.answer}
    return [item for item in items if item.original in originals]
