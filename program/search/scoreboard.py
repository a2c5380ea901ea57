"""What an optimiser from outside sees of us: a program to call, a metric, and a budget.

Every method that such an optimiser tries is measured row by row through our own pipeline (draws,
ledger, F), once for each row: the scoreboard remembers. When the budget of calls is used up it
answers with the worst score and makes no call, so the optimiser comes to its end in its own way
and the best method seen is kept. (An exception would be caught inside DSPy's Evaluate, and the
method lost.)
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dspy

from autoevol.program.calls import CallRecord, collected_calls
from autoevol.program.evolution.evaluation import evaluate
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation, Outcome, Row
from autoevol.signatures import Method


class Scoreboard:
    """Outcomes by method and row, and the calls they cost.

    Args:
        pipeline: Roles, F, and how rows are grouped.
        rows: That may be asked for.
        listeners: Hear of the rows.
        max_calls: Budget of calls; None: no end.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        rows: Sequence[Row],
        listeners: Listeners,
        *,
        max_calls: int | None,
    ) -> None:
        self.proposal_calls: list[CallRecord] = []
        self.fatal: Exception | None = None
        self._pipeline, self._listeners, self._max_calls = pipeline, listeners, max_calls
        self._rows = {row.id: row for row in rows}
        self._outcomes: dict[str, dict[str, Outcome]] = {}
        self._methods: dict[str, Method] = {}
        self._loop = asyncio.get_running_loop()
        self._row_calls = 0

    def __deepcopy__(self, memo: object) -> "Scoreboard":
        """Return the board itself: copies of a program share it."""
        return self

    @property
    def spent(self) -> int:
        """Calls made so far, those of proposals included."""
        return self._row_calls + len(self.proposal_calls)

    @property
    def is_spent(self) -> bool:
        """Whether the budget is used up, or a call failed in a way that ends the run."""
        if self.fatal:
            return True
        return self._max_calls is not None and self.spent >= self._max_calls

    @property
    def methods(self) -> list[Method]:
        """Every method seen, in the order in which it came up."""
        return list(self._methods.values())

    def outcome(self, evolver: Evolver, row_id: str) -> Outcome | None:
        """Return what becomes of a row; None: the budget is used up. From any other thread."""
        method = evolver.method
        self._methods.setdefault(method.id, method)
        known = self._outcomes.setdefault(method.id, {})
        if row_id not in known:
            if self.is_spent:
                return None
            try:
                found = self._measure(evolver, self._rows[row_id])
            except Exception as error:
                self.fatal = self.fatal or error
                raise
            self._row_calls += found.row.usage.get("calls", 0)
            known[row_id] = found
        return known[row_id]

    async def measure(self, evolver: Evolver, rows: Sequence[Row], *, phase: str) -> None:
        """Measure a method on rows side by side. On the search's own loop."""
        with collected_calls(apart=True) as calls:
            found = await evaluate(evolver, rows, self._pipeline, self._listeners, phase=phase)
        self._row_calls += len(calls)
        self._methods.setdefault(found.method.id, found.method)
        known = self._outcomes.setdefault(found.method.id, {})
        known.update({outcome.source.id: outcome for outcome in found.outcomes})

    def evaluation(self, method: Method, rows: Sequence[Row]) -> Evaluation | None:
        """Return a method on `rows`; None unless it was measured on every one of them."""
        known = self._outcomes.get(method.id, {})
        if any(row.id not in known for row in rows):
            return None
        return Evaluation(method, tuple(known[row.id] for row in rows))

    def wait_for(self, work: Any) -> Any:
        """Run a coroutine on the search's own loop and wait for it. From any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _measure(self, evolver: Evolver, row: Row) -> Outcome:
        found: Evaluation = self.wait_for(self._evaluated(evolver, row))
        return found.outcomes[0]

    async def _evaluated(self, evolver: Evolver, row: Row) -> Evaluation:
        with collected_calls(apart=True):
            return await evaluate(evolver, [row], self._pipeline, self._listeners, phase=None)


class ScoredEvolver(dspy.Module):
    """The evolver as a program of one input, the row's id; its one predictor is the method.

    Args:
        evolver: Copied along by the optimiser, which rewrites its predictor.
        board: Where the rows are measured.
    """

    def __init__(self, evolver: Evolver, board: Scoreboard) -> None:
        super().__init__()
        self.evolver = evolver
        self.board = board

    def forward(self, row_id: str) -> dspy.Prediction:
        """Return the rewrite, with the outcome beside it, and leave the trace that DSPy expects."""
        found = self.board.outcome(self.evolver, row_id)
        if found is None:
            return dspy.Prediction(evolved_instruction="", outcome=None)
        made = dspy.Prediction(evolved_instruction=found.row.instruction or found.raw)
        if dspy.settings.trace is not None:
            shown = {"instruction": found.source.instruction}
            dspy.settings.trace.append((self.evolver.evolve, shown, made))
        return dspy.Prediction(evolved_instruction=made.evolved_instruction, outcome=found)


def score(
    gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
) -> dspy.Prediction:
    """Return 1 for a sound row and 0 for any other, with F's reasons as feedback."""
    outcome: Outcome | None = pred.outcome
    if outcome is None:
        return dspy.Prediction(score=0.0, feedback="not measured: the budget is used up")
    reasons = "; ".join(map(str, outcome.reasons)) or "sound"
    return dspy.Prediction(score=float(outcome.verdict is False), feedback=reasons)


def examples(rows: Sequence[Row]) -> list[dspy.Example]:
    """Return rows as examples whose one input is the row's id."""
    return [dspy.Example(row_id=row.id).with_inputs("row_id") for row in rows]


def named(method: Method, number: int) -> Method:
    """Return the method under the name of its place in the search."""
    return replace(method, name=f"step-{number:02d}-candidate-0")
