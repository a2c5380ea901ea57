"""The candidates of a step: trajectories, analysis, optimised methods (paper, section 3.2)."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autoevol.metrics.selection.quotations import Quotations
from autoevol.program.draws import draw_number
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Candidate, Evaluation, Row, Trajectory, proposal_name
from autoevol.program.search.archive import Archive
from autoevol.program.search.operators import applies, propose
from autoevol.program.search.policy import Knobs, ProposalTrial
from autoevol.program.search.proposer import Proposal, ProposalRequest
from autoevol.program.search.settings import SearchSettings
from autoevol.program.search.subject import Subject
from autoevol.signatures import Method

GUARDED = "train", "dev", "fresh", "held-out"
"""What the sets are called whose rows no proposal may quote."""

Cases = dict[str, list[Trajectory]]
"""The mini-batch under each parent, by the parent's id."""


@dataclass(frozen=True, slots=True)
class _Assignment:
    """What one candidate of a step is to be made from."""

    step: int
    index: int
    knobs: Knobs
    parent: Evaluation


@dataclass(frozen=True, slots=True)
class CopyGuard:
    """Refuses proposals that quote rows: they would know answers instead of rules.

    Demonstrations are train rows by design; they may hold nothing of the other sets.

    Attributes:
        quotations: Finds quotations of the rows of all sets.
    """

    quotations: Quotations

    def flaw_of(self, method: Method, parent: Method) -> str | None:
        """Return what `method` quotes beyond its parent, or None."""
        changed = [
            pair for pair in zip(method.parts, parent.parts, strict=True) if pair[0] != pair[1]
        ]
        return next(filter(None, (self._flaw(*pair) for pair in changed)), None)

    def _flaw(self, part: Method, old: Method) -> str | None:
        has_text = part.instructions != old.instructions
        quotation = self.quotations.find(part.instructions) if has_text else None
        if quotation:
            return str(quotation)
        pairs = [pair for pair in part.demonstrations if pair not in old.demonstrations]
        hidden = (self.quotations.find_hidden(text, allowed="train") for p in pairs for text in p)
        quotation = next(filter(None, hidden), None)
        return f"a demonstration {quotation}" if quotation else None


@dataclass(frozen=True, slots=True)
class CandidateMaker:
    """Makes the candidates of a step.

    Attributes:
        subject: Runs the mini-batch with each parent, and knows the operators.
        train: Rows from which the mini-batch X_t is drawn.
        settings: The search's hyper-parameters.
        listeners: Get the phases.
        guard: Refuses proposals that quote rows.
    """

    subject: Subject
    train: Sequence[Row]
    settings: SearchSettings
    listeners: Listeners
    guard: CopyGuard

    def parent_of(self, knobs: Knobs, incumbent: Evaluation, archive: Archive) -> Evaluation:
        """Return the method to change; with the paper's policy always the incumbent."""
        # The incumbent need not have rank 0: of two equal failure rates the older one ranks first.
        return incumbent if self.settings.policy == "paper" else archive.at(knobs.rank)

    def is_usable(self, knobs: Knobs, incumbent: Evaluation, archive: Archive) -> bool:
        """Return whether the operator can change the parent."""
        operator = knobs.operator
        if operator == "recall":
            return knobs.rank < len(self.settings.earlier)
        parent = self.parent_of(knobs, incumbent, archive)
        return applies(operator, parent, archive, knobs.predictor)

    async def propose(
        self,
        step: int,
        trials: Sequence[ProposalTrial],
        incumbent: Evaluation,
        archive: Archive,
    ) -> list[Candidate]:
        """Return a candidate for each trial; duplicates of earlier methods are rejected."""
        assignments = [
            _Assignment(step, i, trial.knobs, self.parent_of(trial.knobs, incumbent, archive))
            for i, trial in enumerate(trials)
        ]
        cases = await self._cases(assignments)
        self.listeners.on_phase(Phase(f"step {step + 1}: proposals", 0))
        work = (self._candidate(assignment, archive, cases) for assignment in assignments)
        candidates = await asyncio.gather(*work)
        # Once all are made, and in their own order: which of two equal proposals is the duplicate
        # must not depend on which reply came first.
        checked = [self._without_quotation(candidate) for candidate in candidates]
        return [_without_duplicate(candidate, archive) for candidate in checked]

    async def _cases(self, assignments: Sequence[_Assignment]) -> Cases:
        """Run the mini-batch once with each parent whose operator needs it."""
        cases: Cases = {}
        for assignment in assignments:
            method = assignment.parent.method
            if assignment.knobs.operator in self.subject.need_cases and method.id not in cases:
                cases[method.id] = await self._trajectories(method, assignment.step)
        return cases

    async def _trajectories(self, method: Method, step: int) -> list[Trajectory]:
        """Return S_t of the paper: the mini-batch under a method."""
        # The seed depends on the step alone: all parents get the same rows, on resume too.
        rng = random.Random(draw_number("batch", self.settings.seed, step))
        batch = rng.sample(self.train, min(self.settings.batch_size, len(self.train)))
        phase = f"step {step + 1}: mini-batch"
        return await self.subject.cases(method, batch, phase=phase)

    async def _candidate(
        self, assignment: _Assignment, archive: Archive, cases: Cases
    ) -> Candidate:
        request = self._request(assignment, archive, cases)
        proposal = await self._proposal(assignment.knobs, request)
        return Candidate(
            step=assignment.step,
            index=assignment.index,
            parent=request.method,
            method=proposal.method,
            feedback=proposal.feedback,
            rejected=proposal.rejected,
            temperature=assignment.knobs.temperature,
            operator=assignment.knobs.operator,
            predictor=_changed_predictors(request, proposal.method),
            first=self.settings.first_number,
        )

    async def _proposal(self, knobs: Knobs, request: ProposalRequest) -> Proposal:
        operator, subject = knobs.operator, self.subject
        if operator == "recall":
            method = self.settings.earlier[knobs.rank]
            return Proposal(replace(method, name=request.name), f"of an earlier run: {method.name}")
        return await propose(operator, subject.proposer, request, subject.operators)

    def _without_quotation(self, candidate: Candidate) -> Candidate:
        method = candidate.method
        flaw = self.guard.flaw_of(method, candidate.parent) if method else None
        return replace(candidate, method=None, rejected=flaw) if flaw else candidate

    def _request(self, assignment: _Assignment, archive: Archive, cases: Cases) -> ProposalRequest:
        seed, step, index = self.settings.seed, assignment.step, assignment.index
        # A draw of its own makes the same prompt give each candidate another reply. The Korean
        # auto-evol-instruct analyses once a step: there all candidates share the first one's draw.
        first_draw = draw_number("proposal", seed, step, 0)
        batch = cases.get(assignment.parent.method.id, [])
        return ProposalRequest(
            name=proposal_name(step, index, self.settings.first_number),
            parent=assignment.parent,
            archive=archive,
            # Rounded up, so that half of a single case is not none.
            cases=batch[: (len(batch) + 1) // 2] if assignment.knobs.shows_half else batch,
            draw=draw_number("proposal", seed, step, index),
            analysis_draw=first_draw if self.settings.shared_analysis else None,
            temperature=assignment.knobs.temperature,
            boldness=assignment.knobs.boldness,
            predictor=assignment.knobs.predictor,
        )


def _changed_predictors(request: ProposalRequest, method: Method | None) -> str:
    """Return the names of the predictors that a proposal changes; "" where there is one alone."""
    parts = request.method.parts
    if len(parts) < 2:
        return ""
    if method is None:
        return request.part.name
    changed = [new.name for new, old in zip(method.parts, parts, strict=True) if new != old]
    return ", ".join(changed) or request.part.name


def _without_duplicate(candidate: Candidate, archive: Archive) -> Candidate:
    """Register the candidate's method; reject it if the archive has its like."""
    if candidate.method is None:
        return candidate
    if archive.duplicate_of(candidate.method):
        return replace(candidate, method=None, rejected="duplicate of an earlier method")
    archive.register(candidate.method)
    return candidate
