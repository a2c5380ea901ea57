"""Ids of evolved rows: functions of the parent's id, the round and the child, as draws are.

`seed-7.2` is the first rewrite of `seed-7` in round 2, `seed-7.2-3` the third.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_LAST_STEP = re.compile(r"(\.+)([0-9]{1,9})(-[0-9]+)?$")
"""The end of a rewrite's id: dots, its round, and its child unless it is the first."""


class LastSteps:
    """How ids end: for each number of dots before a round, the highest such round."""

    __slots__ = ("_rounds",)

    def __init__(self) -> None:
        self._rounds: dict[int, int] = {}

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """Return how some ids end."""
        steps = cls()
        for name in names:
            steps.add(name)
        return steps

    def add(self, name: str) -> None:
        """Take an id into account."""
        # Most ids have no dot, and there may be a million.
        step = _LAST_STEP.search(name) if "." in name else None
        if step:
            dots, number = len(step[1]), int(step[2])
            self._rounds[dots] = max(number, self._rounds.get(dots, 0))

    def most_dots(self, first_round: int = 0) -> int:
        """Return the most dots before a round of this number or a higher one; 0 without any."""
        dots = (dots for dots, number in self._rounds.items() if number >= first_round)
        return max(dots, default=0)


@dataclass(frozen=True, slots=True)
class RowIds:
    """How a run names the rows that it evolves.

    Attributes:
        separator: One or more dots, between the parent's id and the round.
    """

    separator: str = "."

    @classmethod
    def unique_among(
        cls, names: Iterable[str], *, first_round: int = 1, continued: Iterable[str] = ()
    ) -> Self:
        """Return the scheme under which no row gets one of these ids, and no two rows get the same.

        It has one dot more than any of the ids has before an end that reads like a round of this
        run: seeds `1` and `1.1` become `1..1` and `1.1..1`.

        Args:
            names: Ids of all seeds of the run, and others that rows may not have.
            first_round: Rounds have this number or a higher one.
            continued: Ids of rows of an earlier run that this one continues, in its scheme.
        """
        return cls.beyond(LastSteps.of(names), LastSteps.of(continued), first_round=first_round)

    @classmethod
    def beyond(cls, taken: "LastSteps", continued: "LastSteps", *, first_round: int = 1) -> Self:
        """Return the scheme of `unique_among` by how the ids end."""
        # An id's last step can be told from what comes before it, since rounds and children have
        # no dots. So two rows of one id have one parent, and only a seed could have a row's id. It
        # would end with this separator and one of the rounds, which no seed does.
        return cls("." * max(taken.most_dots(first_round) + 1, continued.most_dots()))

    def name(self, parent_id: str, round_number: int, child: int = 0) -> str:
        """Return the id of a rewrite.

        Args:
            parent_id: Id of the row that is evolved.
            round_number: The round that the rewrite belongs to, from 1.
            child: Zero-based number of the rewrite among those of the row in the round; the first
                one is not named.
        """
        sibling = f"-{child + 1}" if child else ""
        return f"{parent_id}{self.separator}{round_number}{sibling}"
