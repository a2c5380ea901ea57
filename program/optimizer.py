"""Auto Evol-Instruct as a DSPy optimiser: the loop of the paper's section 3.

Step t evolves a mini-batch with the incumbent method, analyses what went wrong, proposes m new
methods, and keeps the one with the lowest failure rate on the dev rows.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import dspy
from dspy.teleprompt import Teleprompter

from program.draws import draw_number
from program.evaluation import evaluate, trajectories
from program.evolver import Evolver
from program.listeners import Listeners, Phase
from program.pipeline import Pipeline
from program.proposer import Proposer, fingerprint
from program.records import Candidate, Evaluation, Row, StepRecord, Trajectory
from program.search import CandidateStudy, ProposalTrial, is_better


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The search's hyper-parameters; the defaults are the paper's (section 4.1, F.2).

    Attributes:
        steps: Most steps.
        batch_size: Rows of the mini-batch X_t.
        trajectory_rounds: l, how often the mini-batch is evolved.
        candidates: m, proposals of a step.
        patience: Steps without an accepted candidate after which the search stops.
        temperatures: Range of the proposals' temperature; None: the optimizer model's own.
        tie_break: On equal failure rates, prefer the candidate that adds more words.
        max_method_words: A longer proposal is rejected.
        max_stage_words: Stages are cut to this for the analysis.
    """

    steps: int = 10
    batch_size: int = 10
    trajectory_rounds: int = 1
    candidates: int = 5
    patience: int = 3
    temperatures: tuple[float, float] | None = None
    tie_break: bool = True
    max_method_words: int = 400
    max_stage_words: int = 400
    seed: int = 0


class AutoEvolInstruct(Teleprompter):
    """Optimises the method of an `Evolver` against its failure rate on dev rows.

    Args:
        pipeline: Roles, F, and how rows are grouped.
        settings: Hyper-parameters.
        listeners: Hear of phases, rows and finished steps.
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
        self.proposer = Proposer(
            max_method_words=self.settings.max_method_words,
            max_stage_words=self.settings.max_stage_words,
        )

    def compile(
        self, student: Evolver, *, trainset: Sequence[Row], valset: Sequence[Row]
    ) -> Evolver:
        """Return a copy of `student` with the best method found; see `acompile`."""
        return asyncio.run(self.acompile(student, trainset=trainset, valset=valset))

    async def acompile(
        self,
        student: Evolver,
        *,
        trainset: Sequence[Row | dspy.Example],
        valset: Sequence[Row | dspy.Example],
    ) -> Evolver:
        """Search for a better method.

        Args:
            student: Its method is the initial method e_0, and the first incumbent.
            trainset: Rows from which the mini-batches are drawn.
            valset: Dev rows D; the incumbent's verdicts on them are reused.

        Returns:
            A copy of `student`; with its own method when nothing better was found.

        Raises:
            LMError: A call failed for good in a way that ends the run.
        """
        train, dev = as_rows(trainset), as_rows(valset)
        study = CandidateStudy(temperatures=self.settings.temperatures, seed=self.settings.seed)
        best = await self._evaluate(student, dev, "dev: initial method")
        known, stale = {fingerprint(best.method)}, 0
        for step in range(self.settings.steps):
            cases = await self._trajectories(student.with_method(best.method), train, step)
            asked = study.ask(step, self.settings.candidates)
            proposed = await self._propose(best, cases, step, asked)
            candidates = await self._evaluate_all(student, dev, proposed, known)
            for trial, candidate in zip(asked, candidates, strict=True):
                study.tell(trial, candidate.failure_rate)
            record = self._select(step, best, candidates)
            self.listeners.on_step(record)
            best, stale = record.best, 0 if record.is_accepted else stale + 1
            if stale >= self.settings.patience:
                break
        return student.with_method(best.method)

    async def _evaluate(self, evolver: Evolver, dev: Sequence[Row], phase: str) -> Evaluation:
        return await evaluate(evolver, dev, self.pipeline, self.listeners, phase=phase)

    async def _trajectories(
        self, evolver: Evolver, train: Sequence[Row], step: int
    ) -> list[Trajectory]:
        rng = random.Random(draw_number("batch", self.settings.seed, step))
        batch = rng.sample(list(train), min(self.settings.batch_size, len(train)))
        return await trajectories(
            evolver,
            batch,
            replace(self.pipeline, responds=False),
            self.listeners,
            length=self.settings.trajectory_rounds,
            phase=f"step {step + 1}: mini-batch",
        )

    async def _propose(
        self,
        best: Evaluation,
        cases: Sequence[Trajectory],
        step: int,
        asked: Sequence[ProposalTrial],
    ) -> list[Candidate]:
        self.listeners.on_phase(Phase(f"step {step + 1}: proposals", 0))
        role = self.pipeline.roles.optimizer

        async def one(index: int, trial: ProposalTrial) -> Candidate:
            proposal = await self.proposer.propose(
                best.method,
                cases,
                role,
                draw=draw_number("proposal", self.settings.seed, step, index),
                temperature=trial.temperature,
                name=f"step-{step:02d}-candidate-{index}",
            )
            return Candidate(
                step=step,
                index=index,
                parent=best.method,
                method=proposal.method,
                feedback=proposal.feedback,
                rejected=proposal.rejected,
                temperature=trial.temperature,
            )

        return list(await asyncio.gather(*(one(i, trial) for i, trial in enumerate(asked))))

    async def _evaluate_all(
        self, student: Evolver, dev: Sequence[Row], proposed: Sequence[Candidate], known: set[str]
    ) -> list[Candidate]:
        evaluated = []
        for candidate in proposed:
            method = candidate.method
            if method and fingerprint(method) in known:
                candidate = replace(candidate, method=None, rejected="known already")
            elif method:
                known.add(fingerprint(method))
                phase = f"step {candidate.step + 1}: candidate {candidate.index + 1}"
                evaluation = await self._evaluate(student.with_method(method), dev, phase)
                candidate = replace(candidate, evaluation=evaluation)
            evaluated.append(candidate)
        return evaluated

    def _select(
        self, step: int, incumbent: Evaluation, candidates: Sequence[Candidate]
    ) -> StepRecord:
        best = incumbent
        for candidate in candidates:
            found = candidate.evaluation
            if found and is_better(found, best, tie_break=self.settings.tie_break):
                best = found
        return StepRecord(step, incumbent, tuple(candidates), best)


def as_rows(examples: Sequence[Row | dspy.Example]) -> list[Row]:
    """Return DSPy examples (fields `instruction`, perhaps `id`) as rows; rows stay."""
    return [
        example if isinstance(example, Row) else _as_row(index, example)
        for index, example in enumerate(examples)
    ]


def _as_row(index: int, example: dspy.Example) -> Row:
    identity = str(example.get("id", index))
    return Row(id=identity, seed_id=identity, instruction=example.instruction)
