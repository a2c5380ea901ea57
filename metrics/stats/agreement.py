"""Agreement of verdicts with labels: a confusion table, precision, recall, F1 and others."""

from collections.abc import Iterable
from dataclasses import dataclass

from autoevol.metrics.stats.intervals import Estimate, of_the_mean, share, wilson


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of verdicts against labels; "failed" is the positive class.

    Attributes:
        hits: Failed rows that were flagged.
        false_alarms: Good rows that were flagged.
        misses: Failed rows that passed.
        passes: Good rows that passed.
    """

    hits: int
    false_alarms: int
    misses: int
    passes: int

    @property
    def precision(self) -> Estimate | None:
        """Share of flagged rows that had failed; higher is better. None: no row was flagged."""
        return share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> Estimate | None:
        """Share of failed rows that were flagged; higher is better."""
        return share(self.hits, self.hits + self.misses)

    @property
    def specificity(self) -> Estimate | None:
        """Share of good rows that passed; higher is better."""
        return share(self.passes, self.passes + self.false_alarms)

    @property
    def balanced_accuracy(self) -> Estimate | None:
        """Mean of recall and specificity; higher is better, 0.5 is chance."""
        recall, specificity = self.recall, self.specificity
        if recall is None or specificity is None:
            return None
        bounds = (recall.interval, specificity.interval)
        mean = (recall.value + specificity.value) / 2
        return Estimate(mean, of_the_mean(recall.value, specificity.value, bounds))

    @property
    def f1(self) -> Estimate | None:
        """Harmonic mean of precision and recall; too optimistic where most rows failed.

        F1 = 2j / (1 + j) with j = hits / (hits + false alarms + misses). j is a share, so the
        interval is Wilson's of j, transformed likewise.
        """
        whole = self.hits + self.false_alarms + self.misses
        if not whole:
            return None
        low, high = wilson(self.hits, whole)
        value, low, high = (2 * j / (1 + j) for j in (self.hits / whole, low, high))
        return Estimate(value, (low, high))


def confusion(pairs: Iterable[tuple[bool, bool]]) -> Confusion:
    """Count pairs of (flagged, failed)."""
    counted = list(pairs)
    return Confusion(
        hits=sum(flagged and failed for flagged, failed in counted),
        false_alarms=sum(flagged and not failed for flagged, failed in counted),
        misses=sum(failed and not flagged for flagged, failed in counted),
        passes=sum(not flagged and not failed for flagged, failed in counted),
    )
