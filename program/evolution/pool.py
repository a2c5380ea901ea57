"""The pool: which rows the next round evolves, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autoevol.program.evolution.attempt import LengthGoal
from autoevol.program.evolution.choice import RewriteSlot
from autoevol.program.records import Outcome


@dataclass(frozen=True, slots=True)
class PoolRule:
    """Which rows enter the next round's pool.

    Attributes:
        keeps_sources: Every row stays in the pool beside its rewrites.
        requeues_failed: A row whose rewrites failed comes back unchanged, unless one was kept.
        length_goal: A rewrite that reaches it leaves the pool; None: only failures do.
    """

    keeps_sources: bool
    requeues_failed: bool
    length_goal: LengthGoal | None

    def successors(self, slot: RewriteSlot, rewrites: Sequence[Outcome]) -> list[RewriteSlot]:
        """Return what a row and its rewrites contribute to the next round's pool."""
        kept = [outcome for outcome in rewrites if outcome.status == "kept"]
        # Of a place, the seed's number and the round go first; the rest is the row's path.
        evolved = [
            RewriteSlot(slot.index, o.row, path=o.place[2:])
            for o in kept
            if not self.is_finished(o)
        ]
        # Rewrites that are all unscored do not requeue their row: a resumed run scores them.
        is_requeued = self.requeues_failed and any(o.status == "failed" for o in rewrites)
        if self.keeps_sources or (is_requeued and not kept):
            return [replace(slot, child=0), *evolved]
        return evolved

    def is_finished(self, outcome: Outcome) -> bool:
        """Tell whether a kept rewrite has reached its length."""
        goal = self.length_goal
        return outcome.status == "kept" and goal is not None and goal.is_met(outcome.row)


def in_pool_order(
    pool: Sequence[RewriteSlot], parts: Mapping[tuple[int, ...], Sequence[RewriteSlot]]
) -> list[RewriteSlot]:
    """Return the next pool, in the order of the rows that its parts come from.

    Args:
        pool: The slots of the round that has ended.
        parts: What each block contributes, by the position of the block's first slot.
    """
    # Blocks finish in any order; in pool order the next round's blocks hold the same rows each run.
    blocks = (parts[slot.position] for slot in pool if slot.position in parts)
    return [successor for part in blocks for successor in part]
