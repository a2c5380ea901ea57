"""Distance to the nearest other row, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors  # type: ignore[import-untyped]

from autoevol.metrics.quality.neighbours import Indices, Vectors, nearest, unit


def test_three_points_on_a_line() -> None:
    neighbours = nearest(np.array([[0.0], [1.0], [3.0]]))
    assert neighbours.distances.tolist() == [1, 1, 2]
    assert neighbours.squared.tolist() == [1, 1, 4]
    assert neighbours.indices.tolist() == [1, 0, 1]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_copies_are_exactly_zero_away_and_no_row_is_its_own_neighbour(kind: type) -> None:
    third = np.array([1, 1, 1]) / np.sqrt(np.arange(3, 6)) * 1e3
    neighbours = nearest(np.stack([third, [9, 9, 9], third, third]).astype(kind))
    assert neighbours.distances[[0, 2, 3]].tolist() == [0, 0, 0]
    assert neighbours.distances[1] > 100
    assert neighbours.indices.tolist()[0] == 2
    assert all(row != other for row, other in enumerate(neighbours.indices))


def test_minus_zero_is_zero() -> None:
    assert nearest(np.array([[0.0, 1.0], [-0.0, 1.0]])).distances.tolist() == [0, 0]


def test_all_equal_rows_are_all_zero_away() -> None:
    neighbours = nearest(np.ones((50, 4), dtype=np.float32))
    assert not neighbours.distances.any()
    assert neighbours.indices.tolist() == [1] + [0] * 49


@pytest.mark.parametrize(
    "vectors",
    [
        pytest.param(np.zeros((1, 3)), id="one row"),
        pytest.param(np.array([[np.nan, 1.0], [2.0, 2.0]]), id="one row with a vector"),
        pytest.param(np.zeros((0, 3)), id="no rows"),
    ],
)
def test_a_row_without_another_row_is_unscored(vectors: Vectors) -> None:
    neighbours = nearest(vectors)
    assert len(neighbours.distances) == len(vectors)
    assert np.isnan(neighbours.distances).all()
    assert (neighbours.indices == -1).all()


def test_a_row_without_a_vector_is_nobodys_neighbour() -> None:
    neighbours = nearest(unit(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 5.0]])))
    assert neighbours.distances[[0, 2]].tolist() == pytest.approx([2**0.5, 2**0.5])
    assert np.isnan(neighbours.distances[1])
    assert neighbours.indices.tolist() == [2, -1, 0]


def test_half_precision_is_compared_in_single() -> None:
    vectors = np.array([[1000.0, 1.0], [1000.0, 2.0], [1000.0, 4.0]], dtype=np.float16)
    assert nearest(vectors).distances.tolist() == [1, 1, 2]


def test_vectors_have_two_dimensions() -> None:
    with pytest.raises(ValueError, match="got 1"):
        nearest(np.zeros(3))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_as_scikit_learn_finds_them(kind: type) -> None:
    vectors = unit(np.random.default_rng(0).normal(3, 1, (700, 24)).astype(kind))
    expected, rows = NearestNeighbors(n_neighbors=2).fit(vectors).kneighbors(vectors)
    neighbours = nearest(vectors)
    assert neighbours.distances == pytest.approx(expected[:, 1], abs=1e-6)
    assert neighbours.indices.tolist() == rows[:, 1].tolist()


def exhaustive(vectors: Vectors, k: int) -> tuple[Vectors, Indices]:
    """Give squared distances, and among copies not always the row itself, as libraries do."""
    distances, rows = NearestNeighbors(n_neighbors=k).fit(vectors).kneighbors(vectors)
    return distances**2, rows[:, ::-1] if k < 3 else rows


@pytest.mark.parametrize("most_exact", [3, 100])
def test_beyond_a_size_an_index_is_searched(most_exact: int) -> None:
    hit_counts: list[int] = []

    def search(vectors: Vectors, k: int) -> tuple[Vectors, Indices]:
        hit_counts.append(k)
        return exhaustive(vectors, k)

    vectors = np.array([[0.0], [1.0], [3.0], [3.0], [7.0]])
    neighbours = nearest(vectors, search=search, most_exact=most_exact)
    assert neighbours.distances.tolist() == [1, 1, 0, 0, 4]
    assert len(hit_counts) == (most_exact == 3)


def test_a_search_that_finds_nothing_leaves_a_row_unscored() -> None:
    def blind(vectors: Vectors, k: int) -> tuple[Vectors, Indices]:
        rows = np.full((len(vectors), k), -1)
        rows[:, 0] = np.arange(len(vectors))
        return np.zeros((len(vectors), k)), rows

    neighbours = nearest(np.array([[0.0], [1.0], [1.0]]), search=blind, most_exact=1)
    assert np.isnan(neighbours.distances[0])
    assert neighbours.distances[1:].tolist() == [0, 0]
