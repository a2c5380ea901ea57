"""One experiment from its plan to its summary: search, evolve, score, filter, write."""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import LMError

from autoevol.experiments.artifacts.folder import RunFolder, open_folder
from autoevol.experiments.artifacts.summary import BulkResult, RunResult, summarise
from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import OpenModels, open_models
from autoevol.experiments.run.chunks import chunk_bills, chunk_ledgers
from autoevol.experiments.run.context import OpenRun, RunContext
from autoevol.experiments.run.phases.bulk import BulkPhase
from autoevol.experiments.run.phases.chunked import ChunkedBulk
from autoevol.experiments.run.phases.first_look import with_suspects_decided
from autoevol.experiments.run.phases.scores import ScorePhase, ScoreTools, open_score_tools
from autoevol.experiments.run.phases.teaching import with_teaching_decided
from autoevol.experiments.run.phases.waves import Waves
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.request import Scope
from autoevol.experiments.run.results import (
    write_best,
    write_rejected,
    write_run,
    write_search,
)
from autoevol.experiments.run.wiring import check_sandbox, checker_of, pipeline_of, scoring_roles
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.experiments.tracking.parent import TrackedRun
from autoevol.experiments.tracking.run import tracked
from autoevol.program.blocks import run_here
from autoevol.program.errors import StoppedError
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import Schedule

if TYPE_CHECKING:
    from autoevol.experiments.run.phases.search import SearchPhase


def run(plan: Plan, context: RunContext) -> dict[str, Any]:
    """Run the experiment and return its summary.

    Raises:
        ConfigError: The folder, a model or the sandbox cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StorageError: The disk is full, or the folder cannot be written.
        StoppedError: The budget is used up, no row could be scored, or the user stopped the run;
            the same command resumes.
    """
    # Opened before the first call: a benchmark that is missing must not cost a whole bulk phase.
    tools = open_score_tools(plan)
    # The same of a sandbox; the run opens its own, on the engine's loop.
    run_here(check_sandbox(plan, context.say))
    # The order matters. Signals are handled while weights are fetched and servers start, and the
    # folder's lock guards the ledger and the journal of the tracker.
    with (
        stopping_on_signal(context.say) as stopper,
        open_folder(
            plan.config, plan.content, fresh=context.fresh, chunk_rows=plan.chunk_rows
        ) as folder,
        open_models(
            plan.models,
            ledger=_ledger(plan, folder, context),
            budget=Budget(**plan.config.budget.model_dump()),
            on_part=context.bar.on_part,
            say=context.say,
        ) as models,
        tracked(context.tracking, _tracked_run(plan), folder, context.tags, context.say) as tracker,
        # DSPy would keep the last 10,000 calls of every module in memory.
        dspy.context(disable_history=True, max_trace_size=0),
    ):
        write_rejected(folder, plan.recognised.rejected)
        stopper.attach(models.engine)
        context.bar.count_tokens(models.engine.totals)
        pipeline = pipeline_of(plan, models, tracker.on_call, folder.rules)
        opened = OpenRun(plan, context, folder, pipeline, tracker)
        return _run_phases(opened, models, tools)


def _ledger(plan: Plan, folder: RunFolder, context: RunContext) -> LedgerSettings:
    # Waves go through all seeds, whose calls an earlier try may have put into chunks.
    is_whole = folder.chunk_rows and plan.config.evolve.target
    return LedgerSettings(
        folder.ledger,
        folder.rules.greedy_draws,
        context.lenders,
        parts=chunk_bills(folder.path),
        further=chunk_ledgers(folder.path) if is_whole else (),
    )


def _run_phases(opened: OpenRun, models: OpenModels, tools: ScoreTools) -> dict[str, Any]:
    """Run the phases on the engine's loop, then write the results and return the summary."""
    started = time.monotonic()  # only now, so that a download or a model's start does not count
    try:
        result, scores = models.engine.run(_measured(opened, models, tools))
    # The finished calls are in the ledger, so the user can resume: exit code 3 and no traceback.
    except LMError as error:
        models.check_served()
        raise StoppedError(str(error)) from error
    # Before anything is written: a run whose every row failed for one setting is not finished.
    models.check_served()
    opened.context.bar.finish()
    figures = summarise(
        result,
        models.engine.totals,
        started=started,
        rows_in=len(opened.plan.splits.seeds),
        rows_rejected=len(opened.plan.recognised.rejected),
        resumed=opened.folder.is_resumed,
    )
    if opened.context.scope == "search":
        return write_search(opened, figures, result)
    return write_run(opened, figures, result, scores)


async def _measured(
    opened: OpenRun, models: OpenModels, tools: ScoreTools
) -> tuple[RunResult, ScoreResults | None]:
    """Return the measurements of all phases."""
    # Witnesses take their exams first: a rule of one that fails is no part of F from here on.
    if opened.plan.config.evolve.rounds or opened.plan.start:
        await opened.pipeline.failure.prepare()
    decided = await with_teaching_decided(await with_suspects_decided(opened))
    async with checker_of(opened.plan, _ignore) as checker:
        pipeline = replace(decided.pipeline, checker=checker)
        result, scores = await _phases(replace(decided, pipeline=pipeline), models, tools).run()
    return replace(result, teach_abstains=decided.teach_abstains), scores


def _ignore(line: str) -> None:
    """Say nothing: the check before the run has said it."""


@dataclass(frozen=True, slots=True)
class _Phases:
    """The phases of one run, in order.

    Attributes:
        search: None: the config's methods are applied as they are.
        bulk: None: the user asked for the search alone.
        chunked: The same, chunk by chunk; None: all seeds at once.
    """

    opened: OpenRun
    models: OpenModels
    search: "SearchPhase | None"
    bulk: BulkPhase | None
    score: ScorePhase
    chunked: ChunkedBulk | None = None

    async def run(self) -> tuple[RunResult, ScoreResults | None]:
        """Return the measurements of the phases, and the scores if the config has any."""
        plan = self.opened.plan
        student = Evolver(plan.start or plan.methods[0], plan.answer_prompt)
        result, schedule = RunResult(plan.methods), plan.schedule
        if self.search:
            method, search = await self.search.run(student)
            result, schedule = RunResult([method], search), [[method]]
        # Before the bulk phase: a run that stops there leaves the method that it searched for.
        write_best(self.opened.folder, student, schedule[0][0])
        if self.bulk is None:
            return result, None
        with self.models.in_batches():
            return await self._evolved(self.bulk, result, student, schedule)

    async def _evolved(
        self, whole: BulkPhase, result: RunResult, student: Evolver, schedule: Schedule
    ) -> tuple[RunResult, ScoreResults | None]:
        """Return the measurements with those of the bulk phase, its scores and filters."""
        target = self.opened.plan.config.evolve.target
        if target:
            waves = Waves(whole, self.score, target)
            bulk, scores, filtered = await waves.run(student, schedule)
            _check_scored(bulk)
            return replace(result, bulk=bulk, filtered=filtered), scores
        bulk = await (self.chunked or whole).run(student, schedule)
        _check_scored(bulk)
        scores = await self.score.run()
        return replace(result, bulk=bulk, filtered=self.score.filter()), scores


def _check_scored(bulk: BulkResult) -> None:
    """Return, or raise where every row is unscored: such a run has no result.

    Raises:
        StoppedError: No row was scored, although there are rows.
    """
    unscored = sum(count.unscored for count in bulk.rounds)
    if unscored and not any(count.kept or count.failed for count in bulk.rounds):
        raise StoppedError(f"all {unscored} rows are unscored; unscored.jsonl says why")


def load_search(plan: Plan, scope: Scope) -> None:
    """Import the search, where the run has one, before a second thread starts.

    Optuna loads scikit-learn, which sets variables of the environment that other threads may be
    reading.
    """
    if plan.start and scope != "apply":
        import autoevol.experiments.run.phases.search  # noqa: F401


def _phases(opened: OpenRun, models: OpenModels, tools: ScoreTools) -> _Phases:
    plan, context = opened.plan, opened.context
    wide = _wide(opened, models)
    bulk = BulkPhase(wide, models.engine.totals) if context.scope != "search" else None
    return _Phases(
        opened,
        models,
        _search_phase(opened) if plan.start and context.scope != "apply" else None,
        bulk,
        ScorePhase(wide, tools, scoring_roles(plan, models, opened.tracker.on_call)),
        ChunkedBulk(bulk, models.engine) if bulk and opened.folder.chunk_rows else None,
    )


def _wide(opened: OpenRun, models: OpenModels) -> OpenRun:
    """Return the run with as many rows in flight as fill a batch, where a role has batches."""
    pipeline = opened.pipeline
    blocks = max(pipeline.blocks_in_flight, models.most_waiting // pipeline.block_rows)
    return replace(opened, pipeline=replace(pipeline, blocks_in_flight=blocks))


def _search_phase(opened: OpenRun) -> "SearchPhase":
    # It loads Optuna, which a run without a search does without.
    from autoevol.experiments.run.phases.search import SearchPhase

    return SearchPhase(opened)


def _tracked_run(plan: Plan) -> TrackedRun:
    config, optimizer = plan.config, plan.models.get("optimizer")
    return TrackedRun(
        name=config.name,
        config=config.model_dump(mode="json"),
        seeds=plan.splits.seeds,
        digest=plan.facts.data_set,
        source=config.data.path,
        optimizer_temperature=optimizer.temperature if optimizer else None,
    )
