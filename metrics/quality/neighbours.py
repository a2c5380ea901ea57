"""Minimum neighbour distance (MND): each row's nearest other row in embedding space."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]
Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]

Search = Callable[[Vectors, int], tuple[NDArray[np.floating], NDArray[np.integer]]]
"""A nearest-neighbour index: takes vectors (rows, width) and k, returns distances and row numbers
(rows, k), nearest first.

A row may be its own hit; -1 is no hit. Only the row numbers are used: some libraries return squared
distances and some cosines.
"""

MOST_EXACT = 50_000
"""Rows up to which every pair is compared."""

_CELLS = 1 << 24
"""Numbers of one block of the comparison: 64 MB in single precision."""
_HITS = 4
"""Hits asked of an index; one of them is usually the row itself."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """Each row's nearest other row.

    Attributes:
        distances: (rows,), Euclidean, at least 0; higher is more isolated, 0 is an exact copy. nan:
            the row has no vector, or no other row has one.
        indices: (rows,), the nearest row's number, of equals the first one found; -1 where the
            distance is nan.
    """

    distances: Numbers
    indices: Indices

    @property
    def squared(self) -> Numbers:
        """Squared distances: of unit vectors, what the code of arXiv 2412.11231 reports."""
        return self.distances**2


def unit(vectors: Vectors) -> Vectors:
    """Return vectors (rows, width) scaled to length 1; a zero vector becomes nan."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled: Vectors = vectors / lengths
    return scaled


def nearest(
    vectors: Vectors, *, search: Search | None = None, most_exact: int = MOST_EXACT
) -> Nearest:
    """Return each row's nearest other row and the distance to it (MND).

    Copies are found by their bytes, so a row with a copy has distance exactly 0 and is never its
    own neighbour. (The published code takes the second hit of a search, which among copies may be
    the row itself.) All pairs are compared in the vectors' own precision (at least single), block
    by block in about 70 MB; the distance is then computed from the difference of the two vectors,
    in double precision.

    Args:
        vectors: (rows, width); a row that is not finite has no vector and is no row's neighbour.
            Pass `unit(vectors)` for distances in [0, 2].
        search: Replaces the comparison of all pairs where there are more rows than `most_exact`.
        most_exact: Rows.

    Raises:
        ValueError: `vectors` does not have two dimensions.

    Source: arXiv 2406.08464 (Magpie), as arXiv 2412.11231 takes it over.
    """
    if vectors.ndim != 2:
        raise ValueError(f"vectors are (rows, width), got {vectors.ndim} dimensions")
    scored = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    # Adding 0 turns -0.0 into 0.0: equal vectors must have equal bytes.
    finite = vectors[scored].astype(np.promote_types(vectors.dtype, np.float32)) + np.float32(0)
    neighbours = _copies(finite)
    without_copy = np.flatnonzero(neighbours < 0)
    if search is not None and len(finite) > most_exact:
        neighbours[without_copy] = _searched(finite, without_copy, search)
    elif len(finite) > 1:
        neighbours[without_copy] = _compared(finite, without_copy)
    return _of_all_rows(len(vectors), scored, finite, neighbours)


def _copies(vectors: Vectors) -> Indices:
    """Return for each row the first other row with equal bytes; -1 where there is none."""
    first: dict[bytes, int] = {}
    copies = np.full(len(vectors), -1, dtype=np.int64)
    for row, vector in enumerate(vectors):
        earlier = first.setdefault(vector.tobytes(), row)
        if earlier != row:
            copies[row] = earlier
            copies[earlier] = row if copies[earlier] < 0 else copies[earlier]
    return copies


def _compared(vectors: Vectors, rows: Indices) -> Indices:
    """Return the nearest other row of each of `rows`, by comparison with all rows."""
    scalar = vectors.dtype.type
    # Near the origin the products lose less precision; distances stay the same.
    vectors = vectors - vectors.mean(axis=0)
    # |v - w|² is smallest where v·w - |w|²/2 is largest. The second term is one more column, so a
    # block takes a single matrix product.
    halves = -np.einsum("ij,ij->i", vectors, vectors) / scalar(2)
    others = np.column_stack([vectors, halves]).T
    queries = np.column_stack([vectors, np.ones(len(vectors), vectors.dtype)])
    size = max(1, _CELLS // len(vectors))
    neighbours = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        closeness = queries[block] @ others
        closeness[np.arange(len(block)), block] = -np.inf
        neighbours[start : start + size] = closeness.argmax(axis=1)
    return neighbours


def _searched(vectors: Vectors, rows: Indices, search: Search) -> Indices:
    """Return each row's first hit that is not the row itself; -1 where there is none."""
    _, hits = search(vectors, min(_HITS, len(vectors)))
    hits = np.asarray(hits)[rows]
    others = (hits != rows[:, None]) & (hits >= 0)
    first = hits[np.arange(len(rows)), others.argmax(axis=1)]
    return np.where(others.any(axis=1), first, -1).astype(np.int64)


def _of_all_rows(count: int, scored: Indices, vectors: Vectors, neighbours: Indices) -> Nearest:
    """Return distances and neighbours in the numbering of all rows, unscored ones included."""
    distances = np.full(count, np.nan)
    indices = np.full(count, -1, dtype=np.int64)
    with_neighbour = np.flatnonzero(neighbours >= 0)
    for row in with_neighbour:
        # Not from matrix products: |v|² + |w|² - 2 v·w loses its digits where the two are close.
        difference = vectors[row].astype(np.float64) - vectors[neighbours[row]]
        distances[scored[row]] = np.sqrt(difference @ difference)
    indices[scored[with_neighbour]] = scored[neighbours[with_neighbour]]
    return Nearest(distances, indices)
