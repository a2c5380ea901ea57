"""One experiment from its plan to its summary: search, measure, evolve, write."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import LMError

from autoevol.experiments.artifacts.bandit import LearnedWriter, read_learned
from autoevol.experiments.artifacts.folder import RunFolder, open_folder, row_files
from autoevol.experiments.artifacts.funnel import counts_by_stage, funnel
from autoevol.experiments.artifacts.search_record import STEPS, record_of
from autoevol.experiments.artifacts.summary import Findings, summarise
from autoevol.experiments.export.writers import export_finished
from autoevol.experiments.files.records import read_rows
from autoevol.experiments.models.budget import Budget, Totals
from autoevol.experiments.models.runtime import OpenModels, open_models
from autoevol.experiments.report.run_page import write_report
from autoevol.experiments.run.plan import Plan
from autoevol.experiments.run.request import Scope
from autoevol.experiments.run.wiring import (
    generation_settings,
    pipeline_of,
    scoring_roles,
    search_settings,
)
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.parent import TrackedRun
from autoevol.experiments.tracking.run import Tracker, tracked
from autoevol.program.errors import StoppedError
from autoevol.program.evolution.evaluation import evaluate
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import Generator, Schedule
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation, FinalChoice, Headroom, Outcome, Row, StepRecord
from autoevol.program.search.optimizer import AutoEvolInstruct
from autoevol.program.search.teleprompters import EXTERNAL, ExternalOptimizer
from autoevol.signatures import Method

if TYPE_CHECKING:
    from autoevol.experiments.scores.filtering import Filter
    from autoevol.experiments.scores.results import ScoreResults
    from autoevol.experiments.scores.scoring import ScoringResources

_ARTIFACTS = ("config.yaml", "evolved.jsonl", "failures.jsonl", STEPS)


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run is embedded in.

    Attributes:
        fresh: Start anew and keep the old folder beside the new one.
        scope: The whole run, the search alone, or the bulk phase alone.
        say: Takes one line for people.
        tags: Of the MLflow run, beside those of `mlflow.yaml`.
    """

    bar: ProgressBar
    say: Callable[[str], None]
    tracking: TrackingConfig | None
    fresh: bool = False
    scope: Scope = "all"
    tags: Mapping[str, str] = field(default_factory=dict)


def run(plan: Plan, around: RunContext) -> dict[str, Any]:
    """Run the experiment and return its summary.

    Raises:
        ConfigError: The folder or a model cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StorageError: The folder takes no more.
        StoppedError: The budget is used up, or the user wishes to stop; the same command goes on.
    """
    budget = Budget(**plan.config.budget.model_dump())
    given, filters = _means(plan), _filters(plan)
    with (
        stopping_on_signal(around.say) as stopper,
        open_folder(plan.config, plan.content, fresh=around.fresh) as folder,
        open_models(
            plan.models,
            ledger=folder.ledger,
            budget=budget,
            on_part=around.bar.on_part,
            say=around.say,
        ) as fleet,
        tracked(around.tracking, _tracked_run(plan), folder, around.tags) as tracker,
        dspy.context(disable_history=True, max_trace_size=0),
    ):
        stopper.engine = fleet.engine
        around.bar.totals = fleet.engine.totals
        experiment = _Experiment(plan, folder, fleet, around, tracker)
        experiment.open_resources, experiment.filters = given, filters
        try:
            methods = fleet.engine.run(experiment.run())
        except LMError as error:
            raise StoppedError(str(error)) from error
        return experiment.finish(methods)


class _Experiment:
    """The phases of one run, in order."""

    def __init__(
        self,
        plan: Plan,
        folder: RunFolder,
        fleet: OpenModels,
        around: RunContext,
        tracker: Tracker | None,
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.totals = fleet.engine.totals
        self.around = around
        self.tracker = tracker
        self.findings = Findings()
        self.open_resources: ScoringResources | None = None
        self.filters: list[tuple[str, Filter]] = []
        self.book: ScoreResults | None = None
        watched = around.tracking.trace_sampling if around.tracking else 0.0
        self.pipeline = pipeline_of(plan, fleet, watched)
        self.scoring = scoring_roles(plan, fleet, watched)
        self.listeners = Listeners(
            around.bar.on_phase,
            around.bar.on_row,
            self._on_step,
            on_headroom=self._on_headroom,
            on_choice=self._on_choice,
            on_trials=_view(plan),
            on_learned=LearnedWriter(folder.path),
        )

    async def run(self) -> list[Method]:
        """Go through the phases and return the methods that were applied in the end."""
        await self.pipeline.failure.prepare()
        plan = self.plan
        student = Evolver(plan.start or plan.methods[0], plan.answer_prompt)
        schedule = plan.schedule
        if plan.start is not None and self.around.scope != "apply":
            best = await self._search(student)
            schedule = [[await self._measured(student, best)]]
        self._write_methods(student, schedule[0])
        if self.around.scope != "search":
            await self._apply(student, schedule)
            await self._score()
            self._filter()
        return list({m.id: m for methods in schedule for m in methods}.values())

    async def _search(self, student: Evolver) -> Evolver:
        optimizer = self._optimizer()
        splits = self.plan.splits
        return await optimizer.acompile(
            student, trainset=splits.train, valset=splits.dev, freshset=splits.fresh
        )

    def _optimizer(self) -> AutoEvolInstruct | ExternalOptimizer:
        name, settings = self.plan.config.optimizer.name, search_settings(self.plan)
        if name in EXTERNAL:
            return ExternalOptimizer(EXTERNAL[name], self.pipeline, settings, self.listeners)
        return AutoEvolInstruct(self.pipeline, settings, self.listeners)

    async def _measured(self, student: Evolver, best: Evolver) -> Method:
        """Measure both methods on rows that had no part in the choice; return the one to apply."""
        rows, findings = self.plan.splits.heldout, self.findings
        if not rows:
            return best.method
        initial = await self._evaluation(student, rows, "initial method")
        findings.heldout_initial = findings.heldout_best = initial
        if best.method.id == student.method.id:
            return best.method
        findings.heldout_best = await self._evaluation(best, rows, "best method")
        if findings.has_gain or self.plan.config.optimizer.on_no_gain == "keep_best":
            return best.method
        self.around.say(f"{findings.no_gain}; the initial method is applied (optimizer.on_no_gain)")
        return student.method

    async def _evaluation(self, evolver: Evolver, rows: list[Row], name: str) -> Evaluation:
        phase = f"held-out: {name}"
        return await evaluate(evolver, rows, self.pipeline, self.listeners, phase=phase)

    async def _apply(self, student: Evolver, schedule: Schedule) -> None:
        before = replace(self.totals)
        with row_files(self.folder) as write:

            def on_row(outcome: Outcome) -> None:
                write(outcome)
                self.around.bar.on_row(outcome)

            listeners = replace(self.listeners, on_row=on_row)
            settings = generation_settings(self.plan, read_learned(self.folder.path))
            generator = Generator(student, schedule, self.pipeline, settings, listeners)
            self.findings.rounds = await generator.generate(self.plan.splits.seeds)
        self.findings.by_method = generator.by_method
        self.findings.prefix_hits = _prefix_hits(before, self.totals)

    async def _score(self) -> None:
        """Measure what the rounds have left, where the config asks for it."""
        if self.open_resources is None:
            return
        from autoevol.experiments.scores.files import rounds_of, write_scores
        from autoevol.experiments.scores.scoring import asking, score_set, settings_of

        scores = self.plan.config.scores
        rounds = rounds_of(self.plan.splits.seeds, self.folder.path)
        given = asking(
            self.open_resources,
            self.scoring,
            in_flight=self.pipeline.rows_in_flight,
            seed=self.plan.config.seed,
        )
        self.book = await score_set(rounds, scores, given, self.listeners)
        for note in self.book.notes:
            self.around.say(note)
        models = {role: asked.model for role, asked in self.scoring.items()}
        settings = settings_of(scores, models)
        files = write_scores(self.folder.path, self.book, settings)
        if self.tracker:
            self.tracker.on_scores(self.book.figures, files)

    def _filter(self) -> None:
        """Mark the rows that the config's filters take out."""
        if not self.filters:
            return
        from autoevol.experiments.scores.files import evolved_rows
        from autoevol.experiments.scores.filtering import counts, filtered, mark

        marks = filtered(evolved_rows(self.folder.path), self.plan.splits.seeds, self.filters)
        mark(self.folder.path, marks)
        self.findings.filtered = counts(marks, self.filters)

    def _write_methods(self, student: Evolver, methods: list[Method]) -> None:
        """Keep the method, and the predictor that holds it, for use outside AutoEvol."""
        self.findings.best_method_id = methods[0].id
        self.folder.write_method("best", methods[0])
        student.with_method(methods[0]).evolve.save(str(self.folder.path / "program.json"))

    def _on_headroom(self, headroom: Headroom) -> None:
        self.findings.initial = headroom.initial
        if self.plan.config.optimizer.headroom and not headroom.is_enough:
            self.findings.headroom = f"{headroom}: the search is skipped"
            self.around.say(f"{self.findings.headroom} (--force searches all the same)")

    def _on_choice(self, choice: FinalChoice) -> None:
        self.findings.choice = choice
        if self.tracker:
            self.tracker.on_choice(choice)

    def _on_step(self, record: StepRecord) -> None:
        self.findings.steps.append(record)
        self.folder.on_step(record)
        if self.tracker:
            self.tracker.on_step(record)

    def finish(self, methods: list[Method]) -> dict[str, Any]:
        """Write what the phases have found and return the summary."""
        self.around.bar.finish()
        summary = summarise(
            self.findings,
            self.totals,
            rows_in=len(self.plan.splits.seeds),
            mlflow_run_id=self.tracker.run_id if self.tracker else None,
            resumed=self.folder.is_resumed,
        )
        if self.around.scope == "search":
            self.folder.write("search.json", _as_json(summary))
            if self.tracker:
                self.tracker.finish(summary, [], methods[0])
            return summary
        summary["judge_fitness"] = self._judge_fitness()
        summary["scores"] = self.book.by_round() if self.book else []
        stopped = funnel(read_rows(self.folder.path / "failures.jsonl"))
        summary["failures_by_rule"] = counts_by_stage(stopped)
        export_finished(self.plan.config, self.plan.splits.seeds, summary, self.around.say)
        record = record_of(self.plan.start, self.findings.steps, methods)
        self.folder.write(STEPS, record.as_json())
        files = write_report(self.folder.path, summary)
        if self.tracker:
            data = [self.folder.path / name for name in _ARTIFACTS]
            self.tracker.on_rows(self.folder.path)
            self.tracker.finish(summary, [*files, *data], methods[0])
        self.folder.write("summary.json", _as_json(summary))
        return summary

    def _judge_fitness(self) -> dict[str, Any]:
        judge = self.pipeline.failure.judge
        fitness = judge.fitness.items() if judge else ()
        return {rule: {**asdict(found), "is_fit": found.is_fit} for rule, found in fitness}


def _tracked_run(plan: Plan) -> TrackedRun:
    config, optimizer = plan.config, plan.models.get("optimizer")
    return TrackedRun(
        config.name,
        config.model_dump(mode="json"),
        plan.splits.seeds,
        config.data.path,
        optimizer.temperature if optimizer else None,
    )


def _means(plan: Plan) -> "ScoringResources | None":
    """Return what the scores need, opened before the first call; None: there are no scores."""
    if not plan.config.scores.names:
        return None
    from autoevol.experiments.scores.scoring import open_resources

    return open_resources(plan.config.scores, plan.where)


def _filters(plan: Plan) -> "list[tuple[str, Filter]]":
    """Return the filters, opened before the first call."""
    if not plan.config.filters:
        return []
    from autoevol.experiments.scores.filtering import open_filters

    return open_filters(plan.config.filters, plan.where)


def _view(plan: Plan) -> Callable[[Sequence[Any]], None]:
    """Return what keeps a view of the study, if the config asks for one."""
    if plan.config.optimizer.storage is None or plan.start is None:
        return lambda _: None
    from autoevol.experiments.run.optuna_storage import StudyView

    return StudyView(plan.config.optimizer.storage, plan.config.name).on_trials


def _as_json(summary: dict[str, Any]) -> str:
    return json.dumps(summary, indent=2, ensure_ascii=False) + "\n"


def _prefix_hits(before: Totals, after: Totals) -> float | None:
    """Return the share of the method's tokens that came from the prefix cache, in [0, 1]."""
    shared = after.method_tokens - before.method_tokens
    cached = after.method_tokens_cached - before.method_tokens_cached
    return round(cached / shared, 4) if shared else None
