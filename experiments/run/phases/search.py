"""The search phase of a run: find the best method, then test it on held-out rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autoevol.experiments.artifacts.summary import HeldoutTest, SearchResult
from autoevol.experiments.run.context import OpenRun
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.wiring import search_settings
from autoevol.metrics import FailureRate
from autoevol.program.evolution.evaluation import evaluate
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation, FinalChoice, Headroom, Row, StepRecord
from autoevol.program.search.optimizer import AutoEvolInstruct
from autoevol.program.search.policy import importances
from autoevol.program.search.settings import SearchSettings
from autoevol.program.search.teleprompters import EXTERNAL, ExternalOptimizer
from autoevol.signatures import Method


class SearchPhase:
    """Searches with the config's optimizer, and tests the best method on held-out rows.

    Args:
        opened: The run.

    Raises:
        ConfigError: The storage for Optuna's study cannot be opened.
    """

    def __init__(self, opened: OpenRun) -> None:
        self._plan, self._pipeline = opened.plan, opened.pipeline
        self._rules = opened.folder.rules
        self._say = opened.context.say
        self._log = _SearchLog(opened)
        self._listeners = Listeners(
            on_phase=opened.on_phase,
            on_row=opened.on_row,
            on_step=self._log.on_step,
            on_headroom=self._log.on_headroom,
            on_choice=self._log.on_choice,
            on_trials=self._log.on_trials,
        )

    async def run(self, student: Evolver) -> tuple[Method, SearchResult]:
        """Return the method to apply, and all measurements.

        Args:
            student: Holds the initial method.

        Raises:
            LMError: A call failed for good in a way that ends the run.
        """
        splits = self._plan.splits
        best = await self._optimizer().acompile(
            student,
            trainset=splits.train,
            valset=splits.dev,
            freshset=splits.fresh,
            heldoutset=splits.heldout,
        )
        heldout = await self._test(student, best)
        result = self._log.result(best.method.id, heldout)
        if self._plan.config.optimizer.check_accepted:
            result = await self._checked(student, result)
        return self._applied(student.method, best.method, heldout), result

    def _optimizer(self) -> AutoEvolInstruct | ExternalOptimizer:
        name = self._plan.config.optimizer.name
        settings = search_settings(self._plan, self._rules)
        if name in EXTERNAL:
            return self._external(name, settings)
        then = self._plan.config.optimizer.then
        following = self._external(then, settings).continued if then else None
        return AutoEvolInstruct(self._pipeline, settings, self._listeners, following)

    def _external(self, name: str, settings: SearchSettings) -> ExternalOptimizer:
        return ExternalOptimizer(EXTERNAL[name], self._pipeline, settings, self._listeners)

    async def _test(self, student: Evolver, best: Evolver) -> HeldoutTest | None:
        """Measure both methods on the held-out rows; None: there are none."""
        if not self._plan.splits.heldout:
            return None
        initial = await self._evaluate(student, "initial method")
        # One method has one set of verdicts: another evaluation would draw the same replies.
        if best.method.id == student.method.id:
            return HeldoutTest(initial, initial)
        return HeldoutTest(initial, await self._evaluate(best, "best method"))

    async def _checked(self, student: Evolver, result: SearchResult) -> SearchResult:
        """Measure the accepted methods on the fresh and held-out rows that they have not seen."""
        splits = self._plan.splits
        measured = [step.incumbent.method for step in result.steps[:1]]
        measured += [step.best.method for step in result.accepted]
        fresh = await self._rates(student, measured, "fresh", splits.fresh, result.fresh_rates)
        heldout = await self._rates(
            student, measured, "held-out", splits.heldout, result.heldout_rates
        )
        return replace(result, fresh_checks=fresh, heldout_checks=heldout)

    async def _rates(
        self,
        student: Evolver,
        methods: Sequence[Method],
        name: str,
        rows: Sequence[Row],
        existing: Mapping[str, FailureRate],
    ) -> dict[str, FailureRate]:
        rates = dict(existing)
        for method in methods:
            if rows and method.id not in rates:
                evolver, phase = student.with_method(method), f"check on {name} rows: {method.name}"
                measured = await self._measure(evolver, rows, phase)
                rates[method.id] = measured.failure_rate
        return rates

    async def _evaluate(self, evolver: Evolver, name: str) -> Evaluation:
        return await self._measure(evolver, self._plan.splits.heldout, f"held-out: {name}")

    async def _measure(self, evolver: Evolver, rows: Sequence[Row], phase: str) -> Evaluation:
        return await evaluate(evolver, rows, self._pipeline, self._listeners, phase=phase)

    def _applied(self, initial: Method, best: Method, heldout: HeldoutTest | None) -> Method:
        """Return the best method, or the initial one where the held-out rows show no gain."""
        keeps_best = self._plan.config.optimizer.on_no_gain == "keep_best"
        if best.id == initial.id or heldout is None or heldout.has_gain or keeps_best:
            return best
        self._say(f"{heldout.no_gain}; the initial method is applied (optimizer.on_no_gain)")
        return initial


class _SearchLog:
    """Listens to a search: stores its reports, in memory, in the run's folder and in MLflow."""

    def __init__(self, opened: OpenRun) -> None:
        self._folder, self._tracker = opened.folder, opened.tracker
        self._say = opened.context.say
        self._needs_headroom = opened.plan.config.optimizer.headroom
        self._initial: FailureRate | None = None
        self._skipped: str | None = None
        self._steps: list[StepRecord] = []
        self._choice: FinalChoice | None = None
        self._view = _study_view(opened.plan)
        self._trials: Sequence[Any] = ()

    def on_headroom(self, headroom: Headroom) -> None:
        """Store the initial method's failure rate; warn if it leaves too little to be gained."""
        self._initial = headroom.initial
        if self._needs_headroom and not headroom.is_enough:
            self._skipped = f"{headroom}: the search is skipped"
            self._say(f"{self._skipped} (--force searches anyway)")

    def on_step(self, record: StepRecord) -> None:
        """Store a finished step."""
        self._steps.append(record)
        self._folder.on_step(record)
        self._tracker.on_step(record)

    def on_choice(self, choice: FinalChoice) -> None:
        """Store the confirmation on fresh rows."""
        self._choice = choice
        self._tracker.on_choice(choice)

    def on_trials(self, trials: Sequence[Any]) -> None:
        """Keep the trials so far, and show them where the config's storage is."""
        self._trials = trials
        self._view(trials)

    def result(self, best_id: str, heldout: HeldoutTest | None) -> SearchResult:
        """Return all reports together with the test that followed the search."""
        return SearchResult(
            self._initial,
            self._skipped,
            tuple(self._steps),
            self._choice,
            heldout,
            importances(self._trials),
            best_id=best_id,
        )


def _study_view(plan: Plan) -> Callable[[Sequence[Any]], None]:
    """Return what copies Optuna's trials to the config's storage, if it names one."""
    if plan.config.optimizer.storage is None:
        return lambda _: None
    # It loads SQLAlchemy, which nothing but a storage needs here.
    from autoevol.experiments.artifacts.optuna_storage import StudyView

    return StudyView(plan.config.optimizer.storage, plan.config.name).on_trials
