"""Results of answers and the commonest of them, checked by hand."""

import pytest

from autoevol.metrics.quality.consistency import (
    OPEN,
    majority,
    reference_result,
    result_of,
    stated_result,
)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("3 + 4 = 7, so he has 7 apples.", "7"),
        ("The total is 1,250.50 dollars.", "1250.5"),
        ("So it is -3.0", "-3"),
        ("one half, that is 1/2", "1/2"),
        ("First think.\n\nThe answer is *Paris*.\n", "the answer is *paris"),
        ("모두 12개입니다", "12"),
        ("  \n", ""),
    ],
)
def test_the_result_of_an_answer(answer: str, result: str) -> None:
    assert result_of(answer) == result


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        (["so 4", "so 5", "it is 5.0"], 1),
        (["so 4", "so 5"], 0),
        (["Yes.", "no", "No!"], 1),
        (["x"], 0),
    ],
)
def test_the_first_of_the_commonest_is_chosen(answers: list[str], chosen: int) -> None:
    assert majority(answers) == chosen


def test_nothing_to_choose_from() -> None:
    with pytest.raises(ValueError, match="no answers"):
        majority([])


@pytest.mark.parametrize(
    ("solution", "result"),
    [
        ("93 / 14 = 6.64.\nAnswer: 7", "7"),
        ("Answer: 5\nNo, wait.\n**Final answer:** 150,000 cm", "150000"),
        ("Answer: $12, $24 and $36", "12 24 36"),
        ("The order is Mercury, Venus.\nAnswer: Venus.", "venus"),
        ("정답: 12개", "12"),
        ("Answer: open", OPEN),
        ("Open.", OPEN),
        ("Answer: I am sorry, but I cannot attend the meeting.", OPEN),
        ("Answer: H2O", "h2o"),
        ("Answer: 7cm", "7"),
        ("Some steps.\n#### 42", "42"),
        ("The answer is 7.", ""),
        ("", ""),
    ],
)
def test_the_result_that_a_solution_states(solution: str, result: str) -> None:
    assert stated_result(solution) == result


@pytest.mark.parametrize(
    ("response", "result"),
    [
        ("48 / 6 = 8 bags", "8"),
        ("First 14 x 6 = 84.\nThe result is 84.0", "84"),
        ("Paris.", "paris"),
        ("#### 1,200", "1200"),
        ("She has 12 apples and 3 pears.", ""),
        ("The total is $15 for 3 books.", ""),
        ("Answer: open", ""),
        ("A long last line that says many things and no number.", ""),
        ("", ""),
    ],
)
def test_the_one_result_of_a_response(response: str, result: str) -> None:
    assert reference_result(response) == result


def test_a_degenerate_reply_is_read_quickly() -> None:
    assert stated_result("-----\n" * 8000) == ""
    assert stated_result("\n" * 8000 + "Answer: 4") == "4"
