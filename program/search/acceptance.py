"""Which of two methods to prefer: the paper's rule, and one that does not choose by luck.

`lowest`: the lower failure rate wins (paper, section 3.3). `paired`: a vector with a plain order
and no weights. First the failure rate, by McNemar's exact test on the shared rows; where that
cannot tell and the challenger does not fail more often, the complexity gain, then the diversity of
what it makes, then the length of the method and of its replies, each by the interval of the paired
difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from autoevol.metrics import distances, mean_interval, pairs
from autoevol.metrics.text.wording import words
from autoevol.program.records import Evaluation, Outcome, Preference

AcceptanceName = Literal["paired", "lowest"]
MARGIN_WORDS = 1.0
"""On equal failure rates `lowest` asks for this many content words more than the incumbent adds."""

SHORTER = 0.9
"""A method is shorter if it has at most this share of the other's words."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How a challenger takes the incumbent's place.

    Attributes:
        level: Of McNemar's one-sided test, in (0, 1).
        tie_break: Look beyond the failure rate.
    """

    name: AcceptanceName = "paired"
    level: float = 0.1
    tie_break: bool = True

    def compare(self, challenger: Evaluation, incumbent: Evaluation) -> Preference:
        """Compare two methods on the rows that were scored under both.

        With fewer than half of the incumbent's rows the challenger is not believed.
        """
        found = pairs(challenger.verdicts, incumbent.verdicts)
        if not found.shared or 2 * found.shared < len(incumbent.verdicts):
            return Preference(False, "too few of its rows could be scored")
        if self.name == "lowest":
            return self._lowest(challenger, incumbent)
        if found.won > found.lost and found.p_better <= self.level:
            return Preference(True, f"fails less: {_told(found.won, found.lost, found.p_better)}")
        if found.lost > found.won or not self.tie_break:
            return Preference(
                False, f"does not fail less: {_told(found.won, found.lost, found.p_better)}"
            )
        return _beyond(challenger, incumbent)

    def _lowest(self, challenger: Evaluation, incumbent: Evaluation) -> Preference:
        found = pairs(challenger.verdicts, incumbent.verdicts)
        if found.won != found.lost:
            is_better = found.won > found.lost
            return Preference(is_better, f"mended {found.won} rows, broke {found.lost}")
        gain = challenger.added_words - incumbent.added_words
        is_better = self.tie_break and gain >= MARGIN_WORDS
        return Preference(is_better, f"fails as often, adds {gain:+.1f} words")


def pareto_front(found: Sequence[Evaluation]) -> list[Evaluation]:
    """Return the methods that no other one beats in failure rate, complexity and length at once."""
    vectors = [_vector(each) for each in found]
    return [
        each
        for each, mine in zip(found, vectors, strict=True)
        if not any(other != mine and _dominates(other, mine) for other in vectors)
    ]


def _vector(found: Evaluation) -> tuple[float, float, float]:
    """Return failure rate, complexity gain with its sign turned, and length: lower is better."""
    return found.failure_rate.rate, -found.added_words, float(len(words(found.method.text)))


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _beyond(challenger: Evaluation, incumbent: Evaluation) -> Preference:
    """Compare what comes after the failure rate; the first measure that can tell decides."""
    for name, measure in _MEASURES.items():
        mine, theirs = measure(challenger), measure(incumbent)
        differences = [mine[row] - theirs[row] for row in theirs if row in mine]
        mean, low, high = mean_interval(differences)
        if low > 0 or high < 0:
            why = f"fails as often; {name} {mean:+.2g} (95 % {low:+.2g} to {high:+.2g})"
            return Preference(low > 0, why)
    length, before = len(words(challenger.method.text)), len(words(incumbent.method.text))
    if length <= SHORTER * before:
        return Preference(True, f"as good, and {length} words instead of {before}")
    saved = _saved_tokens(challenger, incumbent)
    mean, low, _ = mean_interval(saved)
    if low > 0:
        return Preference(True, f"as good, and its replies are {mean:.2g} tokens shorter")
    return Preference(False, "cannot be told from the incumbent")


def _complexity(found: Evaluation) -> dict[str, float]:
    return {row: outcome.row.scores.get("added_words", 0.0) for row, outcome in _sound(found)}


def _diversity(found: Evaluation) -> Mapping[str, float]:
    return distances({row: outcome.row.instruction for row, outcome in _sound(found)})


def _saved_tokens(challenger: Evaluation, incumbent: Evaluation) -> list[float]:
    mine = {row: outcome.row.usage.get("tokens_out", 0) for row, outcome in _sound(challenger)}
    return [
        float(outcome.row.usage.get("tokens_out", 0) - mine[row])
        for row, outcome in _sound(incumbent)
        if row in mine
    ]


def _sound(found: Evaluation) -> list[tuple[str, Outcome]]:
    return [(o.source.id, o) for o in found.outcomes if o.verdict is False]


def _told(won: int, lost: int, p: float) -> str:
    return f"mended {won} rows, broke {lost} (p {p:.2g})"


_MEASURES: dict[str, Callable[[Evaluation], Mapping[str, float]]] = {
    "added words": _complexity,
    "distance to the nearest other rewrite": _diversity,
}
"""Row by row and higher is better, in the order in which they are asked."""
