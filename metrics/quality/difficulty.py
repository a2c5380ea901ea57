"""Difficulty of an instruction: a judge's level or score, and the pass rates of solvers."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from autoevol.metrics.quality.consistency import result_of
from autoevol.metrics.stats.intervals import Estimate, of_the_difference, share

DifficultyLevel = Literal["very easy", "easy", "medium", "hard", "very hard"]
LEVELS: tuple[DifficultyLevel, ...] = get_args(DifficultyLevel)
"""The judge's labels, easiest first (arXiv 2412.11231, after Magpie)."""

MOST = 100
"""The hardest score."""

_BY_NAME: dict[str, DifficultyLevel] = {level: level for level in LEVELS}
_DRESS = " \t\r\n*_`'\"“”‘’#.!,;:()[]<>"
_GAPS = re.compile(r"[\s_-]+")
_SCORE = re.compile(r"(\d{1,3})(?:\.0+)?(?:\s*/\s*100)?")


def parse_level(reply: str) -> DifficultyLevel | None:
    """Return the level that a judge's reply consists of; None: unscored.

    Capitals, quotes, emphasis and a full stop are accepted (the published code loses such rows); a
    reply with any other word is unscored.
    """
    return _BY_NAME.get(_GAPS.sub(" ", reply.strip(_DRESS)).casefold())


def parse_score(reply: str) -> int | None:
    """Return the integer in [0, 100] that a judge's reply consists of, 100 hardest; None: unscored.

    `85`, `**85**.`, `85/100` and `85.0` are 85; a sentence, a fraction and 101 are unscored.
    """
    match = _SCORE.fullmatch(reply.strip(_DRESS))
    return int(match[1]) if match and int(match[1]) <= MOST else None


@dataclass(frozen=True, slots=True)
class Distribution:
    """Counts of rows by level.

    Attributes:
        counts: By level, all five, easiest first.
        unscored: Rows without a level; they are in no share.
    """

    counts: Mapping[DifficultyLevel, int]
    unscored: int

    @property
    def shares(self) -> dict[DifficultyLevel, Estimate | None]:
        """Share of the scored rows by level, in [0, 1]; None if no row was scored."""
        scored = sum(self.counts.values())
        return {level: share(count, scored) for level, count in self.counts.items()}


def distribution(levels: Iterable[DifficultyLevel | None]) -> Distribution:
    """Count levels; None is unscored."""
    counts = Counter(levels)
    return Distribution({level: counts[level] for level in LEVELS}, counts[None])


def pass_rate(verdicts: Iterable[bool | None]) -> Estimate | None:
    """Return the share of a solver's k samples that pass a check, in [0, 1]; lower is harder.

    Args:
        verdicts: True is passed, False is failed, None is undecided and does not count.

    Returns:
        With Wilson's interval, which is wide: 4 of 8 lies in 0.22 to 0.78. None: none was decided.
    """
    decided = [verdict for verdict in verdicts if verdict is not None]
    return share(sum(decided), len(decided))


def agreement_rate(answers: Sequence[str]) -> Estimate | None:
    """Return the share of a solver's samples that have the commonest result, in [0, 1].

    A substitute for the pass rate where no answer can be checked. It estimates too high, since
    samples may agree on a wrong result. A sample without a result agrees with none.

    Returns:
        None: fewer than two samples, or none with a result.

    Source: self-consistency, arXiv 2203.11171; as a measure of difficulty arXiv 2507.23751.
    """
    results = Counter(filter(None, map(result_of, answers)))
    if len(answers) < 2 or not results:
        return None
    return share(max(results.values()), len(answers))


def gap(strong: Estimate | None, weak: Estimate | None) -> Estimate | None:
    """Return a strong solver's pass rate minus a weak solver's, in [-1, 1].

    Higher: the row separates the solvers better. None: one of the rates is missing. Source: arXiv
    2606.25996, which requires 0.2.
    """
    if strong is None or weak is None:
        return None
    bounds = (strong.interval, weak.interval)
    return Estimate(strong.value - weak.value, of_the_difference(strong.value, weak.value, bounds))


def in_band(rate: float, *, low: float, high: float) -> bool:
    """Tell whether a rate lies in (low, high]: neither unsolvable nor already solved.

    (0, 0.5] is the band of arXiv 2508.04632 for the pass rate of eight samples.
    """
    # Open below: at a rate of 0 nothing shows that the task can be solved at all.
    return low < rate <= high
