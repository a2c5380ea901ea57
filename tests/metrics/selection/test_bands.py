"""Filters: which rows stay, and why the others are dropped."""

import math

import numpy as np
import pytest

from autoevol.metrics.selection.bands import (
    Dropped,
    Selection,
    band,
    top,
    without_contaminated,
    without_copies,
)
from autoevol.metrics.selection.contamination import Hit
from autoevol.metrics.selection.duplicates import near_copies
from autoevol.metrics.stats.means import Scores


def causes(selection: Selection) -> dict[int, str]:
    return {drop.row: drop.cause for drop in selection.dropped}


def test_the_first_of_equal_rows_stays() -> None:
    texts = ["a b c", "x y z", "A b, c", "a b c"]
    selection = without_copies(4, near_copies(texts))
    assert selection.kept == (0, 1)
    assert selection.dropped == (Dropped(2, "copy", 0, 1.0), Dropped(3, "copy", 0, 1.0))


def test_contaminated_rows_are_dropped_with_their_evidence() -> None:
    selection = without_contaminated(3, [Hit(1, "eight words", (0, 4))])
    assert selection.kept == (0, 2)
    assert selection.dropped[0].cause == "contaminated"
    assert selection.dropped[0].evidence == "eight words"


def test_a_band_keeps_what_is_neither_hopeless_nor_solved() -> None:
    selection = band([0.0, 0.125, 0.5, 0.625, None, math.nan], low=0.0, high=0.5)
    assert selection.kept == (1, 2)
    assert causes(selection) == {0: "out of band", 3: "out of band", 4: "unscored", 5: "unscored"}
    assert selection.dropped[1].value == 0.625


@pytest.mark.parametrize(
    ("scores", "part", "kept"),
    [
        pytest.param([3, 9, 5, 7], 0.5, (1, 3), id="half, in the order of the rows"),
        pytest.param([1, 1, 1, 1], 0.5, (0, 1), id="all equal: the earlier ones"),
        pytest.param([2, 1, 2, 2], 0.5, (0, 2), id="equals at the cut"),
        pytest.param([1, 2, 3], 0.5, (2,), id="rounded down"),
        pytest.param([1, 2, 3], 0.01, (2,), id="one at least"),
        pytest.param([None, 2, None, 1], 1.0, (1, 3), id="of the scored rows"),
        pytest.param(range(10), 0.3, (7, 8, 9), id="0.3 of ten is three"),
        pytest.param([4], 0.25, (0,), id="one row"),
        pytest.param([None], 0.25, (), id="nothing scored"),
        pytest.param([], 0.25, (), id="no rows"),
    ],
)
def test_the_top_of_the_scored_rows(scores: Scores, part: float, kept: tuple[int, ...]) -> None:
    selection = top(scores, part=part)
    assert selection.kept == kept
    assert len(selection.kept) + len(selection.dropped) == len(scores)


def test_why_a_row_is_not_at_the_top() -> None:
    selection = top(np.array([1.0, np.nan, 2.0]), part=0.5)
    assert selection.dropped[0] == Dropped(0, "not at the top", value=1.0)
    assert causes(selection) == {0: "not at the top", 1: "unscored"}


@pytest.mark.parametrize("part", [0.0, 1.5])
def test_a_part_is_a_share(part: float) -> None:
    with pytest.raises(ValueError, match="part"):
        top([1.0], part=part)
