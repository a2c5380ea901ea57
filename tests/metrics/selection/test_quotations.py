"""What a text quotes of the rows of a set, and what is common to many."""

import pytest

from autoevol.metrics.selection.quotations import Quotations, runs_of

TRAIN = "Our grey parrot repeats each word of the evening news in a deep voice."
DEV = "How many litres of paint does a wall of twelve square metres need twice over?"
KOREAN = "서울에서 부산까지 기차로 가면 몇 시간이 걸리는지 알려 주고 요금도 함께 적어 주세요."
CHINESE = "请用三句话说明为什么夏天的白天比冬天的白天更长"
THAI = "ช่วยอธิบายว่าทำไมท้องฟ้าจึงเป็นสีฟ้าในเวลากลางวัน"
SHORT = "Name three rivers in Europe."


def index(common: str = "", **more: list[str]) -> Quotations:
    sets = {"train": [TRAIN], "dev": [DEV, KOREAN, CHINESE, THAI, SHORT], **more}
    return Quotations({name: [[t] for t in texts] for name, texts in sets.items()}, common=common)


@pytest.mark.parametrize(
    ("text", "set_name"),
    [
        pytest.param(f"Be strict. {DEV}", "dev", id="a whole row"),
        pytest.param(
            "Sum up how MANY litres of paint, does a wall of twelve...", "dev", id="eight words"
        ),
        pytest.param("It repeats each word of the evening news in a voice.", "train", id="train"),
        pytest.param(f"Answer {SHORT}", "dev", id="a short row as a whole"),
        pytest.param(f"예를 들어 {KOREAN}", "dev", id="Korean"),
        pytest.param("例如：说明为什么夏天的白天比冬天的白天更长。", "dev", id="Chinese"),
        pytest.param("เช่น ทำไมท้องฟ้าจึงเป็นสีฟ้าในเวลากลางวัน", "dev", id="Thai"),
    ],
)
def test_a_quotation_names_its_set_and_its_words(text: str, set_name: str) -> None:
    quotation = index().find(text)
    assert quotation is not None
    assert quotation.set_name == set_name
    assert str(quotation).startswith(f"quotes a row of {set_name}: '")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Ask how many litres of paint does the wall need.", id="seven words"),
        pytest.param("Name three rivers.", id="a part of a short row"),
        pytest.param("夏天的白天比冬天更长", id="few characters"),
        pytest.param("Sort each ticket by the first noun that it holds.", id="its own words"),
        pytest.param("", id="nothing"),
    ],
)
def test_no_quotation(text: str) -> None:
    assert index().find(text) is None


def test_a_run_of_many_rows_or_of_the_common_text_is_no_quotation() -> None:
    template = "Sort the following customer ticket into exactly one category"
    rows = [f"{template}: number {i}" for i in range(4)]
    assert index(fresh=rows).find(f"{template}.") is None
    assert index(fresh=rows[:3]).find(f"{template}.") is not None
    assert index(common=f"Orders. {DEV}").find(DEV) is None


def test_a_row_that_repeats_a_run_is_one_row() -> None:
    text = "this is one run of eight words indeed "
    assert index(fresh=[text * 5]).find(text) is not None


def test_a_demonstration_may_hold_train_rows_and_no_others() -> None:
    quotations = index()
    assert quotations.find_hidden(TRAIN, allowed="train") is None
    hidden = quotations.find_hidden(f"Now: {DEV}", allowed="train")
    assert hidden is not None
    assert hidden.set_name == "dev"


def test_words_that_train_and_dev_share_are_allowed_unless_they_are_a_whole_row() -> None:
    quotations = index(train=[TRAIN, DEV])
    assert quotations.find_hidden(f"Now: {DEV}", allowed="train") is None
    hidden = quotations.find_hidden(DEV.upper(), allowed="train")
    assert hidden is not None
    assert hidden.set_name == "dev"


def test_runs_measure_characters_as_half_words() -> None:
    assert runs_of("a b c", 2) == ["a b", "b c"]
    assert runs_of("甲乙丙", 1) == ["甲 乙", "乙 丙"]
    assert runs_of("a 甲乙", 2) == ["a 甲 乙"]
    assert runs_of("a b", 3) == []
