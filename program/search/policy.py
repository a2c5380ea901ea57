"""The proposal policy: what kind of proposal to try next, learned by Optuna from the history.

A proposal is a trial. Its knobs are few, so that fifty trials teach something: which operator, made
from which rank of the archive, with how much of the mini-batch shown, at which temperature. Its
value is the paired difference to the incumbent (lower is better); a stopped candidate is PRUNED and
a refused proposal FAILs: no partial mean is ever told.

Everything is a function of the seed and of what was told, in order, so a search that is run again
over its ledger asks the same questions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from autoevol.program.draws import draw_number
from autoevol.program.search.racing import Race, Verdicts
from autoevol.program.search.settings import RANKS, OperatorName, PolicyName

_SHARES = ("half", "all")
_MOST_TRIES = 50


@dataclass(frozen=True, slots=True)
class Knobs:
    """What kind of proposal to make.

    Attributes:
        rank: Of the parent in the archive, from 0; lower ranks stand in for missing ones.
        shows_half: Show half of the mini-batch's cases to the optimizer model.
        temperature: At which the optimizer model answers; None: its own.
    """

    operator: OperatorName = "rewrite"
    rank: int = 0
    shows_half: bool = False
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class AskedTrial:
    """A trial that was asked and not yet told."""

    trial: optuna.trial.Trial
    knobs: Knobs


@dataclass(frozen=True, slots=True)
class Policy:
    """How knobs are chosen.

    Attributes:
        name: `learned` by TPE, at `random`, or always as the `paper` proposes.
        operators: To choose from.
        temperatures: Range of the temperature; None: the optimizer model's own.
    """

    name: PolicyName = "learned"
    operators: tuple[OperatorName, ...] = get_args(OperatorName)
    temperatures: tuple[float, float] | None = None
    seed: int = 0

    def sampler(self, trial: int) -> BaseSampler:
        """Return the sampler of one trial, seeded by its number."""
        seed = draw_number("sampler", self.seed, trial)
        return TPESampler(seed=seed) if self.name == "learned" else RandomSampler(seed=seed)

    def choose(self, trial: optuna.trial.Trial) -> Knobs:
        """Let Optuna choose the knobs of a trial."""
        temperature = (
            trial.suggest_float("temperature", *self.temperatures) if (self.temperatures) else None
        )
        if self.name == "paper":
            return Knobs(temperature=temperature)
        return Knobs(
            operator=cast(OperatorName, trial.suggest_categorical("operator", self.operators)),
            rank=trial.suggest_int("parent", 0, RANKS - 1),
            shows_half=trial.suggest_categorical("shown", _SHARES) == "half",
            temperature=temperature,
        )


class ProposalStudy:
    """The study: asked for the proposals of a step together, told how they fared in order."""

    def __init__(self, policy: Policy, race: Race) -> None:
        self._policy, self._race = policy, race
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(direction="minimize", pruner=race.make_pruner())

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """Every trial so far, in the order in which it was asked."""
        return self._study.get_trials(deepcopy=False)

    def ask(
        self, step: int, candidates: int, fits: Callable[[Knobs], bool] = lambda _: True
    ) -> list[AskedTrial]:
        """Return `candidates` trials; all are asked before any is told how it fared.

        Args:
            step: The search's step, from 0.
            candidates: How many.
            fits: Whether knobs can be turned into a proposal; a trial of others fails at once and
                the next one is asked for.
        """
        return [self._fitting(step, index, fits) for index in range(candidates)]

    def is_lost(self, asked: AskedTrial, verdicts: Sequence[Verdicts | None]) -> bool:
        """Report the verdicts row by row, and tell whether to stop the candidate.

        Args:
            asked: The candidate's trial.
            verdicts: The candidate's and the incumbent's, on the dev rows so far; None where one
                of them has none.
        """
        reports = self._race.reports(verdicts)
        known = self.trials[asked.trial.number].intermediate_values
        for row, value in reports.items():
            if row not in known:
                asked.trial.report(value, row)
        return bool(reports) and asked.trial.should_prune()

    def tell(self, asked: AskedTrial, difference: float | None, *, is_pruned: bool = False) -> None:
        """Report a finished race; None: the proposal was refused."""
        if is_pruned:
            self._study.tell(asked.trial, state=TrialState.PRUNED)
        elif difference is None:
            self._study.tell(asked.trial, state=TrialState.FAIL)
        else:
            self._study.tell(asked.trial, difference)

    def _fitting(self, step: int, index: int, fits: Callable[[Knobs], bool]) -> AskedTrial:
        for _ in range(_MOST_TRIES):
            asked = self._ask(step, index)
            if fits(asked.knobs):
                return asked
            self.tell(asked, None)
        return replace(self._ask(step, index), knobs=Knobs())

    def _ask(self, step: int, index: int) -> AskedTrial:
        self._study.sampler = self._policy.sampler(len(self.trials))
        trial = self._study.ask()
        trial.set_user_attr("step", step)
        trial.set_user_attr("candidate", index)
        return AskedTrial(trial, self._policy.choose(trial))
