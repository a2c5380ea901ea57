"""Difficulty by judges and by solvers, checked by hand."""

import pytest

from autoevol.metrics.quality.difficulty import (
    LEVELS,
    agreement_rate,
    distribution,
    gap,
    in_band,
    parse_level,
    parse_score,
    pass_rate,
)


@pytest.mark.parametrize(
    ("reply", "level"),
    [
        ("very easy", "very easy"),
        ("Hard", "hard"),
        ("**Very Hard**.", "very hard"),
        ("very-easy", "very easy"),
        (' "MEDIUM"\n', "medium"),
        ("very\n hard", "very hard"),
        ("Difficulty: hard", None),
        ("hard or very hard", None),
        ("not easy", None),
        ("harder", None),
        ("", None),
        ("...", None),
    ],
)
def test_a_level_is_read_or_unscored(reply: str, level: str | None) -> None:
    assert parse_level(reply) == level


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("85", 85),
        ("**85**.", 85),
        (" 85 / 100\n", 85),
        ("85.0", 85),
        ("0", 0),
        ("100", 100),
        ("101", None),
        ("-5", None),
        ("85.5", None),
        ("85/10", None),
        ("about 85", None),
        ("1000", None),
        ("", None),
        ("²", None),
    ],
)
def test_a_score_is_read_or_unscored(reply: str, score: int | None) -> None:
    assert parse_score(reply) == score


def test_rows_by_level() -> None:
    level_counts = distribution(["hard", None, "hard", "very easy", "hard"])
    assert tuple(level_counts.counts) == LEVELS
    assert tuple(level_counts.counts.values()) == (1, 0, 0, 3, 0)
    assert level_counts.unscored == 1
    assert level_counts.shares["hard"] is not None
    assert level_counts.shares["hard"].value == 0.75


def test_a_judge_that_never_answers_scores_nothing() -> None:
    level_counts = distribution([None, None])
    assert level_counts.unscored == 2
    assert set(level_counts.shares.values()) == {None}


def test_pass_rate_of_eight_samples() -> None:
    estimate = pass_rate([True] * 4 + [False] * 4 + [None] * 3)
    assert estimate is not None
    assert estimate.value == 0.5
    assert estimate.interval == pytest.approx((0.215, 0.785), abs=0.001)
    assert pass_rate([None]) is None


@pytest.mark.parametrize(
    ("answers", "rate"),
    [
        pytest.param(["It is 12.", "So 12", "13", "= 12.0"], 0.75, id="three of four"),
        pytest.param(["1", "2", "3", "4"], 0.25, id="all differ"),
        pytest.param(["7", "", "\n", "7"], 0.5, id="empty samples agree with none"),
        pytest.param(["7", "7"], 1.0, id="two samples"),
        pytest.param(["7"], None, id="one sample"),
        pytest.param(["", ""], None, id="no result"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_agreement_rate(answers: list[str], rate: float | None) -> None:
    estimate = agreement_rate(answers)
    assert (estimate and estimate.value) == rate


def test_gap_between_solvers() -> None:
    strong, weak = pass_rate([True] * 7 + [False]), pass_rate([True] * 2 + [False] * 6)
    estimate = gap(strong, weak)
    assert estimate is not None
    assert estimate.value == 0.625
    low, high = estimate.interval
    assert 0 < low < 0.625 < high < 1
    assert gap(strong, None) is None


@pytest.mark.parametrize(
    ("rate", "is_in"), [(0.0, False), (0.01, True), (0.5, True), (0.51, False)]
)
def test_a_band_is_open_below_and_closed_above(rate: float, is_in: bool) -> None:
    assert in_band(rate, low=0.0, high=0.5) is is_in
