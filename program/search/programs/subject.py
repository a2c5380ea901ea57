"""A user's program as the subject of a search: measured by the user's metric, row by row."""

import inspect
import math
from collections.abc import Mapping, Sequence, Sized
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, cast

import dspy

from autoevol.metrics import Reason
from autoevol.program.blocks import run_blocks
from autoevol.program.draws import draw_number
from autoevol.program.evolution.callbacks import reported_evaluation
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Evaluation, Outcome, Row, Trajectory
from autoevol.program.roles import Role
from autoevol.program.search.operators import Operator
from autoevol.program.search.programs.diagnosis import warn_of_problems
from autoevol.program.search.programs.metric import (
    Judgement,
    UserMetric,
    judgement_of,
    judgement_of_error,
)
from autoevol.program.search.programs.operators import (
    PROGRAM_NEED_CASES,
    PROGRAM_OPERATORS,
    prompts_for,
)
from autoevol.program.search.programs.running import Run, in_thread, run_program
from autoevol.program.search.programs.state import ProgramState, as_text, fields_text
from autoevol.program.search.proposer import Proposer
from autoevol.program.search.settings import OperatorName, SearchSettings
from autoevol.signatures import Method


@dataclass(frozen=True, slots=True)
class Bench:
    """What measurements need beside a program.

    Attributes:
        examples: By the id of their row.
        metric: Judges predictions.
        threads: For what is not asynchronous.
        in_flight: Rows at work at the same time, at least 1.
        calls: All model calls so far, a collection that grows.
        listeners: Get the phases and the rows.
    """

    examples: Mapping[str, dspy.Example]
    metric: UserMetric
    threads: Executor
    in_flight: int
    calls: Sized
    listeners: Listeners

    async def judge(self, example: dspy.Example, prediction: Any) -> Judgement:
        """Return what the metric says of a prediction; it never ends the search by an error."""
        try:
            if self.metric.is_async:
                return judgement_of(await self.metric.call(example, prediction))
            value = await in_thread(self.threads, self.metric.call, example, prediction)
            # A coroutine function may hide behind an object, a partial or a lambda.
            return judgement_of(await value if inspect.isawaitable(value) else value)
        except Exception as error:  # noqa: BLE001, a user's metric may raise anything
            return judgement_of_error(error)


class ProgramSubject:
    """A program, its metric and its examples.

    Args:
        state: Of the program.
        bench: What measurements need.
        optimizer: Writes instructions.
        settings: The search's hyper-parameters.
    """

    operators: Mapping[OperatorName, Operator] = PROGRAM_OPERATORS
    need_cases: frozenset[OperatorName] = PROGRAM_NEED_CASES

    def __init__(
        self, state: ProgramState, bench: Bench, optimizer: Role, settings: SearchSettings
    ) -> None:
        self.method = state.method
        self.proposer = Proposer(optimizer, settings, prompts_for(state))
        self.row_calls = self.case_calls = 0
        self.is_parallel = bench.in_flight > 1
        self._state, self._bench, self._is_measured = state, bench, False

    async def measure(
        self, method: Method, rows: Sequence[Row], *, phase: str | None
    ) -> Evaluation:
        """Return the metric's verdict on each row."""
        bench, program = self._bench, self._state.apply(method)
        if phase is not None:
            bench.listeners.on_phase(Phase(phase, len(rows)))
        calls = len(bench.calls)
        # Our evaluations show up where DSPy's do.
        with reported_evaluation(cast(Any, program), rows) as report:
            results = await self._results(program, rows)
            outcomes = tuple(_outcome(row, *results[row.id], bench.metric) for row in rows)
            evaluation = Evaluation(method, outcomes)
            report(evaluation)
        if not self.row_calls:
            # How often a program calls its models is known once it has run.
            self.row_calls = self.case_calls = math.ceil((len(bench.calls) - calls) / len(rows))
        if not self._is_measured:
            self._is_measured = True
            warn_of_problems(outcomes, bench.metric)
        return evaluation

    async def cases(self, method: Method, rows: Sequence[Row], *, phase: str) -> list[Trajectory]:
        """Return the runs on a mini-batch, each with its verdict."""
        program = self._state.apply(method)
        self._bench.listeners.on_phase(Phase(phase, len(rows)))
        results = await self._results(program, rows)
        scored = [
            row for row in rows if _status(*results[row.id], self._bench.metric) != "unscored"
        ]
        return [self._case(row, *results[row.id]) for row in scored]

    async def _results(
        self, program: dspy.Module, rows: Sequence[Row]
    ) -> dict[str, tuple[Run, Judgement]]:
        bench = self._bench
        results: dict[str, tuple[Run, Judgement]] = {}

        async def work(block: Sequence[Row]) -> None:
            for row in block:
                example = bench.examples[row.id]
                run = await run_program(program, example, row_draw(row), bench.threads)
                judgement = Judgement(None)
                if run.reason is None:
                    judgement = await bench.judge(example, run.prediction)
                results[row.id] = run, judgement
                bench.listeners.on_row(_outcome(row, run, judgement, bench.metric))

        await run_blocks(rows, work, size=1, in_flight=bench.in_flight)
        return results

    def _case(self, row: Row, run: Run, judgement: Judgement) -> Trajectory:
        example, names = self._bench.examples[row.id], self._state.names
        stages = {"input": row.instruction}
        for number, step in enumerate(run.steps, 1):
            outputs = fields_text(step.outputs, step.outputs.keys())
            label = "output" if len(names) == 1 else f"step {number}, {names[step.predictor]}"
            stages[label] = outputs
        if len(names) > 1 and run.reason is None:
            stages["output"] = output_text(run.prediction)
        labels = example.labels()
        if len(labels):
            stages["expected"] = fields_text(labels, labels.keys())
        has_passed = _status(run, judgement, self._bench.metric) == "kept"
        stages["verdict"] = _verdict(run, judgement, has_passed=has_passed)
        return Trajectory(
            row.id,
            tuple(stages.values()),
            labels=tuple(stages),
            demonstrations=self._demonstrations(run) if has_passed else (),
            labelled=() if has_passed else self._labelled(example),
        )

    def _demonstrations(self, run: Run) -> tuple[tuple[str, str] | None, ...]:
        """Return the last call of each predictor in a run that passed."""
        pairs: list[tuple[str, str] | None] = [None] * len(self._state.names)
        for step in run.steps:
            example = dspy.Example(augmented=True, **step.inputs, **step.outputs)
            pairs[step.predictor] = self._state.demonstration(step.predictor, example)
        return tuple(pairs)

    def _labelled(self, example: dspy.Example) -> tuple[tuple[str, str] | None, ...]:
        """Return an example as a demonstration of each predictor whose fields it all holds.

        A program that passes no row at first has no run to show; its labels are all there is.
        """
        pairs: list[tuple[str, str] | None] = []
        for index in range(len(self._state.names)):
            fields = self._state.predictor(index).signature.fields
            own = {name: example.get(name) for name in fields}
            is_whole = all(value is not None for value in own.values())
            shown = dspy.Example(**own) if is_whole else None
            pairs.append(self._state.demonstration(index, shown) if shown else None)
        return tuple(pairs)


def row_draw(row: Row) -> int:
    """Return a row's draw, the same for every method."""
    return draw_number("program-row", row.id)


def output_text(prediction: Any) -> str:
    """Return what a program returned as text."""
    if isinstance(prediction, dspy.Example):
        return fields_text(prediction, prediction.keys())
    return as_text(prediction)


def _status(run: Run, judgement: Judgement, metric: UserMetric) -> Any:
    if run.reason is not None:
        return "unscored" if run.is_unscored else "failed"
    if judgement.score is None:
        return "unscored"
    return "failed" if metric.is_failed(judgement.score) else "kept"


def _outcome(row: Row, run: Run, judgement: Judgement, metric: UserMetric) -> Outcome:
    text = output_text(run.prediction) if run.reason is None else ""
    scores = {} if judgement.score is None else {"score": judgement.score}
    # No instruction: the measures that break ties compare rewrites, and a program writes none.
    result = Row(f"{row.id}.1", row.seed_id, "", parent_id=row.id, response=text, scores=scores)
    status = _status(run, judgement, metric)
    return Outcome(row, result, status, reasons=_reasons(run, judgement, status), raw=text)


def _reasons(run: Run, judgement: Judgement, status: str) -> tuple[Reason, ...]:
    if run.reason is not None:
        return (run.reason,)
    if judgement.score is None:
        return (Reason("metric", judgement.problem),)
    words = judgement.feedback or f"score {judgement.score:g}"
    return () if status == "kept" else (Reason("metric", words),)


def _verdict(run: Run, judgement: Judgement, *, has_passed: bool) -> str:
    if run.reason is not None:
        return f"failed: {run.reason}"
    score = "" if judgement.score in (0, 1) else f", score {judgement.score:g}"
    feedback = f": {judgement.feedback}" if judgement.feedback else ""
    return f"{'passed' if has_passed else 'failed'}{score}{feedback}"
