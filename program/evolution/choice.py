"""How a row gets its method where a round has several.

A choice depends only on the run's seed, the row, the round and the number of the rewrite (a bandit
also on its tallies), so an interrupted or re-ordered run chooses alike. An attempt after a failed
one takes the next method of the round.
"""

import random
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from autoevol.program.draws import DRAWS, draw_number
from autoevol.program.records import MethodTally, Row

ChoiceName = Literal["random", "weighted", "round_robin", "bandit"]


@dataclass(frozen=True, slots=True)
class RewriteSlot:
    """One rewrite that a round makes of a row.

    Attributes:
        index: Zero-based number of the row's seed among the seeds.
        row: The row to rewrite.
        child: Zero-based number of the rewrite among those of the row in the round.
        path: Round and child of every rewrite from the seed to the row, one after the other.
    """

    index: int
    row: Row
    child: int = 0
    path: tuple[int, ...] = ()

    @property
    def coordinates(self) -> tuple[str | int, ...]:
        """What tells the slot apart within its round: the row's id, and the child after it.

        The first child adds nothing, so its rewrite draws what an evaluation of the row draws.
        """
        return (self.row.id, self.child) if self.child else (self.row.id,)

    @property
    def position(self) -> tuple[int, ...]:
        """What tells the row apart in its pool, whatever ids an old format gives to rows."""
        return (self.index, *self.path)

    def for_child(self, child: int) -> "RewriteSlot":
        """Return the slot of another rewrite of the row."""
        return self if child == self.child else replace(self, child=child)

    def place(self, round_number: int) -> tuple[int, ...]:
        """Return the canonical place of the rewrite; see `Outcome.place`."""
        return (self.index, round_number, *self.path, round_number, self.child)


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses among the methods of a round.

    Attributes:
        name: `random` is uniform; `weighted` follows `weights`; `round_robin` takes method
            (seed's index + round + child) mod n (Evolution-Analysis, `evol_instruct.py`); `bandit`
            is Thompson sampling from `tallies`, with a Beta(1 + kept, 1 + failed) for each method.
        weights: Weights by method's name; a method without an entry has weight 1.
        tallies: Tallies by method's name; a method without an entry has no attempts.
        seed: The run's seed.
    """

    name: ChoiceName = "random"
    weights: Mapping[str, float] | None = None
    tallies: Mapping[str, MethodTally] | None = None
    seed: int = 0

    def choose(
        self, names: Sequence[str], slot: RewriteSlot, round_number: int, attempt: int
    ) -> int:
        """Return the zero-based index of an attempt's method among `names`."""
        if len(names) == 1:
            return 0
        first = self._first_choice(names, slot, round_number)
        return (first + attempt) % len(names)

    def _first_choice(self, names: Sequence[str], slot: RewriteSlot, round_number: int) -> int:
        match self.name:
            case "random":
                return self._draw(slot, round_number) % len(names)
            case "weighted":
                return self._weighted(names, self._draw(slot, round_number))
            case "round_robin":
                return (slot.index + round_number + slot.child) % len(names)
            case "bandit":
                return self._thompson_sample(names, self._draw(slot, round_number))

    def _weighted(self, names: Sequence[str], draw: int) -> int:
        weights = self.weights or {}
        ends = list(accumulate(weights.get(name, 1.0) for name in names))
        # The right-hand bisect: with a draw of 0 the left-hand one would choose a first method of
        # weight 0.
        return bisect(ends, ends[-1] * draw / DRAWS)

    def _thompson_sample(self, names: Sequence[str], draw: int) -> int:
        # Seeded by the slot's draw, so that blocks may run in any order.
        rng = random.Random(draw)
        tallies = [(self.tallies or {}).get(name, MethodTally()) for name in names]
        samples = [rng.betavariate(1 + tally.kept, 1 + tally.failed) for tally in tallies]
        return samples.index(max(samples))

    def _draw(self, slot: RewriteSlot, round_number: int) -> int:
        """Return the slot's own draw number in its round, in [0, DRAWS)."""
        row, *child = slot.coordinates
        return draw_number("choice", self.seed, row, round_number, 0, *child)
