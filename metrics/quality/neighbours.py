"""How far each row lies from the nearest other row in embedding space."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]
Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]

Search = Callable[[Vectors, int], tuple[NDArray[np.floating], NDArray[np.integer]]]
"""An index: vectors (rows, width) and k in, distances and row numbers (rows, k) out, nearest first.

A row may find itself; -1 stands for "none found". Only the row numbers are used: some libraries
give squared distances and some cosines.
"""

MOST_EXACT = 50_000
"""Up to so many rows every pair is compared."""

_CELLS = 1 << 24
_FOUND = 4


@dataclass(frozen=True, slots=True)
class Nearest:
    """Each row's nearest other row.

    Attributes:
        distances: (rows,), Euclidean, at least 0; higher means more alone, 0 is an exact copy. nan:
            the row has no vector, or no other row has one.
        indices: (rows,), the nearest row's number; of equals the first found; -1 where the distance
            is nan.
    """

    distances: Numbers
    indices: Indices

    @property
    def squared(self) -> Numbers:
        """Squared distances: of unit vectors, what the code of arXiv 2412.11231 reports."""
        return self.distances**2


def unit(vectors: Vectors) -> Vectors:
    """Return vectors (rows, width) scaled to length 1; one without a direction becomes nan."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled: Vectors = vectors / lengths
    return scaled


def nearest(
    vectors: Vectors, *, search: Search | None = None, most_exact: int = MOST_EXACT
) -> Nearest:
    """Return for each row the distance to the nearest other row (MND) and which row that is.

    Copies are found by their bytes, so a row with a copy is exactly 0 away, and never its own
    neighbour (the published code takes the second hit of a search, which among copies may be the
    row itself). All pairs are compared in the vectors' own precision (single at least), block by
    block in about 70 MB; the distance then comes from the difference of the two vectors, in double
    precision.

    Args:
        vectors: (rows, width); a row that is not finite has no vector, and is nobody's neighbour.
            Pass `unit(vectors)` for distances in [0, 2].
        search: Asked instead of comparing all pairs where there are more rows than `most_exact`.
        most_exact: Rows.

    Raises:
        ValueError: `vectors` has not two dimensions.

    Source: arXiv 2406.08464 (Magpie), as arXiv 2412.11231 takes it over.
    """
    if vectors.ndim != 2:
        raise ValueError(f"vectors are (rows, width), got {vectors.ndim} dimensions")
    scored = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    held = vectors[scored].astype(np.promote_types(vectors.dtype, np.float32)) + np.float32(0)
    found = _copies(held)
    alone = np.flatnonzero(found < 0)
    if search is not None and len(held) > most_exact:
        found[alone] = _searched(held, alone, search)
    elif len(held) > 1:
        found[alone] = _compared(held, alone)
    return _of_all(len(vectors), scored, held, found)


def _copies(vectors: Vectors) -> Indices:
    """Return for each row the first other row with equal bytes; -1 where there is none."""
    first: dict[bytes, int] = {}
    found = np.full(len(vectors), -1, dtype=np.int64)
    for row, vector in enumerate(vectors):
        earlier = first.setdefault(vector.tobytes(), row)
        if earlier != row:
            found[row] = earlier
            found[earlier] = row if found[earlier] < 0 else found[earlier]
    return found


def _compared(vectors: Vectors, rows: Indices) -> Indices:
    """Return the nearest other row of each of `rows`, by comparison with all.

    Nearest is where v·w - |w|²/2 is largest; the second term rides along as one more column.
    """
    kind = vectors.dtype.type
    vectors = vectors - vectors.mean(axis=0)
    halves = -np.einsum("ij,ij->i", vectors, vectors) / kind(2)
    others = np.column_stack([vectors, halves]).T
    asking = np.column_stack([vectors, np.ones(len(vectors), vectors.dtype)])
    size = max(1, _CELLS // len(vectors))
    found = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        closeness = asking[block] @ others
        closeness[np.arange(len(block)), block] = -np.inf
        found[start : start + size] = closeness.argmax(axis=1)
    return found


def _searched(vectors: Vectors, rows: Indices, search: Search) -> Indices:
    """Return the first of a few hits that is not the row itself; -1 where there is none."""
    _, hits = search(vectors, min(_FOUND, len(vectors)))
    hits = np.asarray(hits)[rows]
    others = (hits != rows[:, None]) & (hits >= 0)
    first = hits[np.arange(len(rows)), others.argmax(axis=1)]
    return np.where(others.any(axis=1), first, -1).astype(np.int64)


def _of_all(count: int, scored: Indices, vectors: Vectors, found: Indices) -> Nearest:
    """Return distances and neighbours in the numbering of all rows."""
    distances = np.full(count, np.nan)
    indices = np.full(count, -1, dtype=np.int64)
    with_other = np.flatnonzero(found >= 0)
    for row in with_other:
        difference = vectors[row].astype(np.float64) - vectors[found[row]]
        distances[scored[row]] = np.sqrt(difference @ difference)
    indices[scored[with_other]] = scored[found[with_other]]
    return Nearest(distances, indices)
