"""The rules that a solver decides: do its solutions of a task agree, and on which result?

A task with one right answer that nobody can reach has a defect. Where a task is suspected to be its
seed in other words, the seed's own answer settles it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import dspy
from dspy.utils.exceptions import AdapterParseError, LMInvalidRequestError

from autoevol.metrics import Case, Reason, Rule
from autoevol.metrics.quality.consistency import OPEN
from autoevol.program.draws import draw_number
from autoevol.program.roles import Role, ask
from autoevol.program.witnesses.exam import Exam, Exams, Fitness, Item, solver_exam
from autoevol.program.witnesses.questions import TOO_LITTLE_ADDED, may_be_suspected
from autoevol.program.witnesses.results import result_in, result_of_answer, value_of
from autoevol.signatures.witness import TRIED, TryTask

logger = logging.getLogger(__name__)

SAMPLE_TEMPERATURE = 0.7
"""Of a solver that is configured to be greedy."""

IMPOSSIBLE = "impossible"
"""The result of a task that, as its solver says, has none."""


@dataclass(frozen=True, slots=True)
class Solutions:
    """The results of some solutions of one task.

    Attributes:
        results: As `result_in` reads them; "" where a solution states none.
    """

    results: tuple[str, ...]

    @property
    def is_checkable(self) -> bool:
        """Whether most of them state a result that can be compared."""
        stated = sum(result not in ("", OPEN) for result in self.results)
        return 2 * stated > len(self.results) > 1

    @property
    def commonest(self) -> str:
        """The commonest result; of ties the earliest."""
        counts = Counter(result for result in self.results if result not in ("", OPEN))
        return counts.most_common(1)[0][0] if counts else ""

    @property
    def agreement(self) -> float:
        """Share of the solutions with the commonest result, in [0, 1]."""
        return self.results.count(self.commonest) / len(self.results)

    def agreed(self, agree: float) -> str:
        """Return the result that so many solutions share; "" if there is none, or no solution."""
        is_agreed = self.is_checkable and self.agreement >= agree
        return self.commonest if is_agreed and self.commonest != IMPOSSIBLE else ""

    def fault(self, agree: float) -> str | None:
        """Return why the task seems to have no solution; None: it has one, or nobody can tell.

        Args:
            agree: Least share of solutions with one result.
        """
        if not self.is_checkable:
            return None
        shown = ", ".join(result or "none" for result in self.results)
        if self.agreement < agree:
            return f"{len(self.results)} solutions disagree: {shown}"
        return f"solutions find none: {shown}" if self.commonest == IMPOSSIBLE else None


class Solver:
    """A solver model with its fitness, examined once for each rule.

    Args:
        role: The role whose model solves.
        temperature: Of its samples, above 0.
        paper: The exam; None: that of new runs.

    Attributes:
        exams: Those that were held.
    """

    def __init__(
        self, role: Role, temperature: float = SAMPLE_TEMPERATURE, paper: Exam | None = None
    ) -> None:
        self.role = role
        self.temperature = temperature
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

    async def solutions(self, task: str, samples: int) -> Solutions:
        """Solve a task so many times; one that the first solution calls open is left at that.

        Raises:
            LMError: A call failed for good.
        """
        first = await self._result(task, 0)
        if first == OPEN:
            return Solutions((OPEN,))
        later = (self._result(task, number) for number in range(1, samples))
        return Solutions((first, *await asyncio.gather(*later)))

    async def _result(self, task: str, number: int) -> str:
        draw = draw_number("solve", task, number)
        try:
            prediction = await ask(
                dspy.Predict(TryTask),
                self.role,
                draw=draw,
                temperature=self.temperature,
                demos=[dspy.Example(**example) for example in TRIED],
                task=task,
            )
        except (AdapterParseError, LMInvalidRequestError):
            return ""
        return result_in(prediction.solution or "")

    async def _evidence(self, rule: Rule, case: Case, task: str) -> str | None:
        fitness = await self.examine(rule)
        if not fitness.is_fit:
            return None
        solutions = await self.solutions(task, int(rule.numbers["samples"]))
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
            seed = await self.solutions(case.source_task, int(rule.numbers["samples"]))
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
        solutions = await self.solutions(item.rewrite, int(rule.numbers["samples"]))
        agree = rule.numbers["agree"]
        if rule.name == "unsolvable":
            return solutions.fault(agree) is not None
        return solutions.agreed(agree) != value_of(item.answer)


def items_of(paper: Exam) -> list[Item]:
    """Return the items that a solver tries: tasks with a known answer, and their broken twins."""
    items = paper.about(("solvable",))
    originals = {item.original for item in items if item.answer}
    return [item for item in items if item.original in originals]
