"""Rows that lie apart: which stay, and to which the others are too near."""

import math

import numpy as np
import pytest

from autoevol.metrics.quality.neighbours import Vectors, nearest, unit
from autoevol.metrics.selection.bands import Dropped
from autoevol.metrics.selection.diverse import apart, best_apart

LINE = np.array([[0.0], [0.4], [1.0], [1.3], [2.5]])


def circle(*degrees: float) -> Vectors:
    angles = np.radians(degrees)
    return 7 * np.column_stack([np.cos(angles), np.sin(angles)])


def test_rows_too_near_to_a_kept_one_are_dropped_in_order() -> None:
    selection = apart(LINE, least=0.7)
    assert selection.kept == (0, 2, 4)
    assert [(drop.row, drop.near) for drop in selection.dropped] == [(1, 0), (3, 2)]
    assert [drop.value for drop in selection.dropped] == pytest.approx([0.4, 0.3])


@pytest.mark.parametrize(
    ("vectors", "kept"),
    [
        pytest.param(np.ones((600, 3)), (0,), id="all equal, over several blocks"),
        pytest.param(np.ones((1, 3)), (0,), id="one row"),
        pytest.param(np.ones((0, 3)), (), id="no rows"),
        pytest.param(np.array([[np.nan], [1.0]]), (1,), id="a row without a vector"),
    ],
)
def test_edges(vectors: Vectors, kept: tuple[int, ...]) -> None:
    selection = apart(vectors, least=1e-9)
    assert selection.kept == kept
    assert len(selection.kept) + len(selection.dropped) == len(vectors)


def test_all_kept_rows_lie_apart_and_all_dropped_ones_near() -> None:
    vectors = unit(np.random.default_rng(3).normal(size=(900, 3)).astype(np.float32))
    selection = apart(vectors, least=0.2)
    assert nearest(vectors[list(selection.kept)]).distances.min() >= 0.2
    for drop in selection.dropped:
        assert drop.near in selection.kept
        gap = np.linalg.norm(vectors[drop.row].astype(float) - vectors[drop.near])
        assert drop.value == pytest.approx(gap)
        assert drop.near < drop.row
    assert selection == apart(vectors, least=0.2)


def test_a_row_just_far_enough_stays() -> None:
    assert apart(np.array([[0.0], [1.0], [3.0]]), least=1.0).kept == (0, 1, 2)


def test_the_nearest_kept_row_is_named_whatever_the_vectors_lengths() -> None:
    vectors = np.random.default_rng(8).gamma(1.0, 2.0, size=(700, 2))
    selection = apart(vectors, least=0.5)
    for drop in selection.dropped:
        earlier = [row for row in selection.kept if row < drop.row]
        gaps = np.linalg.norm(vectors[earlier] - vectors[drop.row], axis=1)
        assert drop.near == earlier[int(gaps.argmin())]
        assert drop.value == pytest.approx(gaps.min())


def test_the_best_of_alike_rows_stays() -> None:
    """25 degrees have a cosine of 0.906, 26 one of 0.899."""
    selection = best_apart([1.0, 3.0, 2.0], circle(0, 25, 51), tau=0.9)
    assert selection.kept == (1, 2)
    near = selection.dropped[0]
    assert (near.row, near.cause, near.near) == (0, "too near", 1)
    assert near.value == pytest.approx(2 * math.sin(math.radians(12.5)))


def test_equal_scores_are_ordered_by_row() -> None:
    assert best_apart([1.0, 1.0], circle(0, 5)).kept == (0,)


def test_most_limits_the_kept_rows() -> None:
    selection = best_apart([5, 4, 3, 2, 1], circle(0, 1, 90, 180, 270), most=2)
    assert selection.kept == (0, 2)
    assert selection.dropped[1:] == tuple(Dropped(row, "not at the top") for row in (3, 4))


def test_no_score_and_no_direction_are_unscored() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    selection = best_apart([1.0, 9.0, None], vectors)
    assert selection.kept == (0,)
    assert [drop.cause for drop in selection.dropped] == ["unscored", "unscored"]


def test_scores_and_vectors_are_of_the_same_rows() -> None:
    with pytest.raises(ValueError, match="1 scores and 2 vectors"):
        best_apart([1.0], circle(0, 90))


@pytest.mark.parametrize("tau", [-1.1, 1.1])
def test_tau_is_a_cosine(tau: float) -> None:
    with pytest.raises(ValueError, match="cosine"):
        best_apart([1.0, 2.0], circle(0, 90), tau=tau)
