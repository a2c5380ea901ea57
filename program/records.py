"""The frozen records that travel through a run and out to its listeners."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from autoevol.metrics import FailureRate, Reason, Stage, count_by_rule, failure_rate

if TYPE_CHECKING:
    from autoevol.signatures import Method

Split = Literal["train", "dev", "held-out", "data"]
Status = Literal["kept", "failed", "unscored"]


@dataclass(frozen=True, slots=True)
class Row:
    """An instruction with its lineage: a seed (round 0) or what became of one.

    Attributes:
        id: Unique in the run; an evolved row's id is its seed's with the round behind it.
        method: Name of the method that made the row; None for a seed.
        trace: Names of the methods on the way from the seed, oldest first.
        thinking: What the evolver wrote before the result, in the stepwise form.
        turns: The user turns of a conversation, the first of them also `instruction`; empty for a
            single instruction.
        answers: The replies to `turns`, as many; the first of them is also `response`.
        origin: The seed's text.
        root: Where the seed came from.
        draw: The draw number of the evolving call.
        scores: Figures about the row, by name.
        usage: Calls and tokens that the row cost, failed attempts included.
        filtered_by: Name of the filter that marked the row; None when it stands.
    """

    id: str
    seed_id: str
    instruction: str
    parent_id: str | None = None
    round: int = 0
    method: str | None = None
    trace: tuple[str, ...] = ()
    input: str = ""
    thinking: str = ""
    turns: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    response: str = ""
    origin: str = ""
    root: str = ""
    model_evolve: str = ""
    model_respond: str = ""
    draw: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)
    filtered_by: str | None = None

    @property
    def text(self) -> str:
        """All that the user says: the instruction, or the turns, a paragraph each."""
        return "\n\n".join(self.turns) or self.instruction

    @property
    def prompt(self) -> str:
        """What the responder is asked: the instruction and, where there is one, the input."""
        return f"{self.instruction}\n\n{self.input}" if self.input else self.instruction

    @property
    def question(self) -> str:
        """All that is asked: the user turns, or the instruction with its input."""
        return self.text if self.turns else self.prompt

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON data, keys in the contract's order."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row in one round (or of one dev row under one method).

    Attributes:
        source: The row that was evolved.
        row: The evolved row; its instruction is empty when the reply could not be parsed.
        status: "unscored": its calls died in transport, so F could not be told.
        failed_at: The stage whose rules failed the row; None unless it failed.
        reasons: The broken rules with evidence; for an unscored row, the transport error.
        raw: The evolver's reply before parsing.
        attempts: How many times the row was tried, at least 1.
    """

    source: Row
    row: Row
    status: Status
    failed_at: Stage | None = None
    reasons: tuple[Reason, ...] = ()
    raw: str = ""
    attempts: int = 1

    @property
    def verdict(self) -> bool | None:
        """F of the row: True failed, False passed, None unscored."""
        return None if self.status == "unscored" else self.status == "failed"

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON data; a row that was not kept says why."""
        if self.status == "kept":
            return self.row.as_dict()
        why = [{"rule": reason.rule, "evidence": reason.evidence} for reason in self.reasons]
        return {
            **self.row.as_dict(),
            "failed_at": self.failed_at,
            "reasons": why,
            "raw": self.raw,
        }


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One row's stages under a method, S_t of the paper: stage 0 is the original.

    Attributes:
        id: The case id that the analysis refers to.
        stages: The texts, oldest first; l + 1 of them unless a round failed to parse.
        notes: What F found, one line per failed stage.
    """

    id: str
    stages: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A method on some rows, in their order."""

    method: "Method"
    outcomes: tuple[Outcome, ...]

    @property
    def failure_rate(self) -> FailureRate:
        """λ on the rows (paper, section 3.3)."""
        return failure_rate(outcome.verdict for outcome in self.outcomes)

    @property
    def added_words(self) -> float:
        """Mean content words added by the rows that passed, in [0, 20]; higher is better."""
        passed = [o.row.scores.get("added_words", 0.0) for o in self.outcomes if o.verdict is False]
        return fmean(passed) if passed else 0.0

    @property
    def verdicts(self) -> dict[str, bool]:
        """F by row id, for the rows that were scored."""
        return {o.source.id: o.verdict for o in self.outcomes if o.verdict is not None}

    @property
    def failures(self) -> Counter[str]:
        """How many rows each rule failed."""
        return count_by_rule([o.reasons for o in self.outcomes if o.verdict])

    def joined(self, more: "Evaluation") -> "Evaluation":
        """Return the method on these rows and on more of them."""
        return Evaluation(self.method, (*self.outcomes, *more.outcomes))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposal of a step, e_t^i of the paper.

    Attributes:
        step: Zero-based step.
        index: Zero-based number of the proposal within its step.
        parent: The method that it was made from.
        method: The proposed method; None when the proposal was rejected.
        feedback: The analysis it was made from.
        rejected: Why the proposal is no candidate; None when it was evaluated.
        evaluation: The method on the dev rows, on the first of them when it was stopped; None when
            rejected.
        temperature: At which the proposal was sampled; None: the model's own.
        operator: How it was made from its parent.
        is_pruned: It lost its race before the last row.
        verdict: What the comparison with the incumbent said.
        is_better: It took the incumbent's place, if only for the rest of the step.
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

    @property
    def id(self) -> str:
        """Unique in a run, the same on resume."""
        return f"step-{self.step:02d}-candidate-{self.index}"

    @property
    def failure_rate(self) -> FailureRate | None:
        """On the dev rows that it was raced on; None for a rejected proposal."""
        return self.evaluation.failure_rate if self.evaluation else None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of the search, finished.

    Attributes:
        incumbent: The best method before the step, on the dev rows.
        candidates: In the order in which they were proposed.
        best: The best method after the step; the incumbent unless a candidate was accepted.
    """

    step: int
    incumbent: Evaluation
    candidates: tuple[Candidate, ...]
    best: Evaluation

    @property
    def is_accepted(self) -> bool:
        """Tell whether a candidate took the incumbent's place."""
        return self.best.method.id != self.incumbent.method.id


@dataclass(frozen=True, slots=True)
class MethodTally:
    """What became of a method's rows in the rounds that are finished."""

    kept: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Headroom:
    """What the initial method leaves to be gained on the dev rows.

    Attributes:
        initial: The initial method's failure rate.
        level: Of the test that a better method has to pass, in (0, 1).
    """

    initial: FailureRate
    level: float

    @property
    def least(self) -> int:
        """Rows that a method has to mend, breaking none, to pass McNemar's exact one-sided test."""
        return math.ceil(-math.log2(self.level))

    @property
    def is_enough(self) -> bool:
        """Whether a perfect method could be told from the initial one."""
        return self.initial.failed >= self.least

    def __str__(self) -> str:
        return (
            f"the initial method fails {self.initial} of the dev rows; a better one has to mend "
            f"{self.least} of them to be told from luck (level {self.level:g})"
        )


@dataclass(frozen=True, slots=True)
class Preference:
    """What a comparison of a challenger with an incumbent said.

    Attributes:
        is_better: The challenger takes the incumbent's place.
        why: For people and for the optimizer model.
    """

    is_better: bool
    why: str


@dataclass(frozen=True, slots=True)
class Finalist:
    """A method of the archive on the fresh rows.

    Attributes:
        dev: On the dev rows, which chose it.
        fresh: On rows that had no part in the search.
        preference: Against the initial method, on both.
    """

    dev: Evaluation
    fresh: Evaluation
    preference: Preference


@dataclass(frozen=True, slots=True)
class FinalChoice:
    """The end of a search.

    Attributes:
        best: The initial method, unless a finalist was confirmed.
        initial: The initial method on the fresh rows.
        finalists: The best of the archive on the dev rows first.
    """

    best: Evaluation
    initial: Evaluation
    finalists: tuple[Finalist, ...]
