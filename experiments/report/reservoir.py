"""A random sample of a stream whose length nobody knows beforehand."""

import random
from typing import Generic, TypeVar

T = TypeVar("T")


class Reservoir(Generic[T]):
    """Reservoir sampling: after n items each is in the sample with probability size / n.

    Attributes:
        items: The sample, by the items' numbers in the stream, in no order.

    Args:
        rng: Draws.
        size: Number of items in the sample.
    """

    def __init__(self, rng: random.Random, size: int) -> None:
        self.items: dict[int, T] = {}
        self._rng = rng
        self._numbers = [-1] * size

    def add(self, number: int, item: T) -> None:
        """Take the item into the sample or not; numbers run from 0."""
        size = len(self._numbers)
        slot = number if number < size else self._rng.randrange(number + 1)
        if slot < size:
            self.items.pop(self._numbers[slot], None)
            self._numbers[slot] = number
            self.items[number] = item

    def in_order(self) -> list[T]:
        """Return the sample in the stream's order."""
        return [item for _, item in sorted(self.items.items(), key=lambda pair: pair[0])]
