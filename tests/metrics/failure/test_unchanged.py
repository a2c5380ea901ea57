"""Detectors of rewrites that add nothing to their source."""

import pytest

from autoevol.metrics import Case
from autoevol.metrics.failure.unchanged import copied_demonstration, reworded, same_sum, unchanged
from tests.support.rules_broken import HARDER, SOURCE, rules_broken


def evolved(text: str, source: str = SOURCE) -> Case:
    return Case(source, text)


def test_a_sound_rewrite_breaks_no_strict_rule() -> None:
    assert rules_broken(SOURCE, HARDER) == []


@pytest.mark.parametrize(
    ("source", "text", "is_flagged"),
    [
        pytest.param(SOURCE, SOURCE, True, id="same"),
        pytest.param(SOURCE, SOURCE.upper() + "  ", True, id="same but for case and space"),
        pytest.param(
            "The perimeter of a square is 36 cm. What is its area?",
            "The perimeter of a square is 36 cm. What is the area of the square?",
            True,
            id="said in other words",
        ),
        pytest.param(
            "민수는 하루에 12쪽씩 책을 읽습니다. 며칠이 걸리나요?",
            "민수는 하루에 12쪽씩 책을 읽습니다. 며칠이 걸릴까요?",
            True,
            id="Korean ending changed",
        ),
        pytest.param(
            "A tank loses 2 litres every hour. When is it empty?",
            "A tank loses 2 litres every hour, but it gains 3 litres every other hour. "
            "When is it empty?",
            False,
            id="few new words that change the task",
        ),
        pytest.param(
            "Entry costs 9 pounds for an adult. A group of 2 adults pays with 20 pounds. "
            "Work out the change.",
            "A group of 2 adults pays with 20 pounds, but entry costs 9 pounds for an adult. "
            "Work out the change given by the group.",
            True,
            id="said in another order",
        ),
        pytest.param(SOURCE, f"**{SOURCE}**", True, id="set in bold"),
        pytest.param("Solve x^2 = 4.", "Solve x^2 < 4.", False, id="another sign"),
        pytest.param(SOURCE, HARDER, False, id="harder"),
    ],
)
def test_unchanged(source: str, text: str, is_flagged: bool) -> None:
    assert bool(unchanged(evolved(text, source))) == is_flagged


@pytest.mark.parametrize(
    ("text", "is_flagged"),
    [
        pytest.param(
            "List three trees, rank them by litres saved per week, and state one drawback of each.",
            True,
            id="the whole addition is copied",
        ),
        pytest.param(
            "List three trees that tolerate salt and drought, explain which soil each of them "
            "prefers, and state one drawback of each.",
            False,
            id="a turn of phrase beside an addition of its own",
        ),
        pytest.param("List three trees and state one use.", False, id="too short a run"),
    ],
)
def test_copied_demonstration(text: str, is_flagged: bool) -> None:
    shown = (
        "List four ways to save water, rank them by litres saved per week, and state one drawback "
        "of each."
    )
    case = Case("List three trees.", text, demonstrations=shown)
    assert bool(copied_demonstration(case)) == is_flagged


def test_what_the_source_says_is_not_copied_from_a_demonstration() -> None:
    source = "List ways to save water and rank them by litres saved per week."
    text = source + " Name a tool for each."
    assert copied_demonstration(Case(source, text, demonstrations=source)) is None


def test_words_swapped_and_none_added_is_reworded() -> None:
    assert reworded(evolved("Name five things to check before buying a used bike."))
    assert reworded(evolved(HARDER)) is None


@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        pytest.param(
            "Tom has 15 marbles and gives away 4. How many does Tom keep?", True, id="same"
        ),
        pytest.param(
            "Tom has 15 marbles and gives away 4, then 2. How many are left?", False, id="amount"
        ),
        pytest.param(
            "Tom has 15 marbles, gives away 4 and loses half. How many?", False, id="half"
        ),
        pytest.param(
            "Tom has 15 marbles and gives away 4. How many are left, and how many are gone?",
            False,
            id="second question",
        ),
        pytest.param(
            "Tom has 15 marbles and gives away 4. How many are left? Also calculate the marbles "
            "that are left if Tom gives away 4 more.",
            False,
            id="second question in the same words",
        ),
    ],
)
def test_a_word_problem_without_a_new_amount(text: str, is_same: bool) -> None:
    source = "Tom has 15 marbles and gives away 4. How many are left?"
    assert bool(same_sum(evolved(text, source))) == is_same


def test_the_same_number_of_another_thing_is_a_new_amount() -> None:
    source = "사탕 30개를 5명에게 나누면 한 명이 몇 개를 받습니까?"
    text = "사탕 30개 중 5개를 먹고 5명에게 나누면 한 명이 몇 개를 받습니까?"
    assert same_sum(evolved(text, source)) is None


def test_an_easier_version_that_is_the_same_text_is_unchanged() -> None:
    assert "unchanged" in rules_broken(SOURCE, SOURCE, method_kind="down")
