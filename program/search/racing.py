"""Racing: a step's candidates are measured on the dev rows, and the losers are stopped early.

A race has rungs, as successive halving has: numbers of dev rows after which each candidate is
tested. A pruner decides from a trial's reported values, one for each dev row. For `mcnemar` a value
is the candidate's verdict less the incumbent's (1: it alone failed, -1: the incumbent alone failed,
0: no difference). `wilcoxon` and `halving` compare trials of different steps with one another, and
each step has its own incumbent. Their value is therefore the candidate's own verdict (1: failed),
for `halving` its running mean.
"""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner

from autoevol.metrics import Pairs, pairs
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Candidate, Evaluation, Row
from autoevol.program.search.policy import ProposalStudy, ProposalTrial
from autoevol.program.search.settings import PrunerName
from autoevol.signatures import Method

RUNGS = (8, 16, 32)
"""Numbers of dev rows after which a race is tested; then every 32 rows, and at its end."""

Verdicts = tuple[bool, bool]
"""The candidate's and the incumbent's on one row: True failed."""

Measure = Callable[[Method, Sequence[Row]], Awaitable[Evaluation]]
"""Evaluates a method on rows."""

_WILCOXON_ROWS = 14
"""Optuna computes the test's exact distribution below so many rows: half a second for each test."""


class McNemarPruner(BasePruner):
    """Stops a candidate that loses too often to the incumbent, on the rows that both have.

    Exact one-sided McNemar test at each rung, its level divided by the number of rungs
    (Bonferroni). Optuna's own WilcoxonPruner compares with the best trial so far, which is the
    luckiest one, and never with the incumbent.

    Args:
        level: Chance that a candidate worth having is stopped at any of the rungs, in (0, 1).
        rungs: Number of tests in a whole race.
        worth: Share of the differing rows that a candidate worth having wins, in [0.5, 1): 0.5
            stops what is worse than the incumbent; more also stops what is no better.
    """

    def __init__(self, level: float, rungs: int, worth: float = 0.5) -> None:
        # With 8 dev rows or fewer no rung comes before the last, so there is nothing to divide by.
        self._level = level / max(1, rungs)
        self._worth = worth

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        """Return whether to stop, from the values reported so far."""
        values = list(trial.intermediate_values.values())
        comparison = Pairs(won=values.count(-1.0), lost=values.count(1.0), shared=len(values))
        return comparison.p_worth(self._worth) <= self._level


@dataclass(frozen=True, slots=True)
class RaceRules:
    """When the candidates of a race over `rows` dev rows are stopped.

    Attributes:
        pruner: The pruner's name.
        rows: Number of dev rows.
        level: See `McNemarPruner`; for `wilcoxon` the test's p threshold.
        worth: See `McNemarPruner`.
    """

    pruner: PrunerName
    rows: int
    level: float = 0.6
    worth: float = 0.6

    @property
    def rungs(self) -> list[int]:
        """Numbers of rows, rising, after which candidates are tested; the last is all of them."""
        if self.pruner == "none":
            return [self.rows]
        later = range(2 * RUNGS[-1], self.rows, RUNGS[-1])
        return [*(rung for rung in (*RUNGS, *later) if rung < self.rows), self.rows]

    def make_pruner(self) -> BasePruner:
        """Return Optuna's object."""
        if self.pruner == "mcnemar":
            # The last rung stops nobody: there the acceptance rule decides.
            return McNemarPruner(self.level, len(self.rungs) - 1, self.worth)
        if self.pruner == "wilcoxon":
            return _wilcoxon_pruner(self.level)
        if self.pruner == "halving":
            # Its rungs are `min_resource` times powers of the factor: 8, 16, 32, as ours.
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=RUNGS[0], reduction_factor=2)
        return optuna.pruners.NopPruner()

    def values(self, verdicts: Sequence[Verdicts | None]) -> dict[int, float]:
        """Return what a trial reports, by the number of the dev row from 1.

        Args:
            verdicts: On the dev rows so far; None where one of the two methods has none.
        """
        shared = {row: verdict for row, verdict in enumerate(verdicts, 1) if verdict is not None}
        if self.pruner == "mcnemar":
            return {row: float(mine) - float(theirs) for row, (mine, theirs) in shared.items()}
        own = {row: float(mine) for row, (mine, _) in shared.items()}
        if self.pruner != "halving":
            return own
        # Successive halving reads the value at a rung's last row alone, so that value has to hold
        # all rows before it.
        sums = accumulate(own.values())
        return {row: total / n for n, (row, total) in enumerate(zip(own, sums, strict=True), 1)}


@dataclass(frozen=True, slots=True)
class Race:
    """Measures the candidates of a step on the dev rows and stops those that lose.

    Attributes:
        rules: When a candidate is stopped.
        dev: The dev rows, in the order in which they are run.
        measure: Evaluates a method on rows.
        study: Gets the verdicts, and at the end each candidate's result.
        listeners: Get a phase for each rung.
        is_parallel: Measure the candidates side by side. A model in this process keeps one method
            in its prefix cache, so there they are measured one after the other.
    """

    rules: RaceRules
    dev: Sequence[Row]
    measure: Measure
    study: ProposalStudy
    listeners: Listeners
    is_parallel: bool = True

    async def run(
        self,
        candidates: Sequence[Candidate],
        trials: Sequence[ProposalTrial],
        incumbent: Evaluation,
        initial: Evaluation,
    ) -> list[Candidate]:
        """Return the candidates with their evaluations on the dev rows (paper, section 3.3).

        A stopped candidate has an evaluation on the first dev rows only; a rejected proposal none.

        Args:
            candidates: Of one step.
            trials: The candidates' trials; each is closed when the race is over.
            incumbent: On the dev rows; its verdicts are reused.
            initial: The same of the initial method.
        """
        raced = list(candidates)
        for start, end in pairwise([0, *self.rules.rungs]):
            active = [i for i, c in enumerate(raced) if c.method and not c.is_pruned]
            self._announce(candidates[0].step, len(active), start, end)
            measured = await self._measure_all([raced[i] for i in active], self.dev[start:end])
            for i, candidate in zip(active, measured, strict=True):
                is_lost = end < len(self.dev) and self._is_lost(trials[i], candidate, incumbent)
                raced[i] = replace(candidate, is_pruned=is_lost)
        # Trials are closed in their own order, not in the order in which candidates finished:
        # TPE's next choice depends on it, and a resumed search has to make the same one.
        for trial, candidate in zip(trials, raced, strict=True):
            difference = _difference(candidate, incumbent)
            self.study.tell(
                trial,
                difference,
                is_pruned=candidate.is_pruned,
                to_initial=_bound(candidate, initial),
            )
        return raced

    def _announce(self, step: int, active: int, start: int, end: int) -> None:
        if active:
            candidates = "1 candidate" if active == 1 else f"{active} candidates"
            name = f"step {step + 1}: {candidates}, rows {start + 1}–{end}"
            self.listeners.on_phase(Phase(name, active * (end - start)))

    async def _measure_all(
        self, candidates: Sequence[Candidate], rows: Sequence[Row]
    ) -> list[Candidate]:
        if self.is_parallel:
            return list(await asyncio.gather(*(self._extend(c, rows) for c in candidates)))
        return [await self._extend(candidate, rows) for candidate in candidates]

    async def _extend(self, candidate: Candidate, rows: Sequence[Row]) -> Candidate:
        """Return the candidate with its evaluation extended by `rows`."""
        assert candidate.method
        evaluation = await self.measure(candidate.method, rows)
        if candidate.evaluation:
            evaluation = candidate.evaluation.joined(evaluation)
        return replace(candidate, evaluation=evaluation)

    def _is_lost(self, trial: ProposalTrial, candidate: Candidate, incumbent: Evaluation) -> bool:
        assert candidate.evaluation
        mine, theirs = candidate.evaluation.verdicts, incumbent.verdicts
        rows = [row.id for row in self.dev[: len(candidate.evaluation.outcomes)]]
        # An unscored row keeps its number: Optuna compares trials by the number of the dev row.
        verdicts = [(mine[r], theirs[r]) if r in mine and r in theirs else None for r in rows]
        return self.study.should_prune(trial, self.rules.values(verdicts))


def _difference(candidate: Candidate, other: Evaluation) -> float | None:
    """Return the paired difference to another method, lower is better; None: never measured."""
    if candidate.evaluation is None:
        return None
    return pairs(candidate.evaluation.verdicts, other.verdicts).difference


def _bound(candidate: Candidate, initial: Evaluation) -> float | None:
    """Return the paired difference to the initial method; None: never measured.

    A candidate that lost its race counts as no better: the rows that it was stopped after say that
    it is worse than the incumbent, and little of how it compares with the initial method.
    """
    difference = _difference(candidate, initial)
    return max(0.0, difference) if difference is not None and candidate.is_pruned else difference


def _wilcoxon_pruner(level: float) -> BasePruner:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return optuna.pruners.WilcoxonPruner(p_threshold=level, n_startup_steps=_WILCOXON_ROWS)
