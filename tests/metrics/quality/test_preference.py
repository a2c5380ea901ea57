"""A judge's verdicts counted and tested, by hand and against SciPy."""

import pytest
from scipy.stats import binomtest

from autoevol.metrics.quality.preference import (
    PairOutcome,
    PositionBias,
    Tally,
    Verdict,
    first_share,
    longer_share,
    outcome,
    position_bias,
    single_outcome,
    tally,
)


@pytest.mark.parametrize(
    ("ours_first", "ours_second", "result"),
    [
        ("first", "second", "win"),
        ("second", "first", "lose"),
        ("first", "first", "tie"),
        ("second", "second", "tie"),
        ("first", "tie", "win"),
        ("tie", "first", "lose"),
        ("tie", "tie", "tie"),
        ("first", None, None),
        (None, None, None),
    ],
)
def test_two_orders_make_one_outcome(
    ours_first: Verdict | None, ours_second: Verdict | None, result: PairOutcome | None
) -> None:
    assert outcome(ours_first, ours_second) == result


@pytest.mark.parametrize(
    ("verdict", "ours_was_first", "result"),
    [
        ("first", True, "win"),
        ("first", False, "lose"),
        ("second", False, "win"),
        ("tie", False, "tie"),
        (None, True, None),
    ],
)
def test_one_drawn_order(
    verdict: Verdict | None, ours_was_first: bool, result: PairOutcome | None
) -> None:
    assert single_outcome(verdict, ours_was_first=ours_was_first) == result


def test_a_tally_has_shares_of_what_was_scored() -> None:
    result = tally(["win", "win", "tie", "lose", None])
    assert result == Tally(won=2, tied=1, lost=1, unscored=1)
    assert [part and part.value for part in (result.win, result.tie, result.lose)] == [
        0.5,
        0.25,
        0.25,
    ]


@pytest.mark.parametrize(
    ("won", "lost", "p"),
    [(5, 0, 2 / 32), (0, 5, 2 / 32), (4, 1, 12 / 32), (3, 3, 1.0), (0, 0, 1.0)],
)
def test_the_sign_test_leaves_ties_aside(won: int, lost: int, p: float) -> None:
    assert Tally(won, 7, lost).p_value == pytest.approx(p)


@pytest.mark.parametrize(("won", "lost"), [(61, 39), (434, 295), (1, 2)])
def test_the_sign_test_as_scipy_gives_it(won: int, lost: int) -> None:
    assert Tally(won, 0, lost).p_value == pytest.approx(binomtest(won, won + lost).pvalue)


def test_a_judge_that_never_parses_leaves_everything_unscored() -> None:
    result = tally([None, None])
    assert (result.unscored, result.win, result.p_value) == (2, None, 1.0)


def test_position_bias_of_both_orders() -> None:
    pairs: list[tuple[Verdict | None, Verdict | None]] = [
        ("first", "second"),
        ("second", "first"),
        ("first", "first"),
        ("first", "first"),
        ("first", "first"),
        ("second", "second"),
        ("tie", "first"),
        (None, "first"),
    ]
    bias = position_bias(pairs)
    assert bias == PositionBias(same=2, first=3, second=1)
    assert bias.conflict is not None
    assert bias.first_of_conflicts is not None
    assert bias.conflict.value == pytest.approx(4 / 6)
    assert bias.first_of_conflicts.value == 0.75
    assert bias.first_of_all == pytest.approx(8 / 12)


def test_no_decided_pair_shows_no_bias() -> None:
    bias = position_bias([("tie", "tie")])
    assert (bias.conflict, bias.first_of_conflicts, bias.first_of_all) == (None, None, None)


def test_first_share_of_single_verdicts() -> None:
    estimate = first_share(["first", "first", "second", "tie", None, "first"])
    assert estimate is not None
    assert estimate.value == 0.75
    assert first_share(["tie", None]) is None


def test_longer_texts_win_three_of_four() -> None:
    rows: list[tuple[PairOutcome | None, int, int]] = [
        ("win", 90, 40),
        ("lose", 30, 31),
        ("lose", 10, 99),
        ("win", 20, 50),
        ("win", 7, 7),
        ("tie", 1, 9),
        (None, 1, 9),
    ]
    estimate = longer_share(rows)
    assert estimate is not None
    assert estimate.value == 0.75
    assert longer_share([("tie", 1, 2)]) is None
