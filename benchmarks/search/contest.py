"""One search in one world: the true rate of the method it chose, and the calls it made."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dspy
import optuna
from gepa.strategies.proposal_sampling import PxNSampling
from gepa.strategies.proposal_selection import (
    AllImprovements,
    BestImprovement,
    SelectionStrategy,
)

from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.roles import Role, Roles
from autoevol.program.search.optimizer import AutoEvolInstruct
from autoevol.program.search.scoreboard import Scoreboard
from autoevol.program.search.settings import PAPER, SearchSettings
from autoevol.program.search.teleprompters import EXTERNAL, ExternalOptimizer, Factory, gepa
from autoevol.signatures import Method
from benchmarks.search.world import RULES, START, Variant, World, WorldModel, rows

logging.disable(logging.INFO)
optuna.logging.set_verbosity(optuna.logging.WARNING)
Search = Callable[[WorldModel, int], Method]
"""From the world's model and a seed to the chosen method."""

EXTERNAL_CALLS = 850
"""Most calls of DSPy's optimisers: more than ours makes with `max_calls: 1000`, its rival."""

TRAIN, DEV, FRESH = 200, 50, 50
WORSE = 1e-9
"""A true rate above e0's by more than this counts as worse; it covers rounding only."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a search.

    Attributes:
        true_rate: The chosen method's failure rate over the world's population, in [0, 1].
        initial_rate: The same of e0.
        calls: Calls of all models.
    """

    search: str
    variant: Variant
    seed: int
    true_rate: float
    initial_rate: float
    calls: int

    @property
    def is_worse(self) -> bool:
        """Whether the chosen method is truly worse than e0."""
        return self.true_rate > self.initial_rate + WORSE


def contest(search: str, variant: Variant, seed: int) -> Result:
    """Run a search, of `SEARCHES` or `VARIATIONS`, in the world of a seed."""
    return _run(search, (SEARCHES | VARIATIONS)[search], variant, seed)


def contest_with(settings: dict[str, Any], variant: Variant, seed: int) -> Result:
    """Run our search with other settings in the world of a seed."""
    return _run("auto_evol", own_search(**settings), variant, seed)


def _run(name: str, search: Search, variant: Variant, seed: int) -> Result:
    world = World(seed, variant)
    model = WorldModel(world)
    method = search(model, seed)
    return Result(
        name, variant, seed, world.true_rate(method), world.true_rate(START), model.calls.total
    )


def pipeline_of(model: WorldModel) -> Pipeline:
    """Return a pipeline whose roles are all played by the world."""
    role = Role(model, "world")
    # Its rules are the laws of the world: a broken one is a failure, whatever its kind elsewhere.
    failure = failure_metric(RULES, RULES, has_suspicions=False)
    return Pipeline(Roles(role, role, role, role), failure, responds=False, blocks_in_flight=8)


def own_search(following: str | None = None, **settings: Any) -> Search:
    """Return our search with these settings, and perhaps one of DSPy's optimisers after it."""

    def search(model: WorldModel, seed: int) -> Method:
        # The world does not know of bold rewrites.
        own = {"boldness": ("sentence",), **settings}
        pipeline, chosen = pipeline_of(model), SearchSettings(seed=seed, **own)
        then = ExternalOptimizer(EXTERNAL[following], pipeline, chosen) if following else None
        optimizer = AutoEvolInstruct(pipeline, chosen, then=then.continued if then else None)
        data = {"trainset": rows("t", TRAIN), "valset": rows("d", DEV)}
        with dspy.context(lm=model):
            best = optimizer.compile(Evolver(START), **data, freshset=rows("f", FRESH))
        return best.method

    return search


def _external(factory: Factory) -> Search:
    """Return a search by one of DSPy's optimisers, with as many calls as ours makes on average."""

    def search(model: WorldModel, seed: int) -> Method:
        settings = SearchSettings(seed=seed, max_calls=EXTERNAL_CALLS)
        optimizer = ExternalOptimizer(factory, pipeline_of(model), settings)
        data = {"trainset": rows("t", TRAIN), "valset": rows("d", DEV)}
        with dspy.context(lm=model):
            return asyncio.run(optimizer.acompile(Evolver(START), **data)).method

    return search


def _parallel_gepa(parents: int, mutations: int, selection: SelectionStrategy) -> Factory:
    """Return GEPA with several proposals an iteration."""

    def factory(optimizer: ExternalOptimizer, board: Scoreboard) -> tuple[Any, dict[str, Any]]:
        teleprompter, arguments = gepa(optimizer, board)
        sampling = PxNSampling(parents, mutations)
        parallel = {"sampling_strategy": sampling, "selection_strategy": selection}
        teleprompter.gepa_kwargs = teleprompter.gepa_kwargs | parallel
        return teleprompter, arguments

    return factory


SEARCHES: dict[str, Search] = {
    "auto_evol": own_search(),
    "auto_evol, 1000": own_search(max_calls=1000),
    "paper": own_search(**PAPER),
    "gepa": _external(gepa),
}
"""The searches of the table in docs/search.md."""

VARIATIONS: dict[str, Search] = {
    "learned": own_search(policy="learned"),
    "no demonstrations": own_search(operators=("rewrite", "edit", "merge", "safeguard")),
    "auto_evol, 1190": own_search(max_calls=1190),
    "auto_evol, 1190, then gepa": own_search(following="gepa", max_calls=1190),
    "gepa, 2x2": _external(_parallel_gepa(2, 2, AllImprovements())),
    "gepa, 8x1": _external(_parallel_gepa(8, 1, BestImprovement())),
}
"""Searches with one thing changed, by the name that `--only` takes."""
