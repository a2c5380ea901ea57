"""DSPy's own optimisers on the evolving method: GEPA, MIPROv2, or any other teleprompter.

They see the evolver's one predictor (the responder is frozen), our failure metric, and a budget of
calls; what they tried is reported as steps of one candidate each, in the order in which it came up.
"""

import asyncio
import contextlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TextIO, cast

import dspy
from dspy.teleprompt import Teleprompter

from autoevol.metrics import pairs
from autoevol.program.calls import collected_calls
from autoevol.program.draws import draw_number
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Candidate, Evaluation, Row, StepRecord, Trajectory
from autoevol.program.roles import Role
from autoevol.program.search.archive import Archive
from autoevol.program.search.operators import propose
from autoevol.program.search.optimizer import as_rows, has_headroom
from autoevol.program.search.proposer import Proposal, ProposalRequest, Proposer
from autoevol.program.search.scoreboard import Scoreboard, ScoredEvolver, examples, named, score
from autoevol.program.search.settings import SearchSettings
from autoevol.signatures import Method

Make = Callable[["ExternalOptimizer", Scoreboard], tuple[Any, dict[str, Any]]]
"""Returns a teleprompter and the arguments of its `compile` besides the data."""


class ExternalOptimizer(Teleprompter):
    """Runs a teleprompter of DSPy under our pipeline, our budget and our records.

    Args:
        make: Makes the teleprompter; `gepa` and `miprov2` below are two.
        pipeline: Roles, F, and how rows are grouped.
        settings: `steps`, `batch_size` and `candidates` make its budget of metric calls, the same
            as the paper's loop would need; `max_calls` bounds the calls of all models.
        listeners: Hear of phases, rows, and the methods tried.
    """

    def __init__(
        self,
        make: Make,
        pipeline: Pipeline,
        settings: SearchSettings | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        super().__init__()
        self.make, self.pipeline = make, pipeline
        self.settings, self.listeners = settings or SearchSettings(), listeners or Listeners()
        self.dev: list[Row] = []

    @property
    def metric_calls(self) -> int:
        """Rows that the paper's loop would evolve with as many steps and candidates."""
        given = self.settings
        return given.steps * (given.batch_size + given.candidates * len(self.dev))

    async def acompile(
        self,
        student: Evolver,
        *,
        trainset: Sequence[Row | dspy.Example],
        valset: Sequence[Row | dspy.Example],
        freshset: Sequence[Row | dspy.Example] = (),
    ) -> Evolver:
        """Return a copy of `student` with the method that failed least on all of `valset`.

        Args:
            student: Its method is the initial method.
            trainset: Rows for the optimiser's mini-batches and demonstrations.
            valset: Dev rows.
            freshset: Not used; the same interface as `AutoEvolInstruct`.
        """
        train, self.dev = as_rows(trainset), as_rows(valset)
        rows = [*train, *self.dev]
        board = Scoreboard(self.pipeline, rows, self.listeners, max_calls=self.settings.max_calls)
        program = ScoredEvolver(student.deepcopy(), board)
        await board.measure(student, self.dev, phase="dev: initial method")
        initial = board.evaluation(student.method, self.dev)
        assert initial, "it has just been measured"
        if not has_headroom(initial, self.settings, self.listeners):
            return student
        self.listeners.on_phase(Phase(f"search: {self.make.__name__}", 0))
        with collected_calls() as board.proposal_calls:
            await asyncio.to_thread(self._compiled, program, board, train)
        if board.fatal:
            raise board.fatal
        return student.with_method(self._told(initial, board).method)

    def _compiled(self, program: ScoredEvolver, board: Scoreboard, train: Sequence[Row]) -> None:
        """Compile; what DSPy makes of an error that ends the run is of no interest."""
        try:
            self._compile(program, board, train)
        except Exception:
            if board.fatal is None:
                raise

    def _compile(self, program: ScoredEvolver, board: Scoreboard, train: Sequence[Row]) -> None:
        teleprompter, more = self.make(self, board)
        data = {"trainset": examples(train), "valset": examples(self.dev)}
        taken = inspect.signature(teleprompter.compile).parameters
        if "valset" not in taken:
            data = {"trainset": data["valset"]}
        with quiet_thread():
            teleprompter.compile(program, **data, **more)

    def _told(self, initial: Evaluation, board: Scoreboard) -> Evaluation:
        """Report the methods that were tried, and return the best of them."""
        best = initial
        tried = [method for method in board.methods if method.id != initial.method.id]
        for number, method in enumerate(tried):
            renamed = named(method, number)
            found = board.evaluation(method, self.dev)
            measured = Evaluation(renamed, found.outcomes) if found else None
            record = _step(number, best, measured, renamed, self.make.__name__)
            self.listeners.on_step(record)
            best = record.best
        return best


def _step(
    number: int, best: Evaluation, found: Evaluation | None, method: Method, operator: str
) -> StepRecord:
    against = pairs(found.verdicts, best.verdicts) if found else None
    is_better = bool(against and against.difference < 0)
    candidate = Candidate(
        step=number,
        index=0,
        parent=best.method,
        method=method,
        feedback="",
        rejected=None if found else "not measured on all dev rows",
        evaluation=found,
        operator=operator,
        verdict=f"mended {against.won} rows, broke {against.lost}" if against else "",
    )
    return StepRecord(number, best, (candidate,), found if found and is_better else best)


class MethodProposer:
    """GEPA's way to a new instruction: our analysis and our rewriting.

    Args:
        proposer: Asks the optimizer model.
        board: Whose loop the calls run on, and whose budget they come out of.
        seed: Of the draws.
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
            name: self._proposed(candidate[name], reflective_dataset[name])
            for name in components_to_update
        }

    def _proposed(self, text: str, cases: Sequence[Mapping[str, Any]]) -> str:
        self._count += 1
        parent = Evaluation(Method("parent", text), ())
        order = ProposalRequest(
            name="gepa",
            parent=parent,
            archive=Archive(parent, remembered=0),
            cases=[_case(number, case) for number, case in enumerate(cases, 1)],
            draw=draw_number("gepa", self._seed, self._count),
        )
        found: Proposal = self._board.wait_for(propose("rewrite", self._proposer, order))
        return found.method.instructions if found.method else text


def _case(number: int, case: Mapping[str, Any]) -> Trajectory:
    stages = (case["Inputs"]["instruction"], case["Generated Outputs"]["evolved_instruction"])
    note = case["Feedback"]
    return Trajectory(f"case-{number}", stages, () if note == "sound" else (f"stage 1: {note}",))


def gepa(guest: ExternalOptimizer, board: Scoreboard) -> tuple[Any, dict[str, Any]]:
    """Make `dspy.GEPA` with our signatures as its instruction proposer."""
    given = guest.settings
    proposer = Proposer(guest.pipeline.roles.optimizer, given)
    made = dspy.GEPA(
        metric=score,
        max_metric_calls=guest.metric_calls,
        instruction_proposer=cast(Any, MethodProposer(proposer, board, given.seed)),
        reflection_lm=guest.pipeline.roles.optimizer.lm,
        reflection_minibatch_size=given.batch_size,
        use_merge=False,
        num_threads=guest.pipeline.rows_in_flight,
        seed=given.seed,
        gepa_kwargs={"stop_callbacks": lambda _: board.is_spent},
    )
    return made, {}


def miprov2(guest: ExternalOptimizer, board: Scoreboard) -> tuple[Any, dict[str, Any]]:
    """Make `dspy.MIPROv2` as DSPy ships it; demonstrations are rewrites that F lets pass."""
    given = guest.settings
    role: Role = guest.pipeline.roles.optimizer
    made = dspy.MIPROv2(
        metric=lambda *args, **kw: score(*args, **kw).score,
        prompt_model=role.lm,
        task_model=guest.pipeline.roles.evolver.lm,
        auto=None,
        num_candidates=given.candidates,
        max_labeled_demos=0,
        num_threads=guest.pipeline.rows_in_flight,
        seed=given.seed,
    )
    trials = max(1, given.steps)
    return made, {"num_trials": trials, "minibatch": False}


EXTERNAL: dict[str, Make] = {"gepa": gepa, "miprov2": miprov2}


class _ForKnownThreads:
    """A stream that drops what is written by threads it does not know."""

    def __init__(self, stream: TextIO, known: set[int | None]) -> None:
        self._stream, self._known = stream, known

    def write(self, text: str) -> int:
        """Write, if a known thread asks."""
        is_known = threading.get_ident() in self._known
        return self._stream.write(text) if is_known else len(text)

    def __getattr__(self, name: str) -> Any:
        """Be the stream in all else."""
        return getattr(self._stream, name)


@contextlib.contextmanager
def quiet_thread() -> Iterator[None]:
    """Drop what the calling thread prints, and the threads it starts; others print as ever."""
    known = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    out, err = (cast(TextIO, _ForKnownThreads(each, known)) for each in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield
