"""`AutoEvol`: the search as a DSPy optimiser for any program and any metric."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import dspy
from dspy.teleprompt import Teleprompter
from dspy.utils.callback import BaseCallback

from autoevol.program.blocks import run_here
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.roles import Role
from autoevol.program.search.optimizer import Search
from autoevol.program.search.programs.examples import ExampleSets, example_sets
from autoevol.program.search.programs.metric import Metric, UserMetric
from autoevol.program.search.programs.operators import PROGRAM_OPERATORS
from autoevol.program.search.programs.progress import log_end, logging_progress
from autoevol.program.search.programs.state import ProgramState, all_predictors
from autoevol.program.search.programs.subject import Bench, ProgramSubject
from autoevol.program.search.settings import SearchSettings

Examples = Sequence[dspy.Example]
_THREADS = 8
"""DSPy's own default of rows at work at the same time."""


class AutoEvol(Teleprompter):
    """Optimises the instructions and demonstrations of a program against its failure rate.

    The same loop as `AutoEvolInstruct`: candidates are raced on dev rows, accepted by a paired
    test, and confirmed on fresh rows. The program runs on the model in `dspy.settings`, or on the
    predictors' own.

    Args:
        metric: Takes an example and a prediction; returns a bool, a score in [0, 1],
            (score, feedback), or a `dspy.Prediction` with `score` and `feedback`. A row for which
            it raises or returns no score is unscored.
        settings: Hyper-parameters; operators that only an evolving method has are left out, and
            only the failure rate decides (`tie_break` is off).
        listeners: Get phases, rows, finished steps and the final choice; None: steps and choice are
            logged.
        passes: A row fails if its score is below this; in (0, 1].
        optimizer_lm: Writes instructions; None: the model in `dspy.settings`.
        num_threads: Rows at work at the same time; None: the number in `dspy.settings`.

    Raises:
        ConfigError: An argument cannot be used.
    """

    def __init__(
        self,
        metric: Metric,
        settings: SearchSettings | None = None,
        listeners: Listeners | None = None,
        *,
        passes: float = 1.0,
        optimizer_lm: dspy.BaseLM | None = None,
        num_threads: int | None = None,
    ) -> None:
        super().__init__()
        self.metric = UserMetric(metric, passes)
        # The measures after the failure rate are about rewrites, or prefer what is shorter.
        self.settings = replace(settings or SearchSettings(), tie_break=False)
        self._logs = listeners is None
        self.listeners = listeners or logging_progress(skips=self.settings.headroom)
        self.optimizer_lm, self.num_threads = optimizer_lm, num_threads
        if not isinstance(optimizer_lm, dspy.BaseLM | None):
            kind = type(optimizer_lm).__name__
            raise ConfigError("AutoEvol: optimizer_lm", f"must be a dspy.LM, is {kind}")
        if not set(self.settings.operators) & set(PROGRAM_OPERATORS):
            names = ", ".join(self.settings.operators)
            raise ConfigError("AutoEvol: settings.operators", f"no program has {names}")

    def compile(
        self,
        student: dspy.Module,
        *,
        trainset: Examples,
        valset: Examples | None = None,
        freshset: Examples = (),
        heldoutset: Examples = (),
    ) -> dspy.Module:
        """Return a copy of `student` in the best state of the search; see `acompile`.

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
        student: dspy.Module,
        *,
        trainset: Examples,
        valset: Examples | None = None,
        freshset: Examples = (),
        heldoutset: Examples = (),
    ) -> dspy.Module:
        """Search for better instructions and demonstrations.

        Args:
            student: Its predictors' state is the first incumbent. Compiled sub-modules are frozen.
            trainset: Examples for proposals and demonstrations.
            valset: Dev examples, on which candidates are compared; needed.
            freshset: Examples for the confirmation; none: the dev examples have to prove
                a gain.
            heldoutset: Never run; no proposal may quote it.

        Returns:
            A copy of `student`; in its own state when no better one was found.

        Raises:
            ConfigError: The student has no predictor to change, a set is empty or shares examples
                with another, or there is no model.
            StoppedError: Not one dev example could be scored.
            LMError: A call failed in a way that affects every row, for example a refused key.
        """
        sets = example_sets(
            trainset=trainset, valset=valset, freshset=freshset, heldoutset=heldoutset
        )
        state = ProgramState(student)
        optimizer = Role(sampling(self.optimizer_lm or _model_of(student)), "optimizer")
        best = await self._search(state, sets, optimizer)
        return state.apply(best)

    async def _search(self, state: ProgramState, sets: ExampleSets, optimizer: Role) -> Any:
        counter = CallCounter()
        in_flight = self.num_threads or dspy.settings.num_threads or _THREADS
        callbacks = [*(dspy.settings.get("callbacks") or ()), counter]
        with ThreadPoolExecutor(in_flight) as threads, dspy.context(callbacks=callbacks):
            bench = Bench(
                sets.examples, self.metric, threads, in_flight, counter.calls, self.listeners
            )
            subject = ProgramSubject(state, bench, optimizer, self.settings)
            search = Search(subject, self.settings, self.listeners, sets.rows, counter.calls)
            best = (await search.run()).method
        if self._logs:
            log_end(is_changed=best.id != subject.method.id, calls=len(counter.calls))
        return best


class CallCounter(BaseCallback):
    """Counts the calls of all models, cached ones included, so that a repeated search counts alike.

    Attributes:
        calls: Ids of the calls, in the order in which they began.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Count a call."""
        self.calls.append(call_id)


def _model_of(student: dspy.Module) -> Any:
    """Return the model that the program runs on.

    Raises:
        ConfigError: There is none.
    """
    own = [predictor.lm for predictor in all_predictors(student)]
    lm = dspy.settings.lm or next((lm for lm in own if lm is not None), None)
    if not isinstance(lm, dspy.BaseLM) or (dspy.settings.lm is None and None in own):
        raise ConfigError(
            "AutoEvol.compile", "no model is set; use dspy.configure(lm=dspy.LM(...))"
        )
    return lm


def sampling(lm: Any) -> Any:
    """Return the model with sampling: proposals from one prompt must differ."""
    return lm.copy(temperature=1.0) if lm.kwargs.get("temperature") == 0 else lm
