"""Filters by copies, contamination and score: `Selection` says which rows stay, and why not.

Rows are given by number. Every filter is a pure function, keeps the order of the rows, and prefers
an earlier row to a later equal one.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autoevol.metrics.quality.difficulty import in_band
from autoevol.metrics.quality.neighbours import Indices, Numbers
from autoevol.metrics.selection.contamination import Hit
from autoevol.metrics.selection.duplicates import Copy
from autoevol.metrics.stats.means import Scores, as_numbers

Cause = Literal["copy", "contaminated", "out of band", "not at the top", "too near", "unscored"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that a filter drops.

    Attributes:
        row: Its number.
        cause: `unscored` if the row has no score or no vector.
        near: The kept row that it repeats or is too near to; None for other causes.
        value: The deciding similarity (copy), score or distance (too near); nan otherwise.
        evidence: The run of words that it shares with a benchmark; empty otherwise.
    """

    row: int
    cause: Cause
    near: int | None = None
    value: float = math.nan
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The result of a filter: every row is either kept or dropped, both in order of rows."""

    kept: tuple[int, ...]
    dropped: tuple[Dropped, ...]


def without_copies(rows: int, copies: Iterable[Copy]) -> Selection:
    """Keep the first of all rows that repeat one another."""
    return without(rows, (Dropped(c.row, "copy", c.of, c.similarity) for c in copies))


def without_contaminated(rows: int, hits: Iterable[Hit]) -> Selection:
    """Keep the rows that share no run of words with a benchmark."""
    return without(rows, (Dropped(hit.row, "contaminated", evidence=hit.run) for hit in hits))


def band(scores: Scores, *, low: float, high: float) -> Selection:
    """Keep the rows whose score lies in (low, high]."""
    numbers = as_numbers(scores)
    outside = (
        Dropped(row, "out of band", value=score)
        for row, score in enumerate(numbers.tolist())
        if math.isfinite(score) and not in_band(score, low=low, high=high)
    )
    return without(len(numbers), [*_unscored(numbers), *outside])


def top(scores: Scores, *, part: float) -> Selection:
    """Keep the rows with the highest scores.

    Args:
        scores: The highest are kept.
        part: Share of the scored rows to keep, in (0, 1]; rounded down, but at least one row.

    Raises:
        ValueError: `part` is not in (0, 1].
    """
    if not 0 < part <= 1:
        raise ValueError(f"part must lie in (0, 1], got {part}")
    numbers = as_numbers(scores)
    order = ranked(numbers)
    # 0.3 * 10 is 2.999..., and is to keep three rows.
    count = max(1, math.floor(part * len(order) + 1e-9))
    below = (
        Dropped(row, "not at the top", value=float(numbers[row])) for row in order[count:].tolist()
    )
    return without(len(numbers), [*_unscored(numbers), *below])


def without(rows: int, dropped: Iterable[Dropped]) -> Selection:
    """Return the selection of all rows but the dropped ones."""
    in_order = sorted(dropped, key=lambda drop: drop.row)
    numbers = {drop.row for drop in in_order}
    return Selection(tuple(row for row in range(rows) if row not in numbers), tuple(in_order))


def ranked(numbers: Numbers) -> Indices:
    """Return the scored rows, highest score first; of equal scores the earlier row first."""
    # Only a stable sort keeps the earlier of equal rows first; nan sorts last and is cut off.
    order = np.argsort(-numbers, kind="stable")
    return order[np.isfinite(numbers[order])]


def _unscored(numbers: Numbers) -> list[Dropped]:
    return [Dropped(row, "unscored") for row in np.flatnonzero(~np.isfinite(numbers)).tolist()]
