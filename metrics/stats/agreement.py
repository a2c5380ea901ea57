"""How well verdicts agree with labels: a confusion table and the figures made of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from autoevol.metrics.stats.intervals import Estimate, of_the_mean, share, wilson


@dataclass(frozen=True, slots=True)
class Confusion:
    """Verdicts against labels; "failed" is the positive class.

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
        """Share of flagged rows that had failed; higher is better. None: nothing was flagged."""
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
        """Mean of recall and specificity; higher is better, 0.5 knows nothing."""
        recall, specificity = self.recall, self.specificity
        if recall is None or specificity is None:
            return None
        bounds = (recall.interval, specificity.interval)
        mean = (recall.value + specificity.value) / 2
        return Estimate(mean, of_the_mean(recall.value, specificity.value, bounds))

    @property
    def f1(self) -> Estimate | None:
        """Harmonic mean of precision and recall; flatters where most rows fail.

        Its interval is Wilson's of hits / (hits + false alarms + misses), carried over.
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
