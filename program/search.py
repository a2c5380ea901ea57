"""The study behind the search: a candidate is an Optuna trial, its value the failure rate.

Source of the rule: arXiv 2406.00770, section 3.3 (lowest λ wins). Only this module knows Optuna.
"""

from dataclasses import dataclass

import optuna
from optuna.trial import TrialState

from metrics import FailureRate
from program.records import Evaluation

MARGIN_WORDS = 1.0
"""On equal failure rates a candidate must add this many content words more than the incumbent."""


@dataclass(frozen=True, slots=True)
class ProposalTrial:
    """A trial that was asked and not yet told."""

    trial: optuna.trial.Trial
    temperature: float | None


class CandidateStudy:
    """Asks for the proposals of a step together and is told their failure rates in order.

    Args:
        temperatures: Range from which a proposal's temperature is sampled; None: the model's own.
        seed: Of the sampler.
    """

    def __init__(self, *, temperatures: tuple[float, float] | None, seed: int) -> None:
        sampler = optuna.samplers.TPESampler(seed=seed)
        self._study = optuna.create_study(direction="minimize", sampler=sampler)
        self._temperatures = temperatures

    def ask(self, step: int, candidates: int) -> list[ProposalTrial]:
        """Return `candidates` trials; all are asked before any is told."""
        return [self._ask(step, index) for index in range(candidates)]

    def tell(self, asked: ProposalTrial, rate: FailureRate | None) -> None:
        """Report a candidate's failure rate; None: the proposal was rejected."""
        if rate is None:
            self._study.tell(asked.trial, state=TrialState.FAIL)
        else:
            self._study.tell(asked.trial, rate.rate)

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """Every trial so far, in the order in which it was asked."""
        return self._study.get_trials(deepcopy=False)

    def _ask(self, step: int, index: int) -> ProposalTrial:
        trial = self._study.ask()
        trial.set_user_attr("step", step)
        trial.set_user_attr("candidate", index)
        if self._temperatures is None:
            return ProposalTrial(trial, None)
        low, high = self._temperatures
        return ProposalTrial(trial, trial.suggest_float("temperature", low, high))


def is_better(challenger: Evaluation, incumbent: Evaluation, *, tie_break: bool) -> bool:
    """Tell whether `challenger` takes the incumbent's place.

    Lower failure rate wins. A tie keeps the incumbent, unless `tie_break` is on and the
    challenger's sound rewrites add at least one content word more on average.
    """
    new, old = challenger.failure_rate.rate, incumbent.failure_rate.rate
    if new != old:
        return new < old
    return tie_break and challenger.added_words >= incumbent.added_words + MARGIN_WORDS
