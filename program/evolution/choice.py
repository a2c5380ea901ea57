"""How a row gets its method where there are several.

Within a round a choice is a function of the run's seed, the row, the round and the number of the
rewrite, so an interrupted or re-ordered run makes the same choices. An attempt that follows a
failed one takes the next method.
"""

import random
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from autoevol.program.draws import DRAWS, draw_number
from autoevol.program.records import MethodTally, Row

ChoiceName = Literal["random", "weighted", "round_robin", "bandit"]


@dataclass(frozen=True, slots=True)
class RewriteSlot:
    """A rewrite that is asked for.

    Attributes:
        index: Number of the row's seed among the seeds, from 0.
        child: Number of the rewrite among those of the same row in the same round, from 0.
    """

    index: int
    row: Row
    child: int = 0

    @property
    def coordinates(self) -> tuple[str | int, ...]:
        """What tells the place from all others of its round; the first child's are the row's."""
        return (self.row.id, self.child) if self.child else (self.row.id,)


@dataclass(frozen=True, slots=True)
class Chooser:
    """A rule of choice.

    Attributes:
        name: `random` is uniform; `weighted` goes by `weights`; `round_robin` takes method
            (seed's index + round + child) mod n (Evolution-Analysis, `evol_instruct.py`); `bandit`
            is Thompson sampling from `totals`, with a Beta(1 + kept, 1 + failed) for each method.
        weights: By method's name; 1 for a method without.
        totals: By method's name.
        seed: The run's.
    """

    name: ChoiceName = "random"
    weights: Mapping[str, float] | None = None
    totals: Mapping[str, MethodTally] | None = None
    seed: int = 0

    def choose(
        self, names: Sequence[str], place: RewriteSlot, round_number: int, attempt: int
    ) -> int:
        """Return the index of the method among `names` for an attempt, from 0."""
        if len(names) == 1:
            return 0
        first = _RULES[self.name](self, names, place, round_number)
        return (first + attempt) % len(names)

    def drawn(self, place: RewriteSlot, round_number: int) -> int:
        """Return a number that only this place has, in [0, DRAWS)."""
        row, *child = place.coordinates
        return draw_number("choice", self.seed, row, round_number, 0, *child)


ChoiceRule = Callable[[Chooser, Sequence[str], RewriteSlot, int], int]


def _random(chooser: Chooser, names: Sequence[str], place: RewriteSlot, round_number: int) -> int:
    return chooser.drawn(place, round_number) % len(names)


def _weighted(chooser: Chooser, names: Sequence[str], place: RewriteSlot, round_number: int) -> int:
    weights = chooser.weights or {}
    ends = list(accumulate(weights.get(name, 1.0) for name in names))
    return bisect(ends, ends[-1] * chooser.drawn(place, round_number) / DRAWS)


def _round_robin(
    chooser: Chooser, names: Sequence[str], place: RewriteSlot, round_number: int
) -> int:
    return (place.index + round_number + place.child) % len(names)


def _bandit(chooser: Chooser, names: Sequence[str], place: RewriteSlot, round_number: int) -> int:
    rng = random.Random(chooser.drawn(place, round_number))
    known = chooser.totals or {}
    totals = [known.get(name, MethodTally()) for name in names]
    promises = [rng.betavariate(1 + total.kept, 1 + total.failed) for total in totals]
    return promises.index(max(promises))


_RULES: dict[ChoiceName, ChoiceRule] = {
    "random": _random,
    "weighted": _weighted,
    "round_robin": _round_robin,
    "bandit": _bandit,
}
