"""The index beyond 50,000 rows, checked against the comparison of all pairs."""

import numpy as np

from autoevol.experiments.scores.embedding import index_search, inverted_lists
from autoevol.metrics.quality.neighbours import Vectors, nearest, unit


def drawn(rows: int) -> Vectors:
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(rows // 20, 32))
    return unit(centres[rng.integers(0, len(centres), rows)] + rng.normal(size=(rows, 32)) / 2)


def test_the_index_finds_nearly_every_neighbour() -> None:
    vectors = drawn(6000)
    exact = nearest(vectors)
    approximate = nearest(vectors, search=inverted_lists, most_exact=100)
    assert (approximate.indices == exact.indices).mean() > 0.9
    assert np.nanmean(approximate.distances) < 1.02 * np.nanmean(exact.distances)
    assert (approximate.distances >= exact.distances - 1e-6).all()


def test_the_library_is_taken_where_it_is() -> None:
    assert index_search() is inverted_lists
