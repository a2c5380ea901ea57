"""Ids of evolved rows: functions of the parent's id, the round and the child, as draws are.

`seed-7.2` is the first rewrite of `seed-7` in round 2, `seed-7.2-3` the third.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_DOTS = re.compile(r"\.+(?=[0-9])")


@dataclass(frozen=True, slots=True)
class RowIds:
    """How a run names the rows that it evolves.

    Attributes:
        separator: One or more dots, between the parent's id and the round.
    """

    separator: str = "."

    @classmethod
    def unique_among(cls, ids: Iterable[str]) -> Self:
        """Return the scheme under which no row gets one of these ids, and no two rows get the same.

        It has one dot more than stand before a digit in any of the ids: `1` and `1.1` become
        `1..1` and `1.1..1`, and a file of such rows becomes `1..1...1`.

        Args:
            ids: Of all seeds of the run.
        """
        # No seed holds this separator before a digit. So the first place where a row's id does is
        # the end of its seed's id, and what follows spells its rounds and children.
        longest = max((len(dots) for text in ids for dots in _DOTS.findall(text)), default=0)
        return cls("." * (longest + 1))

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
