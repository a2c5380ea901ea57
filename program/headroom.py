"""Whether a search can find anything: is there enough failure left to be told from luck?"""

import math
from dataclasses import dataclass

from metrics import FailureRate


@dataclass(frozen=True, slots=True)
class Headroom:
    """What the initial method leaves to be gained on the dev rows.

    Attributes:
        initial: The initial method's failure rate.
        level: Of the test that a better method has to pass, in (0, 1).
    """

    initial: FailureRate
    level: float

    @property
    def least(self) -> int:
        """Rows that a method has to mend, breaking none, to pass McNemar's exact one-sided test."""
        return math.ceil(-math.log2(self.level))

    @property
    def is_enough(self) -> bool:
        """Whether a perfect method could be told from the initial one."""
        return self.initial.failed >= self.least

    def __str__(self) -> str:
        return (
            f"the initial method fails {self.initial} of the dev rows; a better one has to mend "
            f"{self.least} of them to be told from luck (level {self.level:g})"
        )
