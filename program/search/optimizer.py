"""Auto Evol-Instruct as a DSPy optimiser: the loop of the paper's section 3.

A step makes m candidate methods, races them against the incumbent on the dev rows, and keeps the
best one. The paper's own algorithm is this loop with the settings `program.search.settings.PAPER`.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import dspy
from dspy.teleprompt import Teleprompter

from autoevol.metrics.selection.quotations import Quotations
from autoevol.program.blocks import run_here
from autoevol.program.calls import PaidCalls, collected_calls
from autoevol.program.errors import StoppedError
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation, Headroom, Row, StepRecord
from autoevol.program.search.acceptance import Acceptance, decide_step
from autoevol.program.search.archive import Archive
from autoevol.program.search.candidates import CandidateMaker, CopyGuard
from autoevol.program.search.confirmation import ConfirmationTest, confirm_on_fresh_rows
from autoevol.program.search.policy import Policy, ProposalStudy
from autoevol.program.search.racing import Race, RaceRules
from autoevol.program.search.rows import SearchRows, search_rows
from autoevol.program.search.settings import RANKS, SearchSettings
from autoevol.program.search.subject import EvolverSubject, Subject
from autoevol.signatures import Method

logger = logging.getLogger(__name__)


class AutoEvolInstruct(Teleprompter):
    """Optimises the method of an `Evolver` against its failure rate on dev rows.

    Args:
        pipeline: Roles, F, and how rows are grouped.
        settings: Hyper-parameters.
        listeners: Get phases, rows, finished steps and the final choice.
        then: Gets the incumbent when the steps or the patience are used up, with the calls that are
            left. What it finds is confirmed on fresh rows as all else. None: the search ends there.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        settings: SearchSettings | None = None,
        listeners: Listeners | None = None,
        then: "EvolverContinuation | None" = None,
    ) -> None:
        super().__init__()
        self.pipeline, self.then = pipeline, then
        self.settings = settings or SearchSettings()
        self.listeners = listeners or Listeners()

    def compile(
        self,
        student: Evolver,
        *,
        trainset: Sequence[Row],
        valset: Sequence[Row],
        freshset: Sequence[Row] = (),
        heldoutset: Sequence[Row] = (),
    ) -> Evolver:
        """Return a copy of `student` with the best method of the search; see `acompile`.

        It can be called where an event loop runs, as in a notebook; that loop waits.
        """
        return run_here(
            self.acompile(
                student,
                trainset=trainset,
                valset=valset,
                freshset=freshset,
                heldoutset=heldoutset,
            )
        )

    async def acompile(
        self,
        student: Evolver,
        *,
        trainset: Sequence[Row | dspy.Example],
        valset: Sequence[Row | dspy.Example],
        freshset: Sequence[Row | dspy.Example] = (),
        heldoutset: Sequence[Row | dspy.Example] = (),
    ) -> Evolver:
        """Search for a better method.

        Args:
            student: Its method is the initial method e_0, and the first incumbent.
            trainset: Rows from which the mini-batches are drawn.
            valset: Dev rows D; the incumbent's verdicts on them are reused.
            freshset: Rows for the confirmation; none: the dev rows have to prove the incumbent.
            heldoutset: Never measured here; no proposal may quote them.

        Returns:
            A copy of `student`; with its own method when no better one was found.

        Raises:
            ConfigError: Two sets share a row.
            StoppedError: Not one dev row could be scored.
            LMError: A call failed for good in a way that ends the run.
        """
        settings, listeners = self.settings, self.listeners
        sets = {"trainset": trainset, "valset": valset, "freshset": freshset}
        rows = search_rows(**sets, heldoutset=heldoutset)
        if self.pipeline.is_old:
            rows = replace(rows, texts={})
        subject = EvolverSubject(student, self.pipeline, settings, listeners)
        with collected_calls() as calls:
            then = partial(self.then, student) if self.then else None
            search = Search(subject, settings, listeners, rows, PaidCalls(calls), then)
            best = await search.run()
        return student.with_method(best.method)


@dataclass(frozen=True, slots=True)
class Handover:
    """What one search leaves to the next.

    Attributes:
        incumbent: The best method on the dev rows.
        rows: Of the search.
        steps: Steps so far; the next search numbers its own from here.
        calls: Calls of all models that are left; None: no bound.
    """

    incumbent: Evaluation
    rows: SearchRows
    steps: int
    calls: int | None


Continuation = Callable[[Handover], Awaitable[Sequence[StepRecord]]]
"""A search that continues where another one has ended."""

EvolverContinuation = Callable[[Evolver, Handover], Awaitable[Sequence[StepRecord]]]
"""The same, of an evolver; its method is not the incumbent yet."""


class Search:
    """One search: the loop, its rows, and its parts.

    Args:
        subject: What is improved.
        settings: The search's hyper-parameters.
        listeners: Get steps, trials, the headroom and the final choice.
        rows: Train, dev and fresh rows.
        calls: The calls of all models so far, a collection that grows.
        then: Continues when the steps or the patience are used up; None: the search ends there.
    """

    def __init__(
        self,
        subject: Subject,
        settings: SearchSettings,
        listeners: Listeners,
        rows: SearchRows,
        calls: Sized,
        then: Continuation | None = None,
    ) -> None:
        self.subject, self.settings, self.listeners = subject, settings, listeners
        self.rows, self.then = rows, then
        self.acceptance = Acceptance(settings.acceptance, settings.accept_level, settings.tie_break)
        dev = rows.dev
        rules = RaceRules(settings.pruner, len(dev), settings.race_level, settings.race_worth)
        self.study = ProposalStudy(_policy(subject, settings), rules.make_pruner())
        guard = CopyGuard(Quotations(rows.texts, common=subject.method.text))
        self.maker = CandidateMaker(subject, rows.train, settings, listeners, guard)
        self.race = Race(
            rules=rules,
            dev=dev,
            measure=self._measure,
            study=self.study,
            listeners=listeners,
            is_parallel=subject.is_parallel,
        )
        self.budget = _StepBudget(calls, settings, subject, len(dev), len(rows.fresh))

    async def run(self) -> Evaluation:
        """Return the best method on the dev rows (paper, section 3)."""
        # e_0 is the first incumbent. Step t replaces it by e_t, or keeps it.
        incumbent = await self._measure(self.subject.method, self.rows.dev, "dev: initial method")
        if not has_headroom(incumbent, self.settings, self.listeners):
            return incumbent
        archive, failed_steps = Archive(incumbent, remembered=self.settings.remembered), 0
        steps = 0
        for step in range(self.settings.steps):
            # Checked before a step, never within one: an unfinished race decides nothing.
            if not self.budget.allows_step():
                if not step:
                    logger.warning("%s", self.budget.shortage)
                break
            with self.budget.counted_step():
                record = await self._step(step, incumbent, archive)
            incumbent, steps = record.best, step + 1
            # The paper stops when the failure rate no longer decreases; one step may be bad luck.
            failed_steps = 0 if record.is_accepted else failed_steps + 1
            if failed_steps >= self.settings.patience or self._is_perfect(incumbent):
                break
        incumbent = await self._continue(archive, incumbent, steps)
        return await self._confirm(archive, incumbent)

    def _is_perfect(self, incumbent: Evaluation) -> bool:
        """Tell whether no method can beat the incumbent: no row fails, and nothing else counts."""
        return not self.settings.tie_break and incumbent.failure_rate.rate == 0

    async def _continue(self, archive: Archive, incumbent: Evaluation, steps: int) -> Evaluation:
        """Return the incumbent after the search that follows this one, if there is one."""
        calls = self.budget.left
        if self.then is None or calls == 0 or self._is_perfect(incumbent):
            return incumbent
        for record in await self.then(Handover(incumbent, self.rows, steps, calls)):
            archive.add(record.candidates)
            self.listeners.on_step(record)
            incumbent = record.best
        return incumbent

    async def _step(self, step: int, incumbent: Evaluation, archive: Archive) -> StepRecord:
        """Make m candidates, measure them on the dev rows, and keep the best method."""
        is_usable = partial(self.maker.is_usable, incumbent=incumbent, archive=archive)
        recalled = 0 if step else len(self.settings.earlier)
        count = self.settings.candidates
        trials = self.study.ask(step, count, is_usable, recalled=recalled)
        # Section 3.2: trajectories of a mini-batch, their analysis, m optimised methods.
        candidates = await self.maker.propose(step, trials, incumbent, archive)
        # Section 3.3: the candidates' failure rates on the dev rows; the lowest one is kept.
        candidates = await self.race.run(candidates, trials, incumbent, archive.initial)
        record = decide_step(
            step,
            incumbent,
            candidates,
            self.acceptance,
            keeps_incumbent=self.settings.incumbent,
        )
        archive.add(record.candidates)
        self.listeners.on_step(record)
        self.listeners.on_trials(self.study.trials)
        return record

    async def _confirm(self, archive: Archive, incumbent: Evaluation) -> Evaluation:
        """Return the best method on fresh rows; without such rows the incumbent, if proved."""
        settings, fresh = self.settings, self.rows.fresh
        if not (fresh and settings.finalists):
            return self._proved(incumbent, archive.initial)

        async def measure(method: Method, rows: Sequence[Row]) -> Evaluation:
            return await self._measure(method, rows, f"confirmation: {method.name}")

        rule = self.acceptance.confirming
        test = ConfirmationTest(rule, settings.fresh_level, settings.finalists)
        choice = await confirm_on_fresh_rows(archive, fresh, test, measure)
        self.listeners.on_choice(choice)
        return choice.best

    def _proved(self, incumbent: Evaluation, initial: Evaluation) -> Evaluation:
        """Return the incumbent, or the initial method where it got there provisionally at most."""
        if self.acceptance.name != "provisional":
            return incumbent
        preference = self.acceptance.confirming.compare(incumbent, initial)
        return incumbent if preference.is_better else initial

    async def _measure(
        self, method: Method, rows: Sequence[Row], phase: str | None = None
    ) -> Evaluation:
        return await self.subject.measure(method, rows, phase=phase)


def _policy(subject: Subject, settings: SearchSettings) -> Policy:
    operators = tuple(name for name in settings.operators if name in subject.operators)
    predictors = tuple(part.name for part in subject.method.parts)
    boldness = settings.boldness if subject.proposer.prompts.bolder else ("sentence",)
    return Policy(
        settings.policy, operators, settings.temperatures, settings.seed, predictors, boldness
    )


class _StepBudget:
    """Ends the search before a step that may exceed `max_calls`.

    It expects the costliest step so far, before the first one an upper bound, and reserves the
    calls that the confirmation may need.

    Args:
        calls: The search's calls so far, a collection that grows.
        settings: `max_calls`, and what the cost of a step depends on.
        subject: Knows the calls of a row.
        dev: Number of dev rows.
        fresh: Number of fresh rows.
    """

    def __init__(
        self, calls: Sized, settings: SearchSettings, subject: Subject, dev: int, fresh: int
    ) -> None:
        self._calls, self._settings, self._subject = calls, settings, subject
        self._dev, self._fresh = dev, fresh
        self._step_calls: list[int] = []

    @property
    def left(self) -> int | None:
        """Calls that are left beside those of the confirmation; None: there is no bound."""
        limit = self._settings.max_calls
        return None if limit is None else max(0, limit - self._reserve - len(self._calls))

    @property
    def shortage(self) -> str:
        """A sentence on why the first step does not fit."""
        needed = len(self._calls) + self._bound + self._reserve
        return (
            f"max_calls is {self._settings.max_calls}, and the search makes no step: after "
            f"{len(self._calls)} calls a step may take {self._bound} and the confirmation "
            f"{self._reserve}; set max_calls to {needed} or more"
        )

    def allows_step(self) -> bool:
        """Return whether another step fits into the budget."""
        limit = self._settings.max_calls
        costliest = max(self._step_calls, default=self._bound)
        return limit is None or len(self._calls) + costliest + self._reserve <= limit

    @contextmanager
    def counted_step(self) -> Iterator[None]:
        """Count the calls of the step made inside the block."""
        before = len(self._calls)
        yield
        self._step_calls.append(len(self._calls) - before)

    @property
    def _bound(self) -> int:
        settings, subject = self._settings, self._subject
        parents = 1 if settings.policy == "paper" else min(RANKS, settings.candidates)
        batches = parents * settings.batch_size * settings.trajectory_rounds * subject.case_calls
        # A proposal takes an analysis and a rewrite. A judge's calls and repairs come on top.
        return batches + settings.candidates * (2 + subject.row_calls * self._dev)

    @property
    def _reserve(self) -> int:
        finalists = self._settings.finalists
        return self._subject.row_calls * self._fresh * (1 + finalists if finalists else 0)


def has_headroom(initial: Evaluation, settings: SearchSettings, listeners: Listeners) -> bool:
    """Return whether a better method could be detected at all; the listeners get the figures.

    Raises:
        StoppedError: Not one row of the initial method could be scored.
    """
    if not initial.failure_rate.scored:
        # Rows that were not scored say why.
        reasons = [str(reason) for outcome in initial.outcomes for reason in outcome.reasons]
        reasons += [outcome.row.unknown for outcome in initial.outcomes if outcome.row.unknown]
        raise StoppedError(f"no dev row could be scored: {(reasons or ['there are none'])[0]}")
    # A method that wins k rows and loses none has p = 2^-k. With fewer failures than the test needs
    # not even a perfect method could pass it.
    headroom = Headroom(initial.failure_rate, settings.accept_level)
    listeners.on_headroom(headroom)
    return headroom.is_enough or not settings.headroom
