"""One search on one task: scores of the initial and the final program on held-out rows."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dspy
from dspy.utils.callback import BaseCallback

import autoevol
from autoevol.metrics import pairs
from autoevol.program.search.settings import SearchSettings
from benchmarks.programs.tasks import Task, examples

HELDOUT_SEED = 10_000
"""The held-out rows are the same for every search and seed."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows and calls a search has.

    Attributes:
        train: Rows for proposals and demonstrations.
        dev: Rows that choose.
        fresh: Rows that confirm; the other searches get them as further dev rows.
        heldout: Rows that only measure.
        calls: Calls of all models in the search, for each call that a row costs.
    """

    train: int = 40
    dev: int = 40
    fresh: int = 30
    heldout: int = 200
    calls: int = 600


@dataclass(frozen=True, slots=True)
class Models:
    """The models of a search, and how many rows are at work at the same time."""

    task: dspy.LM
    optimizer: dspy.LM
    in_flight: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a search made of a program, on the held-out rows.

    Attributes:
        initial: Score of each row under the initial program, in [0, 1], higher is better.
        final: The same of the final program.
        won: Rows that only the final program passes.
        lost: Rows that only the initial program passes.
        calls: Calls of all models in the search.
    """

    task: str
    search: str
    seed: int
    initial: Sequence[float]
    final: Sequence[float]
    won: int
    lost: int
    calls: int


@dataclass(frozen=True, slots=True)
class Data:
    """The rows of a search."""

    train: list[dspy.Example]
    dev: list[dspy.Example]
    fresh: list[dspy.Example]
    heldout: list[dspy.Example]


@dataclass(frozen=True, slots=True)
class Job:
    """What a search gets."""

    task: Task
    data: Data
    sizes: Sizes
    models: Models
    seed: int
    calls: "CallCounter"

    @property
    def budget(self) -> int:
        """Calls of all models that the search has."""
        return self.sizes.calls * self.task.row_calls


class CallCounter(BaseCallback):
    """Counts the calls of all models, those that the ledger answers included."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Count a call."""
        with self._lock:
            self.count += 1


def contest(names: tuple[str, str], task: Task, seed: int, sizes: Sizes, models: Models) -> Result:
    """Run a search and measure what it made.

    Args:
        names: Of the task and of the search.
        task: The program and its rows.
        seed: Of the search, and of its train, dev and fresh rows.
        sizes: Rows and calls.
        models: Of the program and of the proposals.
    """
    job = Job(task, _data(task, seed, sizes), sizes, models, seed, CallCounter())
    with dspy.context(lm=models.task, callbacks=[job.calls]):
        final = SEARCHES[names[1]](job)
    with dspy.context(lm=models.task):
        before, after = (_scores(program, job) for program in (task.program(), final))
    compared = pairs(_failures(after, task), _failures(before, task))
    return Result(*names, seed, before, after, compared.won, compared.lost, job.calls.count)


def _data(task: Task, seed: int, sizes: Sizes) -> Data:
    heldout = examples(task, sizes.heldout, HELDOUT_SEED)
    hidden = {str(dict(row.inputs())) for row in heldout}
    needed = sizes.train + sizes.dev + sizes.fresh
    rows = examples(task, needed + len(heldout), seed)
    rows = [row for row in rows if str(dict(row.inputs())) not in hidden][:needed]
    train, rest = rows[: sizes.train], rows[sizes.train :]
    return Data(train, rest[: sizes.dev], rest[sizes.dev :], heldout)


def _scores(program: dspy.Module, job: Job) -> list[float]:
    evaluate = dspy.Evaluate(
        devset=job.data.heldout,
        metric=job.task.metric,
        num_threads=job.models.in_flight,
        display_progress=False,
        max_errors=len(job.data.heldout) + 1,
        failure_score=0.0,
        provide_traceback=False,
    )
    return [float(getattr(s, "score", s)) for _, _, s in evaluate(program).results]


def _failures(scores: Sequence[float], task: Task) -> dict[str, bool]:
    return {str(row): score < task.passes - 1e-9 for row, score in enumerate(scores)}


def auto_evol(job: Job) -> dspy.Module:
    """Search with `autoevol.AutoEvol`."""
    compiler = autoevol.AutoEvol(
        job.task.metric,
        SearchSettings(seed=job.seed, max_calls=job.budget, candidates=4, max_stage_words=120),
        passes=job.task.passes,
        optimizer_lm=job.models.optimizer,
        num_threads=job.models.in_flight,
    )
    data = job.data
    return compiler.compile(
        job.task.program(),
        trainset=data.train,
        valset=data.dev,
        freshset=data.fresh,
        heldoutset=data.heldout,
    )


def gepa(job: Job) -> dspy.Module:
    """Search with `dspy.GEPA` as DSPy ships it, until the calls are spent."""
    compiler = dspy.GEPA(
        metric=job.task.metric,
        # The calls end it, not the metric's.
        max_metric_calls=10 * job.budget,
        reflection_lm=job.models.optimizer,
        num_threads=job.models.in_flight,
        seed=job.seed,
        gepa_kwargs={"stop_callbacks": lambda _: job.calls.count >= job.budget},
    )
    dev = job.data.dev + job.data.fresh
    return compiler.compile(job.task.program(), trainset=job.data.train, valset=dev)


def miprov2(job: Job) -> dspy.Module:
    """Search with `dspy.MIPROv2` as DSPy ships it, with the trials that the calls pay for."""
    dev = job.data.dev + job.data.fresh
    compiler = dspy.MIPROv2(
        metric=lambda *args, **kw: job.task.metric(*args, **kw).score,
        prompt_model=job.models.optimizer,
        task_model=job.models.task,
        auto=None,
        num_candidates=_MIPRO_CANDIDATES,
        num_threads=job.models.in_flight,
        metric_threshold=job.task.passes,
        max_errors=10 * len(dev),
        seed=job.seed,
        verbose=False,
    )
    batch = min(25, len(dev))
    # DSPy measures all dev rows at the start, and after every fifth trial.
    trial = job.task.row_calls * (batch + len(dev) / 5)
    trials = round((job.budget - job.task.row_calls * len(dev)) / trial)
    return compiler.compile(
        job.task.program(),
        trainset=job.data.train,
        valset=dev,
        num_trials=max(1, trials),
        minibatch_size=batch,
    )


_MIPRO_CANDIDATES = 6
"""Instructions and sets of demonstrations: the number of DSPy's light preset."""

SEARCHES: dict[str, Callable[[Job], dspy.Module]] = {
    "auto_evol": auto_evol,
    "gepa": gepa,
    "miprov2": miprov2,
}
