"""What a search measures and decides: methods on rows, proposals, steps, and the final choice."""

import math
from collections import Counter
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from autoevol.metrics import FailureRate, count_by_rule, failure_rate
from autoevol.program.records.rows import Outcome

# `signatures` loads DSPy, which takes a second; commands that only read a finished run need none.
if TYPE_CHECKING:
    from autoevol.signatures import Method


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One row's stages under a method, S_t of the paper: stage 0 is the original.

    Attributes:
        id: The row's id, by which the analysis refers to the case.
        stages: The texts, oldest first; l + 1 of them unless a round failed to parse.
        notes: What F found, one line per failed stage.
        labels: What each stage is; empty: they are numbered.
        demonstrations: What each predictor did in a row that passed, as a pair of its inputs and
            outputs; None for a predictor that was not called. Empty: nothing to show.
        labelled: What each predictor should have done in a row that failed, where the row's labels
            say it; else None. Empty: nothing to show.
    """

    id: str
    stages: tuple[str, ...]
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    demonstrations: tuple[tuple[str, str] | None, ...] = ()
    labelled: tuple[tuple[str, str] | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A method applied to some rows, with an outcome for each, in their order."""

    method: "Method"
    outcomes: tuple[Outcome, ...]

    @property
    def failure_rate(self) -> FailureRate:
        """λ on the rows (paper, section 3.3)."""
        return failure_rate(outcome.verdict for outcome in self.outcomes)

    @property
    def added_words(self) -> float:
        """Mean content words added by the rows that passed, in [0, 20]; higher is better."""
        words = [o.row.scores.get("added_words", 0.0) for o in self.outcomes if o.verdict is False]
        return fmean(words) if words else 0.0

    @property
    def verdicts(self) -> dict[str, bool]:
        """F by row id, for the rows that were scored."""
        return {o.source.id: o.verdict for o in self.outcomes if o.verdict is not None}

    @property
    def failures(self) -> Counter[str]:
        """Number of rows that broke each rule, by rule."""
        return count_by_rule([o.reasons for o in self.outcomes if o.verdict])

    def joined(self, more: "Evaluation") -> "Evaluation":
        """Return the evaluation on these rows and those of `more`, which are others."""
        return Evaluation(self.method, (*self.outcomes, *more.outcomes))


def proposal_name(step: int, index: int, first: int = 1) -> str:
    """Return what a proposal is called, `step-01-candidate-1`; unique in a run, same on resume.

    Args:
        step: Zero-based.
        index: Zero-based, within its step.
        first: Number of the first step and of the first candidate.
    """
    return f"step-{step + first:02d}-candidate-{index + first}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposal of a step, e_t^i of the paper.

    Attributes:
        step: Zero-based step.
        index: Zero-based number of the proposal within its step.
        parent: The method that the proposal changes.
        method: The proposed method; None when the proposal was rejected.
        feedback: The analysis that the proposal answers.
        rejected: Why the proposal was rejected; None when it was evaluated.
        evaluation: The method on the dev rows, or on the first of them when its race was stopped
            early; None when rejected.
        temperature: Sampling temperature of the proposal; None: the model's own.
        operator: Name of the operator that turned the parent into the method.
        is_pruned: Whether it lost its race before the last dev row.
        verdict: Result of the comparison with the incumbent, in words.
        is_better: Whether it replaced the incumbent, if only for the rest of the step.
        predictor: Name of the predictor that the proposal changes, or of several, with commas; ""
            where there is one alone.
        first: Number of the first step and candidate in names: 0 in runs of earlier versions.
    """

    step: int
    index: int
    parent: "Method"
    method: "Method | None"
    feedback: str
    rejected: str | None = None
    evaluation: Evaluation | None = None
    temperature: float | None = None
    operator: str = "rewrite"
    is_pruned: bool = False
    verdict: str = ""
    is_better: bool = False
    predictor: str = ""
    first: int = 1

    @property
    def id(self) -> str:
        """Id of the candidate; unique in a run, the same on resume."""
        return proposal_name(self.step, self.index, self.first)

    @property
    def failure_rate(self) -> FailureRate | None:
        """λ on the dev rows of its race; None for a rejected proposal."""
        return self.evaluation.failure_rate if self.evaluation else None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One finished step of the search.

    Attributes:
        step: Zero-based.
        incumbent: The best method before the step, on the dev rows.
        candidates: The proposals, in the order in which they were made.
        best: The best method after the step; the incumbent unless a candidate was accepted.
    """

    step: int
    incumbent: Evaluation
    candidates: tuple[Candidate, ...]
    best: Evaluation

    @property
    def is_accepted(self) -> bool:
        """Whether a candidate replaced the incumbent."""
        return self.best.method.id != self.incumbent.method.id


@dataclass(frozen=True, slots=True)
class Headroom:
    """Whether the initial method fails enough dev rows for an improvement to be detectable.

    Attributes:
        initial: The initial method's failure rate.
        level: Significance level that a better method must reach, in (0, 1).
    """

    initial: FailureRate
    level: float

    @property
    def wins_needed(self) -> int:
        """Wins without a loss that pass McNemar's exact one-sided test at `level`."""
        # k wins and no loss have p = 2**-k.
        return math.ceil(-math.log2(self.level))

    @property
    def is_enough(self) -> bool:
        """Whether a method that fails no row at all would pass the test."""
        return self.initial.failed >= self.wins_needed

    def __str__(self) -> str:
        return (
            f"the initial method fails {self.initial} of the dev rows; a better method must win "
            f"{self.wins_needed} of them to show a gain (level {self.level:g})"
        )


@dataclass(frozen=True, slots=True)
class Preference:
    """The result of comparing a challenger with the incumbent.

    Attributes:
        is_better: Whether the challenger replaces the incumbent.
        why: The reason, for people and for the optimizer model.
    """

    is_better: bool
    why: str


@dataclass(frozen=True, slots=True)
class Finalist:
    """A method of the archive, confirmed on fresh rows.

    Attributes:
        dev: The method on the dev rows, on which it was selected.
        fresh: The method on rows that had no part in the search.
        preference: The comparison with the initial method, on both sets of rows.
    """

    dev: Evaluation
    fresh: Evaluation
    preference: Preference


@dataclass(frozen=True, slots=True)
class FinalChoice:
    """The end of a search.

    Attributes:
        best: The chosen method on the dev rows: the initial one, unless a finalist proved better.
        initial: The initial method on the fresh rows.
        finalists: The confirmed methods, the best on the dev rows first.
    """

    best: Evaluation
    initial: Evaluation
    finalists: tuple[Finalist, ...]
