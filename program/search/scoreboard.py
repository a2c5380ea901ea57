"""What a DSPy optimiser sees of AutoEvol: a program to call, a metric, and a budget of calls.

Every method that such an optimiser tries is measured row by row through our own pipeline (draws,
ledger, F), once for each row; the scoreboard keeps the outcomes. When the budget is used up it
answers with the worst score and makes no call. The optimiser then ends on its own, and the best
method so far is kept. (An exception would be caught inside DSPy's Evaluate, and the method lost.)
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import dspy

from autoevol.program.calls import CallRecord, collected_calls, paid_calls
from autoevol.program.evolution.evaluation import evaluate, shown_reason
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation, Outcome, Row
from autoevol.program.search.candidates import CopyGuard
from autoevol.signatures import Method

Result = TypeVar("Result")


class OutcomeTable:
    """Outcomes by method and row, and the methods in the order in which they came up."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}
        self._outcomes: dict[str, dict[str, Outcome]] = {}

    @property
    def methods(self) -> list[Method]:
        """Every method of the table, the oldest first."""
        return list(self._methods.values())

    def outcomes_of(self, method: Method) -> dict[str, Outcome]:
        """Return a method's outcomes by row id, to read and to extend; adds the method."""
        self._methods.setdefault(method.id, method)
        return self._outcomes.setdefault(method.id, {})

    def evaluation(self, method: Method, rows: Sequence[Row]) -> Evaluation | None:
        """Return a method on `rows`; None unless it was measured on every one of them."""
        outcomes = self._outcomes.get(method.id, {})
        if any(row.id not in outcomes for row in rows):
            return None
        return Evaluation(method, tuple(outcomes[row.id] for row in rows))


class CallBudget:
    """Counts the calls of all models up to a limit.

    Args:
        limit: Most calls; None: no limit.
        proposal_calls: The calls of proposals so far, a list that grows.
    """

    def __init__(self, limit: int | None, proposal_calls: Sequence[CallRecord]) -> None:
        self._limit = limit
        self._proposal_calls = proposal_calls
        self._row_calls = 0

    @property
    def is_spent(self) -> bool:
        """Whether the limit is reached."""
        spent = self._row_calls + paid_calls(self._proposal_calls)
        return self._limit is not None and spent >= self._limit

    def record_row_calls(self, count: int) -> None:
        """Count calls that measured rows."""
        self._row_calls += count


class Scoreboard:
    """Measures methods on rows for an optimiser that runs in threads of its own.

    Create it on the event loop of the search: the loop on which all model calls run.

    Args:
        pipeline: Roles, F, and how rows are grouped.
        train: Rows that may be measured besides the dev rows.
        dev: Dev rows.
        listeners: Get the rows.
        budget: When it is spent no further row is measured.
        guard: Refuses methods that quote rows; for proposals of ours alone.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        train: Sequence[Row],
        dev: Sequence[Row],
        listeners: Listeners,
        budget: CallBudget,
        guard: CopyGuard,
    ) -> None:
        self.dev, self.guard = dev, guard
        self.table = OutcomeTable()
        self.fatal: Exception | None = None
        self._rows = {row.id: row for row in (*train, *dev)}
        self._pipeline, self._listeners, self._budget = pipeline, listeners, budget
        self._loop = asyncio.get_running_loop()

    def __deepcopy__(self, memo: object) -> "Scoreboard":
        """Return the board itself: copies of a program share it."""
        return self

    @property
    def is_closed(self) -> bool:
        """Whether the budget is spent, or a call failed in a way that ends the run."""
        return self.fatal is not None or self._budget.is_spent

    def outcome(self, evolver: Evolver, row_id: str) -> Outcome | None:
        """Return the outcome of a row under a method; None: the board is closed.

        Call it from a thread other than the search's own. An error of the measurement is raised,
        and kept as `fatal`, since DSPy catches what a program raises.
        """
        outcomes = self.table.outcomes_of(evolver.method)
        if row_id not in outcomes:
            if self.is_closed:
                return None
            try:
                outcome = self.wait_for(self._measure_row(evolver, self._rows[row_id]))
            except Exception as error:
                # Rows run in several threads: the first error ends the run, the others follow it.
                self.fatal = self.fatal or error
                raise
            outcomes[row_id] = outcome
        return outcomes[row_id]

    async def measure_dev(self, evolver: Evolver, *, phase: str) -> Evaluation:
        """Measure a method on the dev rows side by side. Await it on the search's own loop."""
        with collected_calls(apart=True) as calls:
            evaluation = await evaluate(
                evolver, self.dev, self._pipeline, self._listeners, phase=phase
            )
        self._budget.record_row_calls(paid_calls(calls))
        outcomes = {outcome.source.id: outcome for outcome in evaluation.outcomes}
        self.table.outcomes_of(evaluation.method).update(outcomes)
        return evaluation

    def wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the search's own loop and wait for it, from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _measure_row(self, evolver: Evolver, row: Row) -> Outcome:
        # Apart from the proposals' calls, which the budget counts by itself.
        with collected_calls(apart=True) as calls:
            evaluation = await evaluate(evolver, [row], self._pipeline, self._listeners, phase=None)
        self._budget.record_row_calls(paid_calls(calls))
        return evaluation.outcomes[0]


# MIPROv2 shows this class's source to a model, so its text is part of a prompt: see `Evolver`. The
# predictor is never called itself: its part of the trace is written here, for GEPA and MIPROv2 take
# demonstrations and examples for reflection from it. A reply that could not be parsed left no
# instruction; the reflection gets it as it came.
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
    """Return 1 for a row that passed and 0 for any other, with F's reasons as feedback."""
    # GEPA passes all five arguments, the other optimisers two or three.
    outcome: Outcome | None = pred.outcome
    if outcome is None:
        return dspy.Prediction(score=0.0, feedback="not measured: the budget is used up")
    reasons = "; ".join(map(shown_reason, outcome.reasons)) or "sound"
    return dspy.Prediction(score=float(outcome.verdict is False), feedback=reasons)


def examples(rows: Sequence[Row]) -> list[dspy.Example]:
    """Return rows as examples whose one input is the row's id."""
    return [dspy.Example(row_id=row.id).with_inputs("row_id") for row in rows]
