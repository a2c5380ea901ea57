"""The proposal policy: which kind of proposal to try next, chosen by one of Optuna's samplers.

A proposal is an Optuna trial. It has few knobs, so that fifty trials could teach something: the
operator, the parent's rank in the archive, the share of the mini-batch that is shown, the
temperature, and in a program of several predictors the one to change. A trial's value is the
candidate's failure rate less the incumbent's on the same dev rows (lower is better). A candidate
that was stopped early is PRUNED and a rejected proposal FAILs: Optuna never gets a mean over part
of the rows.

Each choice is a pure function of the seed and of the values reported so far, in their order. A
search that is resumed from its ledger therefore makes the same choices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from autoevol.program.draws import draw_number
from autoevol.program.search.settings import OPERATORS, RANKS, Boldness, OperatorName, PolicyName

_SHARES = ("half", "all")

DIFFERENCE = "difference_to_initial"
"""User attribute of a measured trial: the candidate's failure rate less the initial method's on the
same dev rows, in [-1, 1]. Unlike the trial's value it does not depend on the incumbent of its time.
"""

_LEAST_TRIALS = 10
"""Importances from fewer measured trials mean nothing."""

_BEST_SHARE = 0.25
"""Share of the trials that PED-ANOVA compares with all."""

_MOST_TRIES = 50
"""Trials in a row whose knobs may be unusable; after them the paper's own proposal is made."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """What kind of proposal to make.

    Attributes:
        operator: How the proposal is made; `recall`: it is an earlier run's method.
        rank: The parent's rank in the archive, from 0. While the archive holds fewer methods, the
            lowest-ranked one is the parent. With `recall` the number of the earlier method.
        shows_half: Show half of the mini-batch's cases to the optimizer model.
        temperature: Sampling temperature of the optimizer model; None: the model's own.
        predictor: Number of the predictor to change, from 0.
        boldness: How much of the method a `rewrite` changes.
    """

    operator: OperatorName | Literal["recall"] = "rewrite"
    rank: int = 0
    shows_half: bool = False
    temperature: float | None = None
    predictor: int = 0
    boldness: Boldness = "sentence"


@dataclass(frozen=True, slots=True)
class ProposalTrial:
    """An Optuna trial that is still open, and the knobs that Optuna chose for it."""

    trial: optuna.trial.Trial
    knobs: Knobs


@dataclass(frozen=True, slots=True)
class Policy:
    """How knobs are chosen.

    Attributes:
        name: `random`: at random; `learned`: by TPE; `paper`: always the paper's rewrite.
        operators: The operators to choose from.
        temperatures: Range of the temperature; None: the optimizer model's own.
        seed: Seed of the samplers.
        predictors: Names of the predictors to choose from; with less than two there is no choice.
        boldness: How much a rewrite may change; with one there is no choice.
    """

    name: PolicyName = "random"
    operators: tuple[OperatorName, ...] = OPERATORS
    temperatures: tuple[float, float] | None = None
    seed: int = 0
    predictors: tuple[str, ...] = ()
    boldness: tuple[Boldness, ...] = ("sentence",)

    def sampler(self, number: int) -> BaseSampler:
        """Return the sampler of the trial with this number."""
        # One sampler for all trials would carry the state of its random generator from trial to
        # trial. A sampler for each depends on the trial's number alone.
        seed = draw_number("sampler", self.seed, number)
        return TPESampler(seed=seed) if self.name == "learned" else RandomSampler(seed=seed)

    def choose(self, trial: optuna.trial.Trial) -> Knobs:
        """Let Optuna choose the knobs of a trial."""
        temperature = (
            trial.suggest_float("temperature", *self.temperatures) if self.temperatures else None
        )
        predictor = self._predictor(trial)
        if self.name == "paper":
            return Knobs(
                temperature=temperature, predictor=predictor, boldness=self._boldness(trial)
            )
        return Knobs(
            operator=cast(OperatorName, trial.suggest_categorical("operator", self.operators)),
            rank=trial.suggest_int("parent", 0, RANKS - 1),
            shows_half=trial.suggest_categorical("shown", _SHARES) == "half",
            temperature=temperature,
            predictor=predictor,
            boldness=self._boldness(trial),
        )

    def _boldness(self, trial: optuna.trial.Trial) -> Boldness:
        if len(self.boldness) < 2:
            return self.boldness[0]
        return cast(Boldness, trial.suggest_categorical("boldness", self.boldness))

    def _predictor(self, trial: optuna.trial.Trial) -> int:
        if len(self.predictors) < 2:
            return 0
        return self.predictors.index(trial.suggest_categorical("predictor", self.predictors))


class ProposalStudy:
    """The Optuna study of a search. All trials of a step are opened before the first is closed.

    Args:
        policy: Chooses the knobs.
        pruner: Decides from a trial's reported values whether to stop its candidate.
    """

    def __init__(self, policy: Policy, pruner: BasePruner) -> None:
        self._policy = policy
        # Optuna logs every trial at INFO, across the progress bar.
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # In memory alone: a resumed search replays its calls, and so makes the same trials again.
        self._study = optuna.create_study(direction="minimize", pruner=pruner)

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """Every trial so far, in the order in which it was opened."""
        # Optuna's default copies every trial, and this is read at each report.
        return self._study.get_trials(deepcopy=False)

    def ask(
        self,
        step: int,
        candidates: int,
        is_usable: Callable[[Knobs], bool] = lambda _: True,
        *,
        recalled: int = 0,
    ) -> list[ProposalTrial]:
        """Open `candidates` trials and return them.

        Args:
            step: The search's step, from 0.
            candidates: Number of trials.
            is_usable: Whether a proposal can be made with these knobs. A trial with unusable knobs
                FAILs at once, and another one is opened.
            recalled: So many of the trials, the first ones, take the methods of earlier runs.
        """
        recalls = [
            ProposalTrial(self._open(step, index), Knobs("recall", rank=index))
            for index in range(min(recalled, candidates))
        ]
        # TPE counts open trials as bad ones (its constant liar), so a step's trials differ.
        others = range(len(recalls), candidates)
        return [*recalls, *(self._ask_usable(step, index, is_usable) for index in others)]

    def should_prune(self, proposal: ProposalTrial, values: Mapping[int, float]) -> bool:
        """Report a candidate's values on the dev rows so far; return whether to stop it.

        Args:
            proposal: The candidate's trial.
            values: By the row's number from 1. See `RaceRules.values`.
        """
        # Optuna ignores a second report for a row, with a warning.
        reported = self.trials[proposal.trial.number].intermediate_values
        for row, value in values.items():
            if row not in reported:
                proposal.trial.report(value, row)
        return bool(values) and proposal.trial.should_prune()

    def tell(
        self,
        proposal: ProposalTrial,
        difference: float | None,
        *,
        is_pruned: bool = False,
        to_initial: float | None = None,
    ) -> None:
        """Close a trial.

        Args:
            proposal: The candidate's trial.
            difference: The candidate's failure rate less the incumbent's, in [-1, 1]; None: the
                proposal was rejected before it was measured.
            is_pruned: Whether the candidate was stopped early; `difference` is then ignored.
            to_initial: The same to the initial method; for a stopped candidate a bound.
        """
        if to_initial is not None:
            proposal.trial.set_user_attr(DIFFERENCE, to_initial)
        if is_pruned:
            self._study.tell(proposal.trial, state=TrialState.PRUNED)
        elif difference is None:
            # TPE reads complete and pruned trials: what was never measured teaches it nothing.
            self._study.tell(proposal.trial, state=TrialState.FAIL)
        else:
            self._study.tell(proposal.trial, difference)

    def _ask_usable(
        self, step: int, index: int, is_usable: Callable[[Knobs], bool]
    ) -> ProposalTrial:
        for _ in range(_MOST_TRIES):
            proposal = self._ask(step, index)
            if is_usable(proposal.knobs):
                return proposal
            self.tell(proposal, None)
        last = self._ask(step, index)
        return replace(last, knobs=Knobs(predictor=last.knobs.predictor))

    def _ask(self, step: int, index: int) -> ProposalTrial:
        trial = self._open(step, index)
        return ProposalTrial(trial, self._policy.choose(trial))

    def _open(self, step: int, index: int) -> optuna.trial.Trial:
        self._study.sampler = self._policy.sampler(len(self.trials))
        trial = self._study.ask()
        trial.set_user_attr("step", step)
        trial.set_user_attr("candidate", index)
        return trial


def importances(trials: Sequence[optuna.trial.FrozenTrial]) -> dict[str, float]:
    """Return how much each knob mattered, by PED-ANOVA (arXiv 2304.10255), the largest first.

    Shares that add up to 1; empty where too few trials were measured, or none had a choice.

    Args:
        trials: Of one search. Those without the attribute `DIFFERENCE` are left out.
    """
    measured = [
        optuna.trial.create_trial(
            params=trial.params,
            distributions=trial.distributions,
            value=trial.user_attrs[DIFFERENCE],
        )
        for trial in trials
        if DIFFERENCE in trial.user_attrs and trial.params
    ]
    if len(measured) < _LEAST_TRIALS:
        return {}
    study = optuna.create_study()
    study.add_trials(measured)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=_BEST_SHARE)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)
