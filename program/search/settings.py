"""The hyper-parameters of a search, and the paper's own."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Lt, MinLen

from autoevol.program.bounds import Count, Few, FewOrNone, Level, Size, Temperature
from autoevol.program.search.acceptance import AcceptanceName

if TYPE_CHECKING:  # it loads DSPy, and configs inherit from this module
    from autoevol.signatures import Method

PrunerName = Literal["mcnemar", "wilcoxon", "halving", "none"]
PolicyName = Literal["learned", "random", "paper"]
OperatorName = Literal[
    "rewrite", "edit", "shorten", "merge", "safeguard", "add_demonstration", "drop_demonstration"
]

Boldness = Literal["sentence", "section", "whole"]
"""How much of a method a rewrite may change."""

RANKS = 3
"""Best methods of the archive that a proposal may start from."""

OPERATORS: tuple[OperatorName, ...] = ("rewrite", "edit", "merge", "safeguard", "add_demonstration")
"""The operators of a search whose config names none."""


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class SearchOptions:
    """The search's hyper-parameters, as a config's `optimizer` names them; see also `PAPER`.

    The defaults are those that did best in `benchmarks/search` for the calls they cost.

    Attributes:
        steps: Steps at most.
        batch_size: Rows of the mini-batch X_t.
        trajectory_rounds: l, how often the mini-batch is evolved.
        candidates: m, proposals of a step.
        patience: Steps without an accepted candidate after which the search stops.
        policy: How proposals are chosen. See `program.search.policy`.
        operators: The ways to make a proposal. See `program.search.operators`.
        boldness: How much of the method a `rewrite` changes: one sentence, a section, or the whole;
            one of these for each proposal. Weak optimizer models can do no more than a sentence.
        most_added: Safeguards or demonstrations that one proposal adds at most. Several at once
            make a difference that the dev rows can show.
        temperatures: Range of the proposals' temperature; None: the optimizer model's own.
        pruner: How candidates are raced. See `program.search.racing`.
        race_level: Of the pruner's test; see `McNemarPruner`.
        race_worth: The share of differing rows that a good candidate wins; see `McNemarPruner`.
        acceptance: How a candidate replaces the incumbent. See `program.search.acceptance`.
        accept_level: Level of the acceptance test, in (0, 1); with `provisional` of the test on dev
            and fresh rows together.
        tie_break: If the test cannot separate two failure rates, compare the next measures.
        incumbent: Whether the incumbent stays when no candidate is better; without it the best
            candidate of a step always takes its place (auto-evol-instruct in Korean).
        shared_analysis: One analysis for all candidates of a step (the same system).
        remembered: Failed proposals shown to the optimizer model.
        finalists: Methods that are tested again on fresh rows.
        fresh_level: Level of the test that a finalist must pass on the fresh rows alone, in (0, 1);
            0.5: it wins more rows than it loses.
        max_calls: Calls of all models together. The search starts no step that may exceed them,
            judged by the costliest step so far, and reserves what the confirmation may need. None:
            no bound.
        headroom: Skip the search when too few rows fail to detect an improvement.
        max_method_words: A longer proposal is rejected.
        max_stage_words: Stages are cut to this for the analysis.
    """

    steps: Few = 10
    batch_size: Count = 6
    trajectory_rounds: Few = 1
    candidates: Few = 5
    patience: Count = 5
    policy: PolicyName = "random"
    operators: Annotated[tuple[OperatorName, ...], MinLen(1)] = OPERATORS
    boldness: Annotated[tuple[Boldness, ...], MinLen(1)] = ("sentence", "section", "whole")
    most_added: Few = 4
    temperatures: tuple[Temperature, Temperature] | None = None
    pruner: PrunerName = "mcnemar"
    race_level: Level = 0.6
    race_worth: Annotated[float, Ge(0.5), Lt(1)] = 0.6
    acceptance: AcceptanceName = "provisional"
    accept_level: Level = 0.1
    tie_break: bool = True
    incumbent: bool = True
    shared_analysis: bool = False
    remembered: Size = 5
    finalists: FewOrNone = 2
    fresh_level: Level = 0.5
    max_calls: Count | None = None
    headroom: bool = True
    max_method_words: Count = 400
    max_stage_words: Count = 400


@dataclass(frozen=True)
class SearchSettings(SearchOptions):
    """The hyper-parameters of one search, and what it begins with.

    Attributes:
        seed: Seed of every choice.
        earlier: Methods that earlier runs chose: the first candidates, in this order, as many as a
            step has.
        first_number: Of the first step and candidate in names; see `records.proposal_name`.
    """

    seed: int = 0
    earlier: "tuple[Method, ...]" = ()
    first_number: int = 1


PAPER: dict[str, Any] = {
    "policy": "paper",
    "boldness": ("sentence",),
    "pruner": "none",
    "acceptance": "lowest",
    "remembered": 0,
    "finalists": 0,
    "headroom": False,
    "batch_size": 10,
    "patience": 10,
}
"""Settings that make the search the paper's own algorithm (sections 3 and 4.1, F.2)."""
