"""Solutions of one task by a model, several samples each, and what their results tell."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dspy
from dspy.utils.exceptions import AdapterParseError, LMInvalidRequestError

from autoevol.metrics.quality.consistency import OPEN
from autoevol.program.draws import draw_number
from autoevol.program.roles import Role, ask
from autoevol.program.witnesses.results import result_in, result_of_answer
from autoevol.signatures.witness import TRIED, WORKED, TryTask, WorkTask

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


@dataclass(frozen=True, slots=True)
class TaskSolver:
    """Solves tasks with a model.

    Attributes:
        role: The role whose model solves.
        temperature: Of its samples, above 0.
    """

    role: Role
    temperature: float = SAMPLE_TEMPERATURE

    async def solutions(
        self, task: str, samples: int, own: str = "", *, may_be_open: bool = True
    ) -> Solutions:
        """Solve a task so many times; one that the first solution calls open is left at that.

        Args:
            task: The whole task, with its input.
            samples: At least 2.
            own: A result of the same model that is known already, and counts as one sample; "":
                there is none.
            may_be_open: False: the task should have a result, so one solution that calls it open
                does not settle the matter.

        Raises:
            LMError: A call failed for good.
        """
        fresh = samples - 1 if own else samples
        begun = (own,) if own else ()
        if not may_be_open:
            return Solutions((*begun, *await self.results(task, fresh)))
        first = await self._result(task, 0)
        if first == OPEN:
            return Solutions((OPEN,))
        later = (self._result(task, number) for number in range(1, fresh))
        return Solutions((*begun, first, *await asyncio.gather(*later)))

    async def results(self, task: str, samples: int) -> list[str]:
        """Return the results of so many solutions; "" where one states none.

        Raises:
            LMError: A call failed for good.
        """
        tries = (self._result(task, number) for number in range(samples))
        return list(await asyncio.gather(*tries))

    async def worked(self, task: str, samples: int) -> list[str]:
        """Return the results of so many solutions of a task that has one; "" where none is clear.

        The solver is offered no way out ("open", "impossible"), and a solution without the line
        `Answer:` is read as an answer of the data is.

        Raises:
            LMError: A call failed for good.
        """
        tries = (
            self._solution(task, ("work", number), WorkTask, WORKED) for number in range(samples)
        )
        return [result_in(text) or result_of_answer(text) for text in await asyncio.gather(*tries)]

    async def _result(self, task: str, number: int) -> str:
        return result_in(await self._solution(task, ("solve", number), TryTask, TRIED))

    async def _solution(
        self,
        task: str,
        place: tuple[str, int],
        signature: type[dspy.Signature],
        examples: Sequence[Mapping[str, str]],
    ) -> str:
        """Return a solution; "": the reply cannot be read."""
        kind, number = place
        try:
            prediction = await ask(
                dspy.Predict(signature),
                self.role,
                draw=draw_number(kind, task, number),
                temperature=self.temperature,
                demos=[dspy.Example(**example) for example in examples],
                task=task,
            )
        except (AdapterParseError, LMInvalidRequestError):
            return ""
        return prediction.solution or ""
