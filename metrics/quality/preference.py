"""Pairwise preference of a judge: outcomes, the sign test, position and length bias."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autoevol.metrics.stats.intervals import Estimate, share
from autoevol.metrics.stats.paired import tail

Verdict = Literal["first", "second", "tie"]
"""The text that a judge prefers, by the order in which it was shown the two."""

PairOutcome = Literal["win", "tie", "lose"]
"""From the view of the side called ours."""

_OURS_FIRST: dict[Verdict, int] = {"first": 1, "tie": 0, "second": -1}


def outcome(ours_first: Verdict | None, ours_second: Verdict | None) -> PairOutcome | None:
    """Return the outcome of two verdicts, one in each order.

    A side wins if it is preferred in one order and not beaten in the other. If it is preferred in
    one and beaten in the other, the verdicts conflict, and the outcome is a tie.

    Args:
        ours_first: Verdict with our text shown first; None: it could not be read.
        ours_second: Verdict with our text shown second.

    Returns:
        None: one of the two is missing, so the row is unscored.

    Source: the rule of Cherry_LLM, arXiv 2308.12032.
    """
    if ours_first is None or ours_second is None:
        return None
    return _outcome(_OURS_FIRST[ours_first] - _OURS_FIRST[ours_second])


def single_outcome(verdict: Verdict | None, *, ours_was_first: bool) -> PairOutcome | None:
    """Return the outcome of one verdict in a drawn order (as in AlpacaEval); None is unscored."""
    if verdict is None:
        return None
    return _outcome(_OURS_FIRST[verdict] if ours_was_first else -_OURS_FIRST[verdict])


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a comparison's outcomes, ours against theirs.

    Attributes:
        unscored: Rows without an outcome; they are in no share.
    """

    won: int
    tied: int
    lost: int
    unscored: int = 0

    @property
    def scored(self) -> int:
        """Rows with an outcome."""
        return self.won + self.tied + self.lost

    @property
    def win(self) -> Estimate | None:
        """Share of scored rows that ours wins, in [0, 1]; higher is better."""
        return share(self.won, self.scored)

    @property
    def tie(self) -> Estimate | None:
        """Share of scored rows that are tied, in [0, 1]."""
        return share(self.tied, self.scored)

    @property
    def lose(self) -> Estimate | None:
        """Share of scored rows that ours loses, in [0, 1]; lower is better."""
        return share(self.lost, self.scored)

    @property
    def p_value(self) -> float:
        """Exact two-sided p of the sign test without ties, in (0, 1]; lower: the sides differ."""
        decided = self.won + self.lost
        # With equal wins and losses both tails hold the middle, and twice one of them exceeds 1.
        return min(1.0, 2 * tail(max(self.won, self.lost), decided, 0.5))


def tally(outcomes: Iterable[PairOutcome | None]) -> Tally:
    """Count outcomes; None is unscored."""
    counts = Counter(outcomes)
    return Tally(counts["win"], counts["tie"], counts["lose"], counts[None])


@dataclass(frozen=True, slots=True)
class PositionBias:
    """Effect of the order on the verdicts, over rows decided in both orders.

    Attributes:
        same: Rows where the same text was preferred in both orders.
        first: Rows where the text shown first was preferred in both orders.
        second: Rows where the text shown second was preferred in both orders.
    """

    same: int
    first: int
    second: int

    @property
    def conflict(self) -> Estimate | None:
        """Share of the rows whose verdict depends on the order, in [0, 1]; lower is better."""
        return share(self.first + self.second, self.same + self.first + self.second)

    @property
    def first_of_conflicts(self) -> Estimate | None:
        """Share of the conflicts that prefer the first text, in [0, 1]; 0.5 is noise, not bias."""
        return share(self.first, self.first + self.second)

    @property
    def first_of_all(self) -> float | None:
        """Share of all decided verdicts that prefer the first text, in [0, 1]; 0.5 is no bias.

        Without an interval: a row's two verdicts are not independent.
        """
        verdicts = 2 * (self.same + self.first + self.second)
        return (self.same + 2 * self.first) / verdicts if verdicts else None


def position_bias(pairs: Iterable[tuple[Verdict | None, Verdict | None]]) -> PositionBias:
    """Count pairs of verdicts in both orders, without pairs that have a tie or no verdict."""
    decided = Counter(pair for pair in pairs if not {"tie", None}.intersection(pair))
    same = decided["first", "second"] + decided["second", "first"]
    return PositionBias(same, decided["first", "first"], decided["second", "second"])


def first_share(verdicts: Iterable[Verdict | None]) -> Estimate | None:
    """Return the share of decided verdicts for the text shown first, one verdict a row.

    Returns:
        In [0, 1]; with orders drawn by chance 0.5 is no bias. None: no row was decided.
    """
    counts = Counter(verdicts)
    return share(counts["first"], counts["first"] + counts["second"])


def longer_share(rows: Iterable[tuple[PairOutcome | None, int, int]]) -> Estimate | None:
    """Return the share of decided rows that the longer text wins, in [0, 1].

    Better texts may be longer, so more than 0.5 is a hint of a length bias, not a proof.

    Args:
        rows: Outcome, words of ours, words of theirs; pairs of equal length do not count.

    Returns:
        None: no row was decided between texts of different lengths.
    """
    decided = [
        (result == "win") == (ours > theirs)
        for result, ours, theirs in rows
        if result in ("win", "lose") and ours != theirs
    ]
    return share(sum(decided), len(decided))


def _outcome(balance: int) -> PairOutcome:
    if balance > 0:
        return "win"
    return "lose" if balance < 0 else "tie"
