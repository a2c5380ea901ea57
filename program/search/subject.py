"""What a search improves: any program whose state is a method, and the evolver as one of them.

The loop needs three things of a program: measurements of a method on rows, cases for the optimizer
model to read, and the operators that can change a method. All the rest (policy, racing, acceptance,
confirmation) works on verdicts by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from autoevol.program.evolution.evaluation import evaluate, trajectories
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation, Row, Trajectory
from autoevol.program.search.operators import NEED_CASES, OPERATORS, Operator
from autoevol.program.search.proposer import Proposer
from autoevol.program.search.settings import OperatorName, SearchSettings
from autoevol.signatures import Method


class Subject(Protocol):
    """A program that a search improves.

    Attributes:
        method: Its state before the search.
        operators: What can change a method, by name.
        need_cases: Names of the operators that use the mini-batch under the parent.
        proposer: Asks the optimizer model.
        row_calls: Calls that a measured row costs at most; known once a method was measured.
        case_calls: The same of a row of the mini-batch.
        is_parallel: Whether candidates are measured side by side.
    """

    method: Method
    operators: Mapping[OperatorName, Operator]
    need_cases: frozenset[OperatorName]
    proposer: Proposer
    row_calls: int
    case_calls: int
    is_parallel: bool

    async def measure(
        self, method: Method, rows: Sequence[Row], *, phase: str | None
    ) -> Evaluation:
        """Return the outcome of each row, with the same draws for every method.

        Args:
            method: The state of the program.
            rows: To run.
            phase: Name of the phase for the listeners; None: the rows belong to one that has begun.
        """

    async def cases(self, method: Method, rows: Sequence[Row], *, phase: str) -> list[Trajectory]:
        """Run the mini-batch and return what the optimizer model reads; unscored rows are left out.

        Args:
            method: The state of the program.
            rows: The mini-batch.
            phase: Name of the phase for the listeners.
        """


class EvolverSubject:
    """The evolver: its method is the state of its one predictor, its verdicts are those of F.

    Args:
        student: Its method is the initial method.
        pipeline: Roles, F, and how rows are grouped.
        settings: The search's hyper-parameters.
        listeners: Get the phases and the rows.
    """

    operators: Mapping[OperatorName, Operator] = OPERATORS
    need_cases: frozenset[OperatorName] = NEED_CASES

    def __init__(
        self,
        student: Evolver,
        pipeline: Pipeline,
        settings: SearchSettings,
        listeners: Listeners,
    ) -> None:
        self.method = student.method
        self.proposer = Proposer(pipeline.roles.optimizer, settings)
        self.proposer.is_old = pipeline.is_old
        teacher = pipeline.failure.teacher
        taught = teacher.row_calls if teacher else 0
        self.row_calls = (2 if pipeline.responds else 1) + taught
        # The analysis reads rewrites only, so the mini-batch is not answered.
        self.case_calls = 1 + taught
        self.is_parallel = pipeline.blocks_in_flight > 1
        self._student, self._pipeline, self._listeners = student, pipeline, listeners
        self._length = settings.trajectory_rounds

    async def measure(
        self, method: Method, rows: Sequence[Row], *, phase: str | None
    ) -> Evaluation:
        """Return F of each row (paper, section 3.3)."""
        evolver = self._student.with_method(method)
        return await evaluate(evolver, rows, self._pipeline, self._listeners, phase=phase)

    async def cases(self, method: Method, rows: Sequence[Row], *, phase: str) -> list[Trajectory]:
        """Return S_t of the paper: the mini-batch, evolved l times with a method."""
        return await trajectories(
            self._student.with_method(method),
            rows,
            replace(self._pipeline, responds=False),
            self._listeners,
            length=self._length,
            phase=phase,
        )
