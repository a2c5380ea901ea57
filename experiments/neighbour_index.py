"""Approximate nearest neighbours for sets that are too large to compare every pair."""

import importlib.util
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.neighbours import Search, Vectors

_LISTS = 4
"""Lists for each square root of the rows (faiss's own advice)."""

_PROBED = 32
"""One list in so many is looked through."""

_TRAINED = 40
"""Rows for each list that its centre is made from."""


def index_search() -> Search | None:
    """Return faiss's search; None: it is not installed, and every pair is compared."""
    return inverted_lists if importlib.util.find_spec("faiss") else None


def inverted_lists(
    vectors: Vectors, count: int
) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """Return squared distances and row numbers (rows, count) of likely nearest rows.

    Rows lie in lists by the nearest of 4·√rows centres; a row's neighbours are looked for in the
    32nd part of the lists whose centres are nearest to it.
    """
    import faiss

    held = np.ascontiguousarray(vectors, dtype=np.float32)
    lists = max(1, round(_LISTS * math.sqrt(len(held))))
    index: Any = faiss.IndexIVFFlat(faiss.IndexFlatL2(held.shape[1]), held.shape[1], lists)
    drawn = np.random.default_rng(0).permutation(len(held))[: _TRAINED * lists]
    index.train(held[drawn])
    index.add(held)
    index.nprobe = max(1, lists // _PROBED)
    distances, rows = index.search(held, count)
    return distances, rows
