"""The accounts of the bulk phase: where each rewrite went, and what each method's attempts gave."""

from collections import Counter
from collections.abc import Iterable

from autoevol.program.records import MethodTally, Outcome, RoundCount, Status


class Accounts:
    """Counts rewrites by round, and attempts by method.

    Args:
        rounds: Numbers of the rounds, in order.

    Attributes:
        by_method: Attempts by status, for each method's name.
    """

    def __init__(self, rounds: Iterable[int]) -> None:
        self.by_method: dict[str, Counter[Status]] = {}
        self._by_round: dict[int, Counter[str]] = {number: Counter() for number in rounds}

    def record_attempt(self, outcome: Outcome) -> None:
        """Count one attempt at a rewrite; a later attempt may replace its outcome."""
        self.by_method.setdefault(outcome.row.method or "", Counter())[outcome.status] += 1

    def record_rewrite(self, outcome: Outcome, round_number: int, *, is_finished: bool) -> None:
        """Count a rewrite with its last outcome.

        Args:
            outcome: The outcome of the last attempt.
            round_number: The round that the rewrite belongs to.
            is_finished: Whether it has reached its length, and so leaves the pool.
        """
        count = self._by_round[round_number]
        count[outcome.status] += 1
        count["finished"] += is_finished
        count["suspected"] += outcome.status == "kept" and bool(outcome.row.suspected_by)
        count["failed_suspected"] += outcome.is_suspected
        count["unknown"] += outcome.status == "kept" and bool(outcome.row.unknown)

    def tallies(self) -> dict[str, MethodTally]:
        """Return kept and failed attempts by method; unscored ones say nothing about it."""
        counts = self.by_method.items()
        return {name: MethodTally(count["kept"], count["failed"]) for name, count in counts}

    def rounds(self) -> list[RoundCount]:
        """Return the account of each round."""
        return [_round_count(number, count) for number, count in self._by_round.items()]


def _round_count(number: int, count: Counter[str]) -> RoundCount:
    kept, failed, unscored = count["kept"], count["failed"], count["unscored"]
    entered = kept + failed + unscored
    return RoundCount(
        number,
        entered,
        kept,
        failed,
        unscored,
        finished=count["finished"],
        suspected=count["suspected"],
        failed_suspected=count["failed_suspected"],
        unknown=count["unknown"],
    )
