"""Detectors of rewrites that lost content of their source."""

import pytest

from autoevol.metrics import Case
from autoevol.metrics.failure.lost_content import changed_task, lost_details, lost_material, shrunk
from tests.support.rules_broken import HARDER, SOURCE, rules_broken


def evolved(text: str, source: str = SOURCE) -> Case:
    return Case(source, text)


def test_shrunk_has_lost_content() -> None:
    assert shrunk(evolved("List a bicycle."))
    assert shrunk(evolved(HARDER)) is None


def test_changed_task_keeps_hardly_any_word() -> None:
    assert changed_task(evolved("Explain how to repair an old car in winter."))
    assert changed_task(evolved(HARDER)) is None


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Tom pays 1200 euros with `pay_now()`. What now?", "see you"),
        ('Tom says "See you!" and runs `pay_now()`. How much?', "1200"),
        ('Tom pays 1200 and says "see you". Why?', "pay_now"),
        ('Tom pays 1,200 and says "see you" by `pay_now_async()`. Why?', None),
    ],
)
def test_lost_details_names_what_is_missing(text: str, missing: str | None) -> None:
    source = 'Tom pays 1,200 euros with `pay_now()` and says "see you".'
    evidence = lost_details(evolved(text, source))
    assert evidence is None if missing is None else missing in str(evidence)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("Name 3 trees.", "Name 5 trees that lose their leaves.", id="a larger count"),
        pytest.param("Tom eats 12 plums.", "Tom eats a dozen plums and two pears.", id="a word"),
        pytest.param("Tom eats 2 plums.", "Tom eats two plums a day.", id="spelled out"),
    ],
)
def test_a_number_that_is_still_there_in_another_form(source: str, text: str) -> None:
    assert lost_details(evolved(text, source)) is None


def test_lost_material() -> None:
    source = "Summarise this text.\n\nThe ferry was late because of fog. The passengers got tea."
    assert lost_material(evolved("Summarise this text in one sentence.", source))
    kept = "Summarise this text in one sentence. " + source.split("\n\n")[1]
    assert lost_material(evolved(kept, source)) is None


@pytest.mark.parametrize(
    ("kind", "flagged"), [("depth", True), ("breadth", False), ("down", False)]
)
def test_the_kind_of_the_method_selects_the_rules(kind: str, flagged: bool) -> None:
    easier = rules_broken(
        SOURCE, "List a thing to check before buying a bicycle.", method_kind=kind
    )
    assert bool({"shrunk", "reworded"} & set(easier)) == flagged


def test_a_new_task_of_the_domain_is_what_breadth_wants() -> None:
    other = "Explain how to choose a helmet that fits a child."
    assert changed_task(evolved(other, SOURCE))
    assert rules_broken(SOURCE, other, method_kind="breadth") == []


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "Un tren recorre 240 km en 3 horas. ¿Cuál es su velocidad media?",
            "Un tren tarda tres horas en hacer 240 kilómetros. ¿Y cuánto en hacer la mitad?",
        ),
        (
            "Drei Freunde teilen 12 Äpfel. Wie viele bekommt jeder?",
            "Zwölf Äpfel liegen im Korb, zwei sind faul. Was bleibt, wenn drei Freunde teilen?",
        ),
        (
            "В коробке 5 красных и 3 синих шара. Сколько всего шаров?",
            "В коробке пять красных и три синих шара, в другой вдвое больше. Сколько в двух?",
        ),
        (
            "1冊120円のノートを5冊買いました。代金はいくらですか。",
            "単価120円の帳面を五つ求め、千円札で支払いました。代金と釣り銭をそれぞれ答えてください。",
        ),
        (
            "一盒有12支铅笔，3盒一共有多少支？",
            "三盒铅笔，每盒十二支，先送出七支，余下的平均分给两位同学，每人几支？",
        ),
        (
            "في الصندوق 3 كتب و5 أقلام. كم شيئا فيه؟",
            "صندوق فيه ثلاثة كتب وخمسة أقلام، وضعت فيه مسطرتان ثم أخذ منه قلم. كم شيئا بقي فيه؟",
        ),
        (
            "W pudełku jest 12 kredek. Ile kredek jest w 3 pudełkach?",
            "W trzech pudełkach jest po dwanaście kredek, dziewięć zgubiono. Ile zostało?",
        ),
    ],
)
def test_a_number_in_words_is_not_lost(source: str, text: str) -> None:
    assert lost_details(Case(source, text)) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "Un tren recorre 240 km en 3 horas. ¿Cuál es su velocidad media?",
            "Un tren recorre 240 kilómetros. ¿Cuál es su velocidad media?",
        ),
        ("一盒有12支铅笔，3盒一共有多少支？", "一盒有12支铅笔，请问一共有多少支？"),
    ],
)
def test_a_number_that_is_in_no_words_is_lost(source: str, text: str) -> None:
    assert lost_details(Case(source, text))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "Answer the following question: What is the capital of France?",
            "Which city has been the seat of the French government, and what are two landmarks?",
        ),
        (
            "Task: Describe the structure of an atom.",
            "Draw up a one-page note on protons, neutrons and electrons, with one analogy.",
        ),
        (
            "You are a travel guide.\n\nTell me what to see in Rome.",
            "Suggest a two-day itinerary for the Eternal City with a lesser known church a day.",
        ),
        (
            "다음 질문에 답하세요: 프랑스의 수도는 어디인가요?",
            "정부가 있는 도시를 말하고, 그곳의 명소 두 곳을 소개해 주세요.",
        ),
    ],
)
def test_a_request_after_a_lead_is_no_material(source: str, text: str) -> None:
    assert lost_material(Case(source, text)) is None


def test_a_question_to_be_translated_is_material() -> None:
    assert lost_material(evolved("Translate it politely.", "Translate: Where is the old station?"))


def test_a_mark_of_inches_is_no_quotation_mark() -> None:
    source = 'Describe a shelf that is 30" wide and 20" deep.'
    text = "Design a shelf, 30 inches in width and 20 inches in depth, and list the boards to saw."
    assert lost_details(Case(source, text)) is None
