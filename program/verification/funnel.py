"""The account of the stages: what entered each of them, what left it, and what was lost why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StageCount:
    """The account of one stage: `entered` is `left` and all of `lost` together.

    Attributes:
        stage: Its name.
        unit: What is counted: constraints, functions, answers …
        entered: How many came in.
        left: How many went on.
        lost: How many did not, by reason.
    """

    stage: str
    unit: str
    entered: int
    left: int
    lost: Mapping[str, int] = field(default_factory=dict)


def stage_count(stage: str, unit: str, reasons: Iterable[str]) -> StageCount:
    """Return the account of a stage.

    Args:
        stage: Its name.
        unit: What is counted.
        reasons: One for each that came in; "": it went on.
    """
    counts = Counter(reasons)
    left = counts.pop("", 0)
    lost = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return StageCount(stage, unit, left + sum(lost.values()), left, lost)
