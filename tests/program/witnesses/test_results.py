"""Results as values: notation does not tell equal ones apart, and different ones stay different."""

import pytest

from autoevol.metrics.quality.consistency import OPEN
from autoevol.program.witnesses.results import known_result, result_in, result_of_answer


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Answer: 7,75", "Answer: 7.75"),
        ("Answer: 1/2", "Answer: 0.5"),
        ("Answer: 3.0", "Answer: 3"),
        ("Answer: 1 200 Euro", "Answer: 1200 Euro"),
        ("Answer: 1,200", "Answer: 1200"),
        ("Answer: \u22125", "Answer: -5"),
        ("Antwort: 12", "Answer: 12"),
        ("5 + 7 = 12\n答案：12", "Answer: 12"),
        ("Respuesta: 3,5 litros", "Answer: 7/2"),
    ],
)
def test_equal_values_are_equal_results(first: str, second: str) -> None:
    assert result_in(first) == result_in(second) != ""


@pytest.mark.parametrize(
    ("first", "second"),
    [("Answer: 7,13", "Answer: 7,60"), ("Answer: 5", "Answer: -5"), ("Answer: 12", "Answer: 120")],
)
def test_other_values_are_other_results(first: str, second: str) -> None:
    assert result_in(first) != result_in(second)


def test_what_is_no_number_stays_as_it_is() -> None:
    assert result_in("Answer: open") == OPEN
    assert result_in("Answer: Venus.") == "venus"
    assert result_in("I cannot say.") == ""
    assert result_in("Answer: 4/0") == "4/0"


def test_the_datas_own_answer_is_read_alike() -> None:
    assert result_of_answer("4 x 2,50 = 10,00 Euro") == "10"
    assert result_of_answer("It depends on the weather and on the size of the pool, mostly.") == ""


@pytest.mark.parametrize(
    ("response", "result"),
    [
        ("40 - 12 = 28", "28"),
        ("It is the second one.\nAnswer: Venus", "venus"),
        ("Venus", ""),
        ("IDK", ""),
        ("Unknown.", ""),
        ("Answer: unknown", ""),
        ("N/A", ""),
        ("I don't know", ""),
        ("Answer: impossible", ""),
        ("", ""),
    ],
)
def test_a_remark_in_the_place_of_an_answer_is_no_known_result(response: str, result: str) -> None:
    assert known_result(response) == result
