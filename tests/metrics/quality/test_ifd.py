"""IFD and IC-IFD from losses, by hand."""

import numpy as np
import pytest

from autoevol.metrics.quality.ifd import Losses, losses


def of(joint: float, alone: float, instruction: float) -> Losses:
    return Losses(*(np.array([loss]) for loss in (joint, alone, instruction)))


def test_the_two_formulas() -> None:
    figures = of(1.5, 2.0, 3.0)
    assert figures.ifd.tolist() == [0.75]
    assert figures.ic_ifd.tolist() == [0.25]
    assert figures.reasons == [None]


def test_losses_are_means_of_the_tokens_negative_logs() -> None:
    figures = losses([np.log([0.5, 0.125])], [np.log([0.25, 0.25, 0.25])], [np.log([0.5])])
    assert figures.answer_given_instruction.tolist() == pytest.approx([2 * np.log(2)])
    assert figures.ifd.tolist() == pytest.approx([1.0])
    assert figures.ic_ifd.tolist() == pytest.approx([1 / np.log(2)])


@pytest.mark.parametrize(
    ("joint", "alone", "instruction", "reason", "has_ifd"),
    [
        pytest.param([], [], [-1.0], "no answer", False, id="empty answer"),
        pytest.param([-1.0], [0.0], [-1.0], "certain answer", False, id="L(A) = 0"),
        pytest.param([-1.0], [-2.0], [], "no instruction", True, id="empty instruction"),
        pytest.param([-1.0], [-2.0], [0.0], "certain instruction", True, id="L(Q) = 0"),
        pytest.param([-np.inf], [-2.0], [-1.0], "impossible token", False, id="infinite loss"),
        pytest.param([-1.0], [-2.0], [-np.inf], "impossible token", True, id="infinite L(Q)"),
        pytest.param([0.0], [-2.0], [-1.0], None, True, id="L(A|Q) = 0 is a score"),
    ],
)
def test_what_cannot_be_scored_is_nan_and_has_a_reason(
    joint: list[float],
    alone: list[float],
    instruction: list[float],
    reason: str | None,
    has_ifd: bool,
) -> None:
    figures = losses([joint], [alone], [instruction])
    assert figures.reasons == [reason]
    assert np.isfinite(figures.ic_ifd).tolist() == [reason is None]
    assert np.isfinite(figures.ifd).tolist() == [has_ifd]


def test_above_one_is_marked_and_kept() -> None:
    figures = losses([[-3.0], [-2.0], []], [[-2.0], [-2.0], []], [[-1.0]] * 3)
    assert figures.misleading.tolist() == [True, False, False]
    assert figures.ifd[:2].tolist() == [1.5, 1.0]


def test_every_row_has_all_three() -> None:
    with pytest.raises(ValueError, match=r"\[2, 1, 1\] rows"):
        losses([[-1.0], [-1.0]], [[-1.0]], [[-1.0]])


def test_no_rows_have_no_scores() -> None:
    assert losses([], [], []).ifd.tolist() == []
