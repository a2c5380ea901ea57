"""Ids of evolved rows: functions of the parent's id, the round and the child, as draws are.

`seed-7.2` is the first rewrite of `seed-7` in round 2, `seed-7.2-3` the third.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_LAST_STEP = re.compile(r"(\.+)([0-9]{1,9})(-[0-9]+)?$")
"""The end of a rewrite's id: dots, its round, and its child unless it is the first."""


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
        # An id's last step can be told from what comes before it, since rounds and children have
        # no dots. So two rows of one id have one parent, and only a seed could have a row's id. It
        # would end with this separator and one of the rounds, which no seed does.
        taken = (_last_step(name) for name in names)
        longest = max((dots for dots, number in taken if number >= first_round), default=0)
        kept = max((_last_step(name)[0] for name in continued), default=0)
        return cls("." * max(longest + 1, kept))

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


def _last_step(name: str) -> tuple[int, int]:
    """Return how many dots come before the round that an id ends with, and that round, or zeros."""
    step = _LAST_STEP.search(name)
    return (len(step[1]), int(step[2])) if step else (0, 0)
