"""Auto Evol-Instruct as a DSPy optimiser: the loop of the paper's section 3, raced and remembered.

Step t asks for m proposals, races them against the incumbent on the dev rows, and keeps what proves
to be better. The paper's own algorithm is the settings `program.search.settings.PAPER`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import dspy
from dspy.teleprompt import Teleprompter

from autoevol.metrics import pairs
from autoevol.program.calls import CallRecord, collected_calls
from autoevol.program.draws import draw_number
from autoevol.program.errors import StoppedError
from autoevol.program.evolution.evaluation import evaluate, trajectories
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Candidate, Evaluation, Headroom, Row, StepRecord, Trajectory
from autoevol.program.search.acceptance import Acceptance
from autoevol.program.search.archive import Archive
from autoevol.program.search.confirmation import ConfirmationTest, confirm_on_fresh_rows
from autoevol.program.search.operators import NEED_CASES, applies, propose
from autoevol.program.search.policy import AskedTrial, Knobs, Policy, ProposalStudy
from autoevol.program.search.proposer import ProposalRequest, Proposer
from autoevol.program.search.racing import Race
from autoevol.program.search.settings import RANKS, SearchSettings
from autoevol.signatures import Method

Item = TypeVar("Item")
Result = TypeVar("Result")


class AutoEvolInstruct(Teleprompter):
    """Optimises the method of an `Evolver` against its failure rate on dev rows.

    Args:
        pipeline: Roles, F, and how rows are grouped.
        settings: Hyper-parameters.
        listeners: Hear of phases, rows, finished steps and the final choice.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        settings: SearchSettings | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        super().__init__()
        self.pipeline = pipeline
        self.settings = settings or SearchSettings()
        self.listeners = listeners or Listeners()
        given = self.settings
        self.acceptance = Acceptance(given.acceptance, given.accept_level, given.tie_break)
        self.proposer = Proposer(pipeline.roles.optimizer, given)

    def compile(
        self,
        student: Evolver,
        *,
        trainset: Sequence[Row],
        valset: Sequence[Row],
        freshset: Sequence[Row] = (),
    ) -> Evolver:
        """Return a copy of `student` with the best method found; see `acompile`."""
        found = self.acompile(student, trainset=trainset, valset=valset, freshset=freshset)
        return asyncio.run(found)

    async def acompile(
        self,
        student: Evolver,
        *,
        trainset: Sequence[Row | dspy.Example],
        valset: Sequence[Row | dspy.Example],
        freshset: Sequence[Row | dspy.Example] = (),
    ) -> Evolver:
        """Search for a better method.

        Args:
            student: Its method is the initial method e_0, and the first incumbent.
            trainset: Rows from which the mini-batches are drawn.
            valset: Dev rows D; the incumbent's verdicts on them are reused.
            freshset: Rows for the second look; none: the last incumbent is the best method.

        Returns:
            A copy of `student`; with its own method when nothing better was found.

        Raises:
            LMError: A call failed for good in a way that ends the run.
        """
        search = _Search(self, student, as_rows(trainset), as_rows(valset))
        return student.with_method((await search.run(as_rows(freshset))).method)


class _Search:
    """One search: what `AutoEvolInstruct` optimises, and on which rows."""

    def __init__(
        self, optimizer: AutoEvolInstruct, student: Evolver, train: list[Row], dev: list[Row]
    ) -> None:
        self.pipeline, self.listeners = optimizer.pipeline, optimizer.listeners
        self.settings, self.acceptance = optimizer.settings, optimizer.acceptance
        self.proposer = optimizer.proposer
        self.student, self.train, self.dev = student, train, dev
        given = self.settings
        self.race = Race(given.pruner, len(dev), given.race_level, given.race_worth)
        policy = Policy(given.policy, given.operators, given.temperatures, given.seed)
        self.study = ProposalStudy(policy, self.race)
        self.calls: list[CallRecord] = []
        self.dearest = self._step_bound()

    async def run(self, fresh: Sequence[Row]) -> Evaluation:
        """Return the best method on the dev rows."""
        with collected_calls() as self.calls:
            return await self._searched(fresh)

    async def _searched(self, fresh: Sequence[Row]) -> Evaluation:
        """Return the best method on the dev rows; the algorithm box of the paper."""
        best = await self._measure(self.student.method, self.dev, "dev: initial method")
        if not has_headroom(best, self.settings, self.listeners):
            return best
        archive, stale = Archive(best, remembered=self.settings.remembered), 0
        for step in range(self.settings.steps):
            if self._is_spent(len(fresh)):
                break
            begun = len(self.calls)
            fits = partial(self._fits, archive, best)
            asked = self.study.ask(step, self.settings.candidates, fits)
            parents = [self._parent(archive, best, trial.knobs) for trial in asked]
            proposed = await self._propose(archive, asked, parents, step)
            candidates = await self._raced(proposed, asked, best)
            record = self._select(step, best, candidates)
            archive.add(record.candidates)
            self.listeners.on_step(record)
            self.listeners.on_trials(self.study.trials)
            best, stale = record.best, 0 if record.is_accepted else stale + 1
            made = len(self.calls) - begun
            self.dearest = made if step == 0 else max(self.dearest, made)
            if stale >= self.settings.patience:
                break
        return await self._chosen(archive, best, fresh)

    def _parent(self, archive: Archive, incumbent: Evaluation, knobs: Knobs) -> Evaluation:
        """Return what a proposal is made from: the paper's, always from the incumbent."""
        return incumbent if self.settings.policy == "paper" else archive.at(knobs.rank)

    def _fits(self, archive: Archive, incumbent: Evaluation, knobs: Knobs) -> bool:
        return applies(knobs.operator, self._parent(archive, incumbent, knobs), archive)

    def _is_spent(self, fresh: int) -> bool:
        """Tell whether another step like the dearest would leave none for the second look."""
        if self.settings.max_calls is None:
            return False
        each = 2 if self.pipeline.responds else 1
        reserve = each * fresh * (1 + self.settings.finalists) if self.settings.finalists else 0
        return len(self.calls) + self.dearest + reserve > self.settings.max_calls

    def _step_bound(self) -> int:
        """Return the most calls that a step can need, a judge's and repairs aside."""
        given = self.settings
        each = 2 if self.pipeline.responds else 1
        parents = 1 if given.policy == "paper" else min(RANKS, given.candidates)
        batches = parents * given.batch_size * given.trajectory_rounds
        return batches + given.candidates * (2 + each * len(self.dev))

    async def _measure(self, method: Method, rows: Sequence[Row], phase: str | None) -> Evaluation:
        evolver = self.student.with_method(method)
        return await evaluate(evolver, rows, self.pipeline, self.listeners, phase=phase)

    async def _propose(
        self,
        archive: Archive,
        asked: Sequence[AskedTrial],
        parents: Sequence[Evaluation],
        step: int,
    ) -> list[Candidate]:
        cases: dict[str, list[Trajectory]] = {}
        for trial, parent in zip(asked, parents, strict=True):
            if trial.knobs.operator in NEED_CASES and parent.method.id not in cases:
                cases[parent.method.id] = await self._trajectories(parent.method, step)
        self.listeners.on_phase(Phase(f"step {step + 1}: proposals", 0))
        orders = [
            self._order(archive, parent, trial, cases.get(parent.method.id, []), (step, index))
            for index, (trial, parent) in enumerate(zip(asked, parents, strict=True))
        ]
        made = (self._proposed(t, order) for t, order in zip(asked, orders, strict=True))
        proposed = await asyncio.gather(*made)
        return [self._new(archive, replace(c, step=step, index=i)) for i, c in enumerate(proposed)]

    def _order(
        self,
        archive: Archive,
        parent: Evaluation,
        trial: AskedTrial,
        cases: Sequence[Trajectory],
        place: tuple[int, int],
    ) -> ProposalRequest:
        step, index = place
        shown = cases[: (len(cases) + 1) // 2] if trial.knobs.shows_half else cases
        return ProposalRequest(
            name=f"step-{step:02d}-candidate-{index}",
            parent=parent,
            archive=archive,
            cases=shown,
            draw=draw_number("proposal", self.settings.seed, step, index),
            analysis_draw=draw_number("proposal", self.settings.seed, step, 0)
            if self.settings.shared_analysis
            else None,
            temperature=trial.knobs.temperature,
        )

    async def _proposed(self, trial: AskedTrial, order: ProposalRequest) -> Candidate:
        found = await propose(trial.knobs.operator, self.proposer, order)
        return Candidate(
            step=0,
            index=0,
            parent=order.method,
            method=found.method,
            feedback=found.feedback,
            rejected=found.rejected,
            temperature=trial.knobs.temperature,
            operator=trial.knobs.operator,
        )

    def _new(self, archive: Archive, candidate: Candidate) -> Candidate:
        """Return the candidate, refused if the archive knows its method."""
        if candidate.method is None:
            return candidate
        if archive.twin_of(candidate.method):
            return replace(candidate, method=None, rejected="known already")
        archive.know(candidate.method)
        return candidate

    async def _trajectories(self, method: Method, step: int) -> list[Trajectory]:
        rng = random.Random(draw_number("batch", self.settings.seed, step))
        batch = rng.sample(self.train, min(self.settings.batch_size, len(self.train)))
        return await trajectories(
            self.student.with_method(method),
            batch,
            replace(self.pipeline, responds=False),
            self.listeners,
            length=self.settings.trajectory_rounds,
            phase=f"step {step + 1}: mini-batch",
        )

    async def _raced(
        self, proposed: Sequence[Candidate], asked: Sequence[AskedTrial], incumbent: Evaluation
    ) -> list[Candidate]:
        """Race the proposals side by side, look by look, and tell the study how they fared."""
        found = list(proposed)
        done = 0
        for look in self.race.looks:
            racing = [i for i, c in enumerate(found) if c.method and not c.is_pruned]
            rows = self.dev[done:look]
            self._announce(proposed[0].step, racing, done, look)

            async def further(index: int, rows: Sequence[Row] = rows) -> Candidate:
                return await self._further(found[index], rows)

            for i, candidate in zip(racing, await self._each(further, racing), strict=True):
                is_lost = look < len(self.dev) and self._is_lost(asked[i], candidate, incumbent)
                found[i] = replace(candidate, is_pruned=is_lost)
            done = look
        for trial, candidate in zip(asked, found, strict=True):
            self.study.tell(trial, _value(candidate, incumbent), is_pruned=candidate.is_pruned)
        return found

    def _announce(self, step: int, racing: Sequence[int], done: int, look: int) -> None:
        if racing:
            name = f"step {step + 1}: {len(racing)} candidates, rows {done + 1}–{look}"
            self.listeners.on_phase(Phase(name, len(racing) * (look - done)))

    async def _further(self, candidate: Candidate, rows: Sequence[Row]) -> Candidate:
        assert candidate.method
        more = await self._measure(candidate.method, rows, None)
        seen = candidate.evaluation
        return replace(candidate, evaluation=seen.joined(more) if seen else more)

    def _is_lost(self, trial: AskedTrial, candidate: Candidate, incumbent: Evaluation) -> bool:
        assert candidate.evaluation
        mine, theirs = candidate.evaluation.verdicts, incumbent.verdicts
        rows = [row.id for row in self.dev[: len(candidate.evaluation.outcomes)]]
        pairs_of = [(mine[r], theirs[r]) if r in mine and r in theirs else None for r in rows]
        return self.study.is_lost(trial, pairs_of)

    async def _each(
        self, work: Callable[[Item], Awaitable[Result]], items: Sequence[Item]
    ) -> list[Result]:
        """Work side by side where the models take many calls at once, else one after the other.

        A model in this process keeps one method in its prefix cache.
        """
        if self.pipeline.blocks_in_flight > 1:
            return list(await asyncio.gather(*(work(item) for item in items)))
        return [await work(item) for item in items]

    def _select(
        self, step: int, incumbent: Evaluation, candidates: Sequence[Candidate]
    ) -> StepRecord:
        best = incumbent if self.settings.incumbent else None
        judged = []
        for candidate in candidates:
            found = candidate.evaluation
            if found is None or candidate.is_pruned:
                judged.append(replace(candidate, verdict=_why_not(candidate, incumbent)))
                continue
            preference = self.acceptance.compare(found, best or incumbent)
            is_taken = preference.is_better or best is None
            judged.append(replace(candidate, verdict=preference.why, is_better=is_taken))
            best = found if is_taken else best
        return StepRecord(step, incumbent, tuple(judged), best or incumbent)

    async def _chosen(self, archive: Archive, best: Evaluation, fresh: Sequence[Row]) -> Evaluation:
        if not (fresh and self.settings.finalists):
            return best

        async def measure(method: Method, rows: Sequence[Row]) -> Evaluation:
            return await self._measure(method, rows, f"second look: {method.name}")

        look = ConfirmationTest(self.acceptance, self.settings.fresh_level, self.settings.finalists)
        choice = await confirm_on_fresh_rows(archive, fresh, look, measure)
        self.listeners.on_choice(choice)
        return choice.best


def _value(candidate: Candidate, incumbent: Evaluation) -> float | None:
    """Return the paired difference to the incumbent, lower is better; None: never measured."""
    found = candidate.evaluation
    return pairs(found.verdicts, incumbent.verdicts).difference if found else None


def _why_not(candidate: Candidate, incumbent: Evaluation) -> str:
    """Say why a candidate was not measured to the end."""
    if candidate.evaluation is None:
        return candidate.rejected or ""
    found = pairs(candidate.evaluation.verdicts, incumbent.verdicts)
    return f"stopped after {found.shared} rows: mended {found.won}, broke {found.lost}"


def has_headroom(initial: Evaluation, settings: SearchSettings, listeners: Listeners) -> bool:
    """Tell whether to search, and tell the listeners why.

    Raises:
        StoppedError: Not one row of the initial method could be scored.
    """
    if not initial.failure_rate.scored:
        raise StoppedError("no dev row could be scored: the models did not answer")
    headroom = Headroom(initial.failure_rate, settings.accept_level)
    listeners.on_headroom(headroom)
    return headroom.is_enough or not settings.headroom


def as_rows(examples: Sequence[Row | dspy.Example]) -> list[Row]:
    """Return DSPy examples (fields `instruction`, perhaps `id`) as rows; rows stay."""
    return [
        example if isinstance(example, Row) else _as_row(index, example)
        for index, example in enumerate(examples)
    ]


def _as_row(index: int, example: dspy.Example) -> Row:
    identity = str(example.get("id", index))
    return Row(id=identity, seed_id=identity, instruction=example.instruction)
