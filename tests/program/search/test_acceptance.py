"""Which of two methods is preferred, by hand."""

import pytest

from autoevol.program.records import Evaluation
from autoevol.program.search.acceptance import Acceptance, pareto_front
from tests.support.evaluations import evaluation

TEN = "xxx......."
LONG = "Rewrite the instruction into a harder one, and do so with great care and attention."


@pytest.mark.parametrize(
    ("challenger", "tie_break", "expected"),
    [
        pytest.param(evaluation("xx........"), True, True, id="fails less"),
        pytest.param(evaluation("xxxx......", added=20), True, False, id="fails more, adds more"),
        pytest.param(evaluation("xxx......."), True, False, id="a tie keeps the incumbent"),
        pytest.param(evaluation(TEN, added=6), True, True, id="a tie that adds a word"),
        pytest.param(evaluation(TEN, added=9), False, False, id="no tie-break asked for"),
        pytest.param(evaluation("??????...."), True, False, id="most of its calls died"),
        pytest.param(evaluation("???......."), True, False, id="a tie on the shared rows"),
    ],
)
def test_the_lowest_failure_rate_wins(
    challenger: Evaluation, tie_break: bool, expected: bool
) -> None:
    rule = Acceptance("lowest", tie_break=tie_break)
    assert rule.compare(challenger, evaluation(TEN)).is_better is expected


@pytest.mark.parametrize(
    ("challenger", "incumbent", "expected"),
    [
        pytest.param("....", "xxxx", True, id="four mended, p 1/16"),
        pytest.param("...x", "xxxx", False, id="three mended, p 1/8"),
        pytest.param(".....x....", "xxxxx.....", False, id="five mended, one broken, p 7/64"),
        pytest.param("......x...", "xxxxxx....", True, id="six mended, one broken, p 8/128"),
    ],
)
def test_a_paired_test_decides(challenger: str, incumbent: str, expected: bool) -> None:
    preference = Acceptance("paired", level=0.1).compare(
        evaluation(challenger), evaluation(incumbent)
    )
    assert preference.is_better is expected
    assert ("fails less: mended" in preference.why) is expected


@pytest.mark.parametrize(
    ("challenger", "is_promoted"), [("....xx....", True), ("....xxx...", False)]
)
def test_a_provisional_promotion_takes_more_wins_than_losses(
    challenger: str, is_promoted: bool
) -> None:
    """Three wins and two losses are enough in the search, and prove nothing at its end."""
    rule = Acceptance("provisional", level=0.1)
    comparison = evaluation(challenger), evaluation("xxx.......")
    assert rule.compare(*comparison).is_better is is_promoted
    assert not rule.confirming.compare(*comparison).is_better


def test_what_fails_more_often_is_not_preferred_for_its_complexity() -> None:
    rule = Acceptance("paired")
    assert not rule.compare(evaluation("x" + "." * 19, added=20), evaluation("." * 20)).is_better


def test_complexity_comes_second() -> None:
    preference = Acceptance().compare(evaluation("." * 8, added=[8, 9] * 4), evaluation("." * 8))
    assert preference.is_better
    assert "added words +3.5" in preference.why


def test_less_complexity_decides_against_a_shorter_method() -> None:
    preference = Acceptance().compare(
        evaluation("." * 8, added=3, text="Harder instruction."), evaluation("." * 8, text=LONG)
    )
    assert not preference.is_better
    assert "added words -2" in preference.why


def test_diversity_comes_third() -> None:
    preference = Acceptance().compare(evaluation("." * 8), evaluation("." * 8, same_text=True))
    assert preference.is_better
    assert "distance" in preference.why


def test_a_shorter_method_comes_fourth() -> None:
    rule = Acceptance()
    short, long = evaluation("." * 8, text="Harder instruction."), evaluation("." * 8, text=LONG)
    assert rule.compare(short, long).is_better
    assert not rule.compare(long, short).is_better


def test_fewer_output_tokens_come_last() -> None:
    rule = Acceptance()
    frugal, other = evaluation("." * 8, tokens=20), evaluation("." * 8, tokens=30)
    assert rule.compare(frugal, other).is_better
    assert not rule.compare(other, frugal).is_better


def test_equal_methods_leave_the_incumbent() -> None:
    assert not Acceptance().compare(evaluation("x" * 8), evaluation("x" * 8)).is_better


def test_without_a_tie_break_only_the_failure_rate_counts() -> None:
    rule = Acceptance(tie_break=False)
    assert not rule.compare(evaluation("." * 8, added=20), evaluation("." * 8)).is_better


def test_the_pareto_front() -> None:
    good = evaluation("." * 8, added=9)
    short = evaluation("x" + "." * 7, added=5, text="Harder instruction.")
    beaten = evaluation("xx" + "." * 6, added=5, text=LONG)
    assert pareto_front([good, short, beaten]) == [good, short]
    assert pareto_front([]) == []
