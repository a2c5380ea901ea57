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

    Both are compared on the rows that were scored under both; with fewer than half of the
    incumbent's rows the challenger is not believed. Lower failure rate wins. A tie keeps the
    incumbent, unless `tie_break` is on and the challenger's sound rewrites add at least one content
    word more on average.
    """
    new, old = _verdicts(challenger), _verdicts(incumbent)
    shared = [row for row in old if row in new]
    if not shared or 2 * len(shared) < len(old):
        return False
    failures, failures_before = sum(new[row] for row in shared), sum(old[row] for row in shared)
    if failures != failures_before:
        return failures < failures_before
    return tie_break and challenger.added_words >= incumbent.added_words + MARGIN_WORDS


def _verdicts(evaluation: Evaluation) -> dict[str, bool]:
    """Return F by row id, for the rows that were scored."""
    return {o.source.id: o.verdict for o in evaluation.outcomes if o.verdict is not None}
