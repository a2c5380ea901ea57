"""How many calls a run of usual rows makes of those that it may make at most."""

from dataclasses import dataclass
from statistics import fmean

from autoevol.experiments.config.scoring.scores import SOLVERS
from autoevol.experiments.run.planning.generation import generation_settings
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.planning.search_calls import mini_batches


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """How much a phase asks of a role at most.

    Attributes:
        cost_usd: None when the model's price is unknown.
        is_seen: Tokens are the average of calls already made, not an upper bound.
        left: Calls that are not made yet, at most.
        seconds: Time of those, at the speed of the calls already made; None: none is made.
        expected: Calls that a run of usual rows makes; see `Expectation`.
    """

    phase: str
    role: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    is_seen: bool = False
    left: int = 0
    seconds: float | None = None
    expected: int = 0


# Of searches in `benchmarks/search` and runs on small models; a strong evolver fails less.
_FAILED_IN_SEARCH, _FAILED, _FAILED_AFTER_SEARCH = 0.5, 0.25, 0.15
_MEASURED = 0.7  # of proposals; the others are rejected or are duplicates
_IMPROVED = 0.2  # of GEPA's proposals, on their mini-batch
_MINI_BATCHES = 0.6  # of the bound: one for each parent that an operator shows cases of
_SURVIVING = {8: 1.0, 16: 0.45, 32: 0.3}  # candidates that enter a race's rung, by its last row
_SURVIVING_LATER = 0.25
_STEPS_BEYOND_PATIENCE = 3
_OPTIMIZER_CALLS = {"rewrite": 2, "edit": 1, "shorten": 1, "merge": 1}
_FINDS = 0.5  # of searches, that find a method to confirm and apply; in the others the start stays
_OPEN = 0.3  # of the taught rows, that a judge is asked about
_WEAK_SOLVER, _PARENTS = 0.7, 0.5  # of the taught rows, that reach the question


@dataclass(frozen=True, slots=True)
class Expectation:
    """How much of an upper bound a run is expected to use.

    A bound takes every step, every proposal on all dev rows, and every row through every stage.
    """

    plan: Plan

    def share(self, bound: CostEstimate) -> float:
        """Return the expected share of a bound, in [0, 1]."""
        taught_by_judge = bound.role == "judge" and self.plan.config.failure.teach
        if bound.phase in ("exam", "first look", "answer"):
            return _OPEN if taught_by_judge else 1.0
        if bound.phase == "search" and bound.role == "optimizer":
            return self._proposing
        return self._evolved(bound.phase) * self._passed(bound)

    @property
    def _steps(self) -> float:
        search = self.plan.config.optimizer
        return min(1.0, (search.patience + _STEPS_BEYOND_PATIENCE) / max(1, search.steps))

    @property
    def _proposing(self) -> float:
        """Share of the optimizer model's calls that are made."""
        search, dev = self.plan.config.optimizer, len(self.plan.splits.dev)
        if search.name == "gepa":
            # An iteration takes two mini-batches, and all dev rows where it improves on its own.
            return search.batch_size / (2 * search.batch_size + _IMPROVED * dev)
        if search.name not in ("auto_evol", "paper"):
            return _MEASURED
        return self._steps * self._calls_a_proposal / 2

    @property
    def _calls_a_proposal(self) -> float:
        search = self.plan.config.optimizer
        operators = ("rewrite",) if search.policy == "paper" else search.operators
        return fmean(_OPTIMIZER_CALLS.get(operator, 0) for operator in operators)

    @property
    def _raced(self) -> float:
        """Share of the dev rows on which a candidate is measured."""
        rows = len(self.plan.splits.dev)
        if self.plan.config.optimizer.pruner == "none" or not rows:
            return 1.0
        shares = (
            next((share for last, share in _SURVIVING.items() if row < last), _SURVIVING_LATER)
            for row in range(rows)
        )
        return fmean(shares)

    def _evolved(self, phase: str) -> float:
        """Return the share of a phase's rewrites that are made."""
        config, dev = self.plan.config, len(self.plan.splits.dev)
        if phase == "evolve":
            attempts = config.evolve.attempts
            later = sum(self._failed(phase) ** n for n in range(1, attempts))
            return (self._first_attempts + later) / attempts
        if phase == "held-out":
            return (1 + _FINDS) / 2  # where the start stays, one method is measured
        if phase != "search":
            return _FINDS if phase == "confirm" else 1.0
        search = config.optimizer
        batches = search.steps * mini_batches(self.plan)
        proposed = search.steps * search.candidates * dev
        later = _MINI_BATCHES * batches + _MEASURED * self._raced * proposed
        return (dev + self._steps * later) / (dev + batches + proposed)

    @property
    def _first_attempts(self) -> float:
        """Share of the bulk's first attempts that the search has not made of the same rows."""
        splits = self.plan.splits
        if self.plan.start is None or not splits.seeds:
            return 1.0
        fresh = splits.fresh if self.plan.config.optimizer.finalists else []
        # Where the start stays: no other method was tried on rows of mini-batches.
        train = (1 - _FINDS) * len(splits.train)
        measured = len(splits.dev) + len(splits.heldout) + len(fresh) + train
        rewrites = generation_settings(self.plan, {}).most_rewrites(len(splits.seeds))
        return max(0.0, 1 - measured / rewrites)

    def _failed(self, phase: str) -> float:
        if phase in ("search", "confirm"):
            return _FAILED_IN_SEARCH
        return _FAILED_AFTER_SEARCH if self.plan.start else _FAILED

    def _passed(self, bound: CostEstimate) -> float:
        """Return the share of a phase's rewrites that reach a role's stage."""
        if bound.role == "evolver":
            return 1.0
        passed = 1 - self._failed(bound.phase)
        if bound.role == "judge" and self.plan.config.failure.teach:
            return passed * _OPEN
        if bound.role not in SOLVERS or not self.plan.config.failure.teach:
            return passed
        # Half of a solver's bound is for parents, which several rows share.
        reached = 1.0 if bound.role == "strong_solver" else _WEAK_SOLVER
        return passed * (reached + _PARENTS * self._parents(bound)) / 2

    def _parents(self, bound: CostEstimate) -> float:
        """Return the share of parents that are solved for this row alone."""
        if bound.role == "strong_solver" and self.plan.facts.has_responses:
            return 0.0
        return 1 / (1 + self.plan.config.optimizer.candidates) if bound.phase == "search" else 1.0
