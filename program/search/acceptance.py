"""When a candidate takes the incumbent's place: the paper's rule, and two with paired measures.

`lowest`: the lower failure rate wins (paper, section 3.3). `paired`: measures in a fixed order and
no weights, so a gain in one cannot outweigh a loss in one before it. First comes the failure rate,
by McNemar's exact test on the shared rows. Where that test does not decide and the challenger does
not fail more often, these follow, each by the interval of the paired difference: the complexity
gain, the diversity of the rewrites, the length of the method, the length of its replies.

`provisional`: as `paired`, but within the search more wins than losses are enough. The dev rows are
too few to prove a small gain, and several small gains add up. The test comes at the end, on dev and
fresh rows together (`Acceptance.confirming`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from autoevol.metrics import Pairs, distances, mean_interval, pairs
from autoevol.metrics.text.wording import words
from autoevol.program.records import Candidate, Evaluation, Outcome, Preference, StepRecord

AcceptanceName = Literal["provisional", "paired", "lowest"]
MARGIN_WORDS = 1.0
"""On equal failure rates `lowest` asks for this many content words more than the incumbent adds."""

SHORTER = 0.9
"""A method is shorter if it has at most this share of the other's words."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How a challenger takes the incumbent's place.

    Attributes:
        name: See above.
        level: Of McNemar's one-sided test, in (0, 1).
        tie_break: Go on to the other measures where the failure rate does not decide.
    """

    name: AcceptanceName = "paired"
    level: float = 0.1
    tie_break: bool = True

    @property
    def confirming(self) -> "Acceptance":
        """The rule for the confirmation on fresh rows: what was provisional has to be proved."""
        return replace(self, name="paired") if self.name == "provisional" else self

    def compare(self, challenger: Evaluation, incumbent: Evaluation) -> Preference:
        """Compare two methods on the rows that were scored under both.

        With fewer than half of the incumbent's rows scored the challenger is not preferred.
        """
        # The texts of a preference reach the optimizer model through `Archive.failed_proposals`.
        comparison = pairs(challenger.verdicts, incumbent.verdicts)
        # When most calls died, the rows that are left say too little.
        if not comparison.shared or 2 * comparison.shared < len(incumbent.verdicts):
            return Preference(False, "too few of its rows could be scored")
        if self.name == "lowest":
            return self._lowest(challenger, incumbent, comparison)
        # A level above 0.5 would also let pass what wins no more rows than it loses.
        is_proved = self.name == "provisional" or comparison.p_better <= self.level
        if comparison.won > comparison.lost and is_proved:
            return Preference(True, f"fails less: {_counts(comparison)}")
        if comparison.lost > comparison.won or not self.tie_break:
            return Preference(False, f"does not fail less: {_counts(comparison)}")
        return _break_tie(challenger, incumbent)

    def _lowest(
        self, challenger: Evaluation, incumbent: Evaluation, comparison: Pairs
    ) -> Preference:
        if comparison.won != comparison.lost:
            is_better = comparison.won > comparison.lost
            return Preference(is_better, f"mended {comparison.won} rows, broke {comparison.lost}")
        # The paper does not say what decides a tie (its authors' code weighs lengths).
        gain = challenger.added_words - incumbent.added_words
        is_better = self.tie_break and gain >= MARGIN_WORDS
        return Preference(is_better, f"fails as often, adds {gain:+.1f} words")


def decide_step(
    step: int,
    incumbent: Evaluation,
    candidates: Sequence[Candidate],
    acceptance: Acceptance,
    *,
    keeps_incumbent: bool = True,
) -> StepRecord:
    """Keep the best method of a step: candidates challenge it one after the other.

    Args:
        step: The search's step, from 0.
        incumbent: The best method before the step, on the dev rows.
        candidates: After their race.
        acceptance: Compares a candidate with the best method so far.
        keeps_incumbent: Whether the incumbent stays when no candidate is better; otherwise the best
            candidate that was measured to the end takes its place.
    """
    best = incumbent if keeps_incumbent else None
    judged = []
    for candidate in candidates:
        measured = candidate.evaluation
        if measured is None or candidate.is_pruned:
            judged.append(replace(candidate, verdict=_why_unfinished(candidate, incumbent)))
            continue
        # Where no incumbent is kept, the first candidate is best whatever its verdict says.
        preference = acceptance.compare(measured, best or incumbent)
        is_better = preference.is_better or best is None
        judged.append(replace(candidate, verdict=preference.why, is_better=is_better))
        best = measured if is_better else best
    return StepRecord(step, incumbent, tuple(judged), best or incumbent)


def pareto_front(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Return the methods that no other one beats in failure rate, complexity and length at once."""
    vectors = [_vector(evaluation) for evaluation in evaluations]
    return [
        evaluation
        for evaluation, mine in zip(evaluations, vectors, strict=True)
        # `_dominates` is true of equals, too: two equal methods would drop each other.
        if not any(other != mine and _dominates(other, mine) for other in vectors)
    ]


def _why_unfinished(candidate: Candidate, incumbent: Evaluation) -> str:
    """Return why a candidate was not measured on all dev rows."""
    if candidate.evaluation is None:
        return candidate.rejected or ""
    comparison = pairs(candidate.evaluation.verdicts, incumbent.verdicts)
    return (
        f"stopped after {comparison.shared} rows: mended {comparison.won}, broke {comparison.lost}"
    )


def _vector(evaluation: Evaluation) -> tuple[float, float, float]:
    """Return failure rate, complexity gain with its sign turned, and length: lower is better."""
    length = float(len(words(evaluation.method.text)))
    return evaluation.failure_rate.rate, -evaluation.added_words, length


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _break_tie(challenger: Evaluation, incumbent: Evaluation) -> Preference:
    """Compare by the measures after the failure rate; the first clear difference decides."""
    for name, measure in _MEASURES.items():
        mine, theirs = measure(challenger), measure(incumbent)
        differences = [mine[row] - theirs[row] for row in theirs if row in mine]
        mean, low, high = mean_interval(differences)
        if low > 0 or high < 0:
            why = f"fails as often; {name} {mean:+.2g} (95 % {low:+.2g} to {high:+.2g})"
            return Preference(low > 0, why)
    length, old_length = (len(words(e.method.text)) for e in (challenger, incumbent))
    if length <= SHORTER * old_length:
        return Preference(True, f"as good, and {length} words instead of {old_length}")
    mean, low, _ = mean_interval(_saved_tokens(challenger, incumbent))
    if low > 0:
        return Preference(True, f"as good, and its replies are {mean:.2g} tokens shorter")
    return Preference(False, "cannot be told from the incumbent")


def _complexity(evaluation: Evaluation) -> dict[str, float]:
    passed = _passed(evaluation)
    return {row: outcome.row.scores.get("added_words", 0.0) for row, outcome in passed}


def _diversity(evaluation: Evaluation) -> Mapping[str, float]:
    return distances({row: outcome.row.instruction for row, outcome in _passed(evaluation)})


def _saved_tokens(challenger: Evaluation, incumbent: Evaluation) -> list[float]:
    mine = {row: outcome.row.usage.get("tokens_out", 0) for row, outcome in _passed(challenger)}
    return [
        float(outcome.row.usage.get("tokens_out", 0) - mine[row])
        for row, outcome in _passed(incumbent)
        if row in mine
    ]


def _passed(evaluation: Evaluation) -> list[tuple[str, Outcome]]:
    return [(o.source.id, o) for o in evaluation.outcomes if o.verdict is False]


def _counts(comparison: Pairs) -> str:
    return f"mended {comparison.won} rows, broke {comparison.lost} (p {comparison.p_better:.2g})"


_MEASURES: dict[str, Callable[[Evaluation], Mapping[str, float]]] = {
    "added words": _complexity,
    "distance to the nearest other rewrite": _diversity,
}
"""Measures row by row, higher is better, in the order in which they decide."""
