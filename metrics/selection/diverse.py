"""Filters for diversity: keep, greedily, rows that lie far apart in embedding space."""

import math
from collections.abc import Sequence

import numpy as np

from autoevol.metrics.quality.neighbours import Indices, Vectors, unit
from autoevol.metrics.selection.bands import Dropped, Selection, ranked, without
from autoevol.metrics.stats.means import Scores, as_numbers

_BLOCK = 256
"""Rows that are compared with the kept rows in one matrix product."""


def apart(vectors: Vectors, *, least: float) -> Selection:
    """Keep, from the first row on, each row that is far enough from all rows kept so far.

    The distance between any two kept rows is then `least` or more.

    Args:
        vectors: (rows, width); of length 1 (`neighbours.unit`) for distances in [0, 2].
        least: Least Euclidean distance.
    """
    return _spread(vectors, _with_vector(vectors), least=least, most=len(vectors))


def best_apart(
    scores: Scores, vectors: Vectors, *, tau: float = 0.9, most: int | None = None
) -> Selection:
    """Keep, from the highest score down, each row that is unlike all rows kept so far.

    Args:
        scores: Higher comes first; for Deita the product of complexity and quality.
        vectors: (rows, width); their lengths do not matter.
        tau: Rows with a higher cosine similarity are too near, in [-1, 1]. `Dropped.value` is the
            distance of unit vectors: sqrt(2 - 2 tau) at the limit, 0.447 for 0.9.
        most: Rows to keep; later rows are "not at the top". None: no limit.

    Raises:
        ValueError: `tau` is not a cosine, or `scores` and `vectors` have different numbers of rows.

    Source: arXiv 2312.15685 (Deita), score first and then distance.
    """
    if not -1 <= tau <= 1:
        raise ValueError(f"a cosine lies in [-1, 1], got {tau}")
    numbers = as_numbers(scores)
    if len(numbers) != len(vectors):
        raise ValueError(f"{len(numbers)} scores and {len(vectors)} vectors")
    directions = unit(vectors)
    order = ranked(numbers)
    order = order[np.isin(order, _with_vector(directions))]
    limit = len(numbers) if most is None else most
    return _spread(directions, order, least=math.sqrt(2 - 2 * tau), most=limit)


def _spread(vectors: Vectors, order: Indices, *, least: float, most: int) -> Selection:
    """Keep rows greedily in `order`; rows that are not in it are unscored."""
    # One matrix product a block finds the nearest of the rows kept before the block; only rows kept
    # within it remain to be compared one by one.
    kept = list[int]()
    dropped = [
        Dropped(row, "unscored") for row in np.setdiff1d(np.arange(len(vectors)), order).tolist()
    ]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK].tolist()
        before = _closest(vectors, block, kept)
        count = len(kept)
        for index, row in enumerate(block):
            # A slice of `before`, since the list is empty as long as nothing is kept.
            near, distance = _nearest(vectors, row, before[index : index + 1] + kept[count:])
            if len(kept) >= most:
                dropped.append(Dropped(row, "not at the top"))
            elif near is not None and distance < least:
                dropped.append(Dropped(row, "too near", near, distance))
            else:
                kept.append(row)
    return without(len(vectors), dropped)


def _closest(vectors: Vectors, rows: Sequence[int], kept: Sequence[int]) -> list[int]:
    """Return the kept row nearest to each of `rows`; an empty list if none is kept."""
    if not kept:
        return []
    others = vectors[kept]
    # |v - w|² is smallest where v·w - |w|²/2 is largest: no square of a difference is needed.
    halves = np.einsum("ij,ij->i", others, others) / 2
    nearest = (vectors[rows] @ others.T - halves).argmax(axis=1)
    return [kept[index] for index in nearest]


def _nearest(vectors: Vectors, row: int, others: Sequence[int]) -> tuple[int | None, float]:
    """Return the nearest of a few rows, the first of equals, and its distance in float64."""
    if not others:
        return None, math.inf
    distances = np.linalg.norm(vectors[others].astype(np.float64) - vectors[row], axis=1)
    best = int(distances.argmin())
    return others[best], float(distances[best])


def _with_vector(vectors: Vectors) -> Indices:
    return np.flatnonzero(np.isfinite(vectors).all(axis=1))
