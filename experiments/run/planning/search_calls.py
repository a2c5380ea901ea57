"""How many rows a search measures at most, and how often it asks the optimizer model."""

from dataclasses import dataclass

from autoevol.experiments.run.planning.plan import Plan
from autoevol.program.search.settings import RANKS


@dataclass(frozen=True, slots=True)
class SearchCalls:
    """What a search does at most.

    Attributes:
        evolved: Rows that it evolves, one for each method that they are evolved with.
        answered: Those that are answered, too.
        proposing: Calls of the optimizer model.
    """

    evolved: int
    answered: int
    proposing: int

    def __add__(self, other: "SearchCalls") -> "SearchCalls":
        return SearchCalls(
            self.evolved + other.evolved,
            self.answered + other.answered,
            self.proposing + other.proposing,
        )


def search_calls(plan: Plan) -> SearchCalls:
    """Return what a plan's search does at most, the one that follows it included."""
    search = plan.config.optimizer
    if search.name in _GUESTS:
        return _GUESTS[search.name](plan)
    own = _own(plan)
    return own + _GUESTS[search.then](plan) if search.then else own


def mini_batches(plan: Plan) -> int:
    """Return how many rewrites the mini-batches of a step take at most."""
    search = plan.config.optimizer
    # The paper makes all proposals of a step from the incumbent, so they share one mini-batch.
    parents = 1 if search.policy == "paper" else min(RANKS, search.candidates)
    return parents * _batch(plan) * search.trajectory_rounds


def _batch(plan: Plan) -> int:
    return min(plan.config.optimizer.batch_size, len(plan.splits.train))


def _own(plan: Plan) -> SearchCalls:
    search = plan.config.optimizer
    proposals = search.steps * search.candidates
    dev = len(plan.splits.dev) * (1 + proposals)
    # Two calls a proposal: one analyses the trajectories, one rewrites the method.
    return SearchCalls(search.steps * mini_batches(plan) + dev, dev, 2 * proposals)


def _gepa(plan: Plan) -> SearchCalls:
    """Count for `dspy.GEPA`, which answers its mini-batches, too."""
    search, dev, batch = plan.config.optimizer, len(plan.splits.dev), max(1, _batch(plan))
    metric_calls = search.steps * (search.batch_size + search.candidates * dev)
    # It looks at its budget before an iteration alone: two mini-batches and perhaps all dev rows.
    rows = metric_calls + 2 * batch + dev
    # An iteration takes a mini-batch at least, and a proposal is an analysis and a rewrite.
    return SearchCalls(rows, rows, 2 * -(-rows // batch))


_MIPRO_PROPOSAL = 3
"""Calls of `dspy.MIPROv2` for an instruction: it describes program and module, then writes."""
_MIPRO_DATA = 16
"""Its calls to describe the data set, and a few to spare."""


def _miprov2(plan: Plan) -> SearchCalls:
    """Count for `dspy.MIPROv2`: train rows for demonstrations, and all dev rows a trial."""
    search, splits = plan.config.optimizer, plan.splits
    sets = search.candidates + 1
    # The first trial is the program as it was; demonstrations are bootstrapped for each set.
    rows = len(splits.dev) * (search.steps + 2) + sets * len(splits.train)
    return SearchCalls(rows, rows, _MIPRO_PROPOSAL * sets + _MIPRO_DATA)


_GUESTS = {"gepa": _gepa, "miprov2": _miprov2}
"""DSPy's optimisers, by the name that `optimizer.name` has in a config."""
