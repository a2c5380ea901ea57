"""The failure rate λ of a method on a set of rows, with its interval (paper, section 3.3)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autoevol.metrics.failure.cases import Reason
from autoevol.metrics.stats.intervals import wilson


@dataclass(frozen=True, slots=True)
class FailureRate:
    """Failed rows out of scored rows; rows whose calls died in transport are in neither.

    Attributes:
        failed: Rows for which F is 1.
        scored: Rows for which F is 0 or 1.
    """

    failed: int
    scored: int

    def __post_init__(self) -> None:
        if not 0 <= self.failed <= self.scored:
            raise ValueError(f"need 0 <= failed <= scored, got {self.failed} of {self.scored}")

    @property
    def rate(self) -> float:
        """Share of failed rows, in [0, 1]; lower is better. 1.0 if none was scored."""
        # A method whose rows all died in transport must not beat one that was measured.
        return self.failed / self.scored if self.scored else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the rate; (0, 1) if no row was scored."""
        return wilson(self.failed, self.scored)

    def overlaps(self, other: "FailureRate") -> bool:
        """Tell whether the intervals overlap, so that too few rows tell the rates apart."""
        (low, high), (other_low, other_high) = self.interval, other.interval
        return low <= other_high and other_low <= high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.rate:.0%} ({self.failed} of {self.scored}, 95 % {low:.0%}–{high:.0%})"


def failure_rate(verdicts: Iterable[bool | None]) -> FailureRate:
    """Return the failure rate of verdicts: True failed, False passed, None unscored."""
    scored = [verdict for verdict in verdicts if verdict is not None]
    return FailureRate(failed=sum(scored), scored=len(scored))


def count_by_rule(reasons: Iterable[Sequence[Reason]]) -> Counter[str]:
    """Count the failed rows of each rule; a row with reasons of two rules counts for both.

    Rules with equal counts are in the order of their first row, in every process.
    """
    # Not a set: its order of strings differs from process to process.
    return Counter(rule for row in reasons for rule in dict.fromkeys(r.rule for r in row))
