"""Rows against benchmark texts: which hit, with what, and which do not."""

import pytest

from autoevol.metrics.selection.contamination import Benchmark, Contamination, Hit

QUESTION = "Janet has 3 ducks, and each of them lays 16 eggs per day at the farm."
SHORT = "Sort a list of strings by length."
TINY = "What is 2+2?"


def hits_of(row: str, *texts: str, size: int = 8) -> list[Hit]:
    return list(Benchmark(texts, size=size).contamination([row]).hits)


def test_a_shared_run_of_words_is_the_evidence() -> None:
    row = "Now suppose JANET has 3 ducks; and each of them swims."
    assert hits_of(row, "another", QUESTION) == [Hit(0, "janet has 3 ducks and each of them", (1,))]


@pytest.mark.parametrize(
    ("row", "size", "hits"),
    [
        pytest.param("Janet has 3 ducks and each of us", 8, False, id="seven words are no run"),
        pytest.param(QUESTION[:-14], 13, False, id="twelve words of thirteen"),
        pytest.param(f"So {QUESTION}", 13, True, id="thirteen"),
        pytest.param("", 8, False, id="empty row"),
        pytest.param("has 3 ducks and each", 5, True, id="the shortest run there is"),
    ],
)
def test_a_run_has_all_its_words(row: str, size: int, hits: bool) -> None:
    assert bool(hits_of(row, QUESTION, size=size)) is hits


@pytest.mark.parametrize(
    ("row", "text", "hits"),
    [
        pytest.param(f"{SHORT} Then reverse it.", SHORT, True, id="a short text inside a row"),
        pytest.param("Sort a list of strings", SHORT, False, id="a part of a short text"),
        pytest.param("what is 2 2", TINY, True, id="a tiny text as the whole row"),
        pytest.param(f"{TINY} And what is 5+5?", TINY, False, id="a tiny text inside a row"),
        pytest.param("Sort it", f"{SHORT} Sort it well, please.", False, id="a tiny row"),
        pytest.param("???", "!!!", False, id="no words on either side"),
        pytest.param("다섯 낱말로 된 짧은 문장을 써라", "된 짧은 문장을 써라", False, id="four"),
        pytest.param(
            "다섯 낱말로 된 짧은 문장을 써라", "낱말로 된 짧은 문장을 써라.", True, id="five"
        ),
    ],
)
def test_texts_shorter_than_a_run(row: str, text: str, hits: bool) -> None:
    assert bool(hits_of(row, text, size=13)) is hits


def test_every_text_that_shares_a_run_is_named_once() -> None:
    twin = f"{QUESTION} How many eggs?"
    assert hits_of(f"{SHORT} {QUESTION}", SHORT, twin, "no", QUESTION)[0].texts == (0, 1, 3)


def test_shares_of_rows_and_of_the_benchmark() -> None:
    seen = Benchmark([QUESTION, SHORT], size=8).contamination([QUESTION, "clean", QUESTION, "ok"])
    assert seen.rate is not None
    assert seen.covered is not None
    assert (seen.rate.value, seen.covered.value) == (0.5, 0.5)
    assert [hit.row for hit in seen.hits] == [0, 2]


def test_nothing_to_compare_is_no_share() -> None:
    assert Benchmark([], size=8).contamination([]) == Contamination((), 0, 0)
    assert Contamination((), 0, 0).rate is None
    assert Contamination((), 0, 0).covered is None


def test_a_run_is_long_enough_to_prove_something() -> None:
    with pytest.raises(ValueError, match="got 4"):
        Benchmark([QUESTION], size=4)


@pytest.mark.parametrize(
    "text",
    [
        "北京的面积是多少平方公里呢请给出数字",
        "東京の面積は何平方キロメートルですか",
        "กรุงเทพมหานครมีพื้นที่กี่ตารางกิโลเมตร",
    ],
)
def test_in_a_script_without_spaces_a_character_is_a_word(text: str) -> None:
    benchmark = Benchmark([text], size=13)
    copied, other, short = f"问：{text}谢谢", f"{text[:6]}，{text[7:17]}", text[:5]
    assert [hit.row for hit in benchmark.contamination([copied, other, short]).hits] == [0]
