"""DSPy's own optimisers on the evolving method: GEPA, MIPROv2, or any other teleprompter.

They see the evolver's one predictor (the responder is frozen), our failure metric, and a budget of
calls. Each method that they try is reported as a step with one candidate, in the order in which it
came up.
"""

import asyncio
import contextlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TextIO, cast

import dspy
from dspy.teleprompt import Teleprompter

from autoevol.metrics import pairs
from autoevol.metrics.selection.quotations import Quotations
from autoevol.program.calls import collected_calls
from autoevol.program.draws import draw_number
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import (
    Candidate,
    Evaluation,
    Row,
    StepRecord,
    Trajectory,
    proposal_name,
)
from autoevol.program.search.archive import Archive
from autoevol.program.search.candidates import CopyGuard
from autoevol.program.search.operators import propose
from autoevol.program.search.optimizer import Handover, has_headroom
from autoevol.program.search.proposer import ProposalRequest, Proposer
from autoevol.program.search.rows import search_rows
from autoevol.program.search.scoreboard import (
    CallBudget,
    Scoreboard,
    ScoredEvolver,
    examples,
    score,
)
from autoevol.program.search.settings import SearchSettings
from autoevol.signatures import Method

Factory = Callable[["ExternalOptimizer", Scoreboard], tuple[Any, dict[str, Any]]]
"""Returns a teleprompter and the arguments of its `compile` besides the data."""


class ExternalOptimizer(Teleprompter):
    """Runs a teleprompter of DSPy with our pipeline, our budget and our records.

    Args:
        factory: Creates the teleprompter; `gepa` and `miprov2` below are two. Its name is recorded
            as the operator of every candidate.
        pipeline: Roles, F, and how rows are grouped.
        settings: `steps`, `batch_size` and `candidates` give its budget of metric calls, the same
            as the paper's loop would need; `max_calls` bounds the calls of all models.
        listeners: Get phases, rows, and the methods tried.
    """

    def __init__(
        self,
        factory: Factory,
        pipeline: Pipeline,
        settings: SearchSettings | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        super().__init__()
        self.factory, self.pipeline = factory, pipeline
        self.settings, self.listeners = settings or SearchSettings(), listeners or Listeners()

    async def acompile(
        self,
        student: Evolver,
        *,
        trainset: Sequence[Row | dspy.Example],
        valset: Sequence[Row | dspy.Example],
        freshset: Sequence[Row | dspy.Example] = (),
        heldoutset: Sequence[Row | dspy.Example] = (),
    ) -> Evolver:
        """Return a copy of `student` with the method that failed least on all of `valset`.

        Args:
            student: Its method is the initial method.
            trainset: Rows for the optimiser's mini-batches and demonstrations.
            valset: Dev rows.
            freshset: Not measured, as `heldoutset`: our proposals for GEPA may not quote them.
            heldoutset: The same interface as `AutoEvolInstruct`.

        Raises:
            ConfigError: Two sets share a row.
            StoppedError: Not one dev row could be scored.
            LMError: A call failed for good in a way that ends the run.
        """
        sets = {"trainset": trainset, "valset": valset, "freshset": freshset}
        rows = search_rows(**sets, heldoutset=heldoutset)
        train, dev = rows.train, rows.dev
        guard = CopyGuard(Quotations(rows.texts, common=student.method.text))
        with collected_calls() as proposal_calls:
            budget = CallBudget(self.settings.max_calls, proposal_calls)
            board = Scoreboard(self.pipeline, train, dev, self.listeners, budget, guard)
            initial = await board.measure_dev(student, phase="dev: initial method")
            if not has_headroom(initial, self.settings, self.listeners):
                return student
            await self._run(student, board, train)
        records = self._report(initial, board)
        for record in records:
            self.listeners.on_step(record)
        return student.with_method((records[-1].best if records else initial).method)

    async def continued(self, student: Evolver, handover: Handover) -> Sequence[StepRecord]:
        """Go on from another search's incumbent; return the methods tried, a step each.

        Args:
            student: What the other search improves.
            handover: Its incumbent, its rows, and what is left of its budget.

        Raises:
            LMError: A call failed for good in a way that ends the run.
        """
        incumbent, rows = handover.incumbent, handover.rows
        guard = CopyGuard(Quotations(rows.texts, common=student.method.text))
        with collected_calls() as proposal_calls:
            budget = CallBudget(handover.calls, proposal_calls)
            board = Scoreboard(self.pipeline, rows.train, rows.dev, self.listeners, budget, guard)
            # The incumbent's dev rows are measured already.
            outcomes = {outcome.source.id: outcome for outcome in incumbent.outcomes}
            board.table.outcomes_of(incumbent.method).update(outcomes)
            await self._run(student.with_method(incumbent.method), board, rows.train)
        return self._report(incumbent, board, handover.steps)

    async def _run(self, student: Evolver, board: Scoreboard, train: Sequence[Row]) -> None:
        """Let the optimiser try methods; the board keeps what it measured."""
        self.listeners.on_phase(Phase(f"search: {self.factory.__name__}", 0))
        # The optimiser rewrites its program's predictor, so it gets a copy. It is synchronous and
        # starts threads of its own; the model calls stay on this loop.
        program = ScoredEvolver(student.deepcopy(), board)
        await asyncio.to_thread(self._compile, program, board, train)
        if board.fatal:
            raise board.fatal

    def _compile(self, program: ScoredEvolver, board: Scoreboard, train: Sequence[Row]) -> None:
        try:
            teleprompter, arguments = self.factory(self, board)
            data = {"trainset": examples(train), "valset": examples(board.dev)}
            # COPRO, for one, takes a single set: the rows that it selects methods by.
            if "valset" not in inspect.signature(teleprompter.compile).parameters:
                data = {"trainset": data["valset"]}
            with quiet_thread():
                # Its result is not used: the board saw every method, and `_report` compares those
                # that were measured on all dev rows.
                teleprompter.compile(program, **data, **arguments)
        except Exception:
            # The board keeps the error that ends the run; what DSPy raises after it adds nothing.
            if board.fatal is None:
                raise

    def _report(
        self, initial: Evaluation, board: Scoreboard, first_step: int = 0
    ) -> list[StepRecord]:
        """Return the methods that were tried, a step each."""
        best, records = initial, []
        tried = [method for method in board.table.methods if method.id != initial.method.id]
        for step, method in enumerate(tried, first_step):
            # The names of the paper's loop, so that all optimisers compare in one view of MLflow.
            first = self.settings.first_number
            renamed = replace(method, name=proposal_name(step, 0, first))
            measured = board.table.evaluation(method, board.dev)
            evaluation = Evaluation(renamed, measured.outcomes) if measured else None
            record = _step_record(step, best, renamed, evaluation, self.factory.__name__)
            candidates = tuple(replace(candidate, first=first) for candidate in record.candidates)
            records.append(replace(record, candidates=candidates))
            best = records[-1].best
        return records


def _step_record(
    step: int, best: Evaluation, method: Method, evaluation: Evaluation | None, operator: str
) -> StepRecord:
    comparison = pairs(evaluation.verdicts, best.verdicts) if evaluation else None
    is_better = bool(comparison and comparison.difference < 0)
    candidate = Candidate(
        step=step,
        index=0,
        parent=best.method,
        method=method,
        feedback="",
        rejected=None if evaluation else "not measured on all dev rows",
        evaluation=evaluation,
        operator=operator,
        verdict=f"mended {comparison.won} rows, broke {comparison.lost}" if comparison else "",
    )
    return StepRecord(step, best, (candidate,), evaluation if evaluation and is_better else best)


class MethodProposer:
    """Proposes GEPA's new instructions with our own analysis and rewriting.

    Args:
        proposer: Asks the optimizer model.
        board: Runs the calls on its loop.
        seed: Seed of the draws.
    """

    def __init__(self, proposer: Proposer, board: Scoreboard, seed: int) -> None:
        self._proposer, self._board, self._seed = proposer, board, seed
        self._count = 0

    def __call__(
        self,
        candidate: Mapping[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: Sequence[str],
    ) -> dict[str, str]:
        """Return a new instruction for each component; the old one where none is usable."""
        return {
            name: self._propose(candidate[name], reflective_dataset[name])
            for name in components_to_update
        }

    def _propose(self, text: str, cases: Sequence[Mapping[str, Any]]) -> str:
        # Proposals come one after the other, so a resumed search counts them alike.
        self._count += 1
        parent = Evaluation(Method("parent", text), ())
        request = ProposalRequest(
            name="gepa",
            parent=parent,
            # GEPA's other candidates are not known here, so no failed proposals can be shown.
            archive=Archive(parent, remembered=0),
            cases=[_case(number, case) for number, case in enumerate(cases, 1)],
            draw=draw_number("gepa", self._seed, self._count),
        )
        method = self._board.wait_for(propose("rewrite", self._proposer, request)).method
        # GEPA takes a proposal that changes nothing for one that is no better.
        is_usable = method is not None and self._board.guard.flaw_of(method, parent.method) is None
        return method.instructions if method and is_usable else text


def _case(number: int, case: Mapping[str, Any]) -> Trajectory:
    # The keys of GEPA's reflective data; `score` writes the feedback, "sound" where a row passed.
    stages = (case["Inputs"]["instruction"], case["Generated Outputs"]["evolved_instruction"])
    note = case["Feedback"]
    return Trajectory(f"case-{number}", stages, () if note == "sound" else (f"stage 1: {note}",))


def gepa(optimizer: ExternalOptimizer, board: Scoreboard) -> tuple[Any, dict[str, Any]]:
    """Create `dspy.GEPA` with our signatures as its instruction proposer."""
    settings, roles = optimizer.settings, optimizer.pipeline.roles
    proposer = Proposer(roles.optimizer, settings)
    # As many rows as the paper's loop evolves with the same steps and candidates.
    metric_calls = settings.steps * (settings.batch_size + settings.candidates * len(board.dev))
    teleprompter = dspy.GEPA(
        metric=score,
        max_metric_calls=metric_calls,
        instruction_proposer=cast(Any, MethodProposer(proposer, board, settings.seed)),
        reflection_lm=roles.optimizer.lm,
        reflection_minibatch_size=settings.batch_size,
        # GEPA merges programs by exchanging predictors, and here it sees only one.
        use_merge=False,
        num_threads=optimizer.pipeline.rows_in_flight,
        seed=settings.seed,
        # A closed board makes no call, but GEPA's proposals would still cost some.
        gepa_kwargs={"stop_callbacks": lambda _: board.is_closed},
    )
    return teleprompter, {}


def miprov2(optimizer: ExternalOptimizer, board: Scoreboard) -> tuple[Any, dict[str, Any]]:
    """Create `dspy.MIPROv2` as DSPy ships it; demonstrations are rewrites that F lets pass."""
    settings, roles = optimizer.settings, optimizer.pipeline.roles
    teleprompter = dspy.MIPROv2(
        # A number: as a condition any Prediction is true, so rows that failed would become
        # demonstrations.
        metric=lambda *args, **kw: score(*args, **kw).score,
        prompt_model=roles.optimizer.lm,
        task_model=roles.evolver.lm,
        # Its presets would set trials and candidates by themselves, and refuse ours.
        auto=None,
        num_candidates=settings.candidates,
        max_labeled_demos=0,  # a seed has no labelled rewrite
        num_threads=optimizer.pipeline.rows_in_flight,
        seed=settings.seed,
    )
    # Whole dev sets, since a method that was measured on a part of the rows is not compared.
    return teleprompter, {"num_trials": max(1, settings.steps), "minibatch": False}


EXTERNAL: dict[str, Factory] = {"gepa": gepa, "miprov2": miprov2}
"""DSPy's optimisers by the name that `optimizer.name` has in a config."""


class _ThreadFilter:
    """A stream that drops what is written by any but the permitted threads."""

    def __init__(self, stream: TextIO, permitted: set[int | None]) -> None:
        self._stream, self._permitted = stream, permitted

    def write(self, text: str) -> int:
        """Write, if the calling thread is permitted."""
        is_permitted = threading.get_ident() in self._permitted
        return self._stream.write(text) if is_permitted else len(text)

    def __getattr__(self, name: str) -> Any:
        """Return the stream's own attribute for all else."""
        return getattr(self._stream, name)


@contextlib.contextmanager
def quiet_thread() -> Iterator[None]:
    """Drop what the calling thread and the threads it starts print; others print as before."""
    # DSPy's optimisers draw progress bars of their own over the run's.
    permitted = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    streams = (sys.stdout, sys.stderr)
    out, err = (cast(TextIO, _ThreadFilter(stream, permitted)) for stream in streams)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield
