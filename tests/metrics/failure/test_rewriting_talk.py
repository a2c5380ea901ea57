"""Talk about rewriting, in free wording and sixteen languages, and tasks that only sound like it."""

import pytest

from autoevol.experiments.judging.labelled import read_labelled
from autoevol.metrics import Case
from autoevol.metrics.failure.answers import prompt_leak, rewriting_talk
from autoevol.metrics.text.languages.rewriting_talk import REWRITING_TALK
from tests.conftest import REPOSITORY

ROWS = read_labelled(REPOSITORY / "data" / "labelled" / "free_wording.jsonl")


@pytest.mark.parametrize("code", REWRITING_TALK)
def test_talk_is_heard_and_good_rows_are_silent(code: str) -> None:
    rows = [row for row in ROWS if row.lang == code]
    heard = {row.id for row in rows if prompt_leak(row.rewrite) or rewriting_talk(row.rewrite)}
    assert heard == {row.id for row in rows if "prompt_leak" in row.kinds}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "Write a quiz about rivers.",
            "Write a quiz of five questions about rivers, then a harder version of it for adults.",
        ),
        (
            "Compare King Kong with its remake.",
            "Compare Peter Jackson's King Kong with the original version, in two respects: pace and fear.",
        ),
        (
            "Explain why an insert can fail in SQL.",
            "After we added a foreign key constraint, inserts began to fail. Explain three causes: when, why.",
        ),
        (
            "게임을 기획해 주세요.",
            "단계마다 난이도를 조금씩 높여 만들 방법과 보상 체계를 세 가지 조건과 함께 기획해 주세요.",
        ),
        (
            "设计一个数学练习。",
            "设计一个五题的数学练习，后两题要改成更难的题目，并附上答案和评分标准。",
        ),
        (
            "Describe how you learned to cook.",
            "I added more salt than the recipe said. Describe how you learned to cook, with one error.",
        ),
        (
            "Escribe un examen de ocho preguntas sobre ríos.",
            "Escribe un examen de ocho preguntas sobre ríos y una versión más difícil para adultos.",
        ),
        (
            "Schreibe ein Rätsel über Flüsse.",
            "Schreibe ein Rätsel über Flüsse und danach eine schwierigere Fassung für Erwachsene.",
        ),
        (
            "Rédige un exercice de calcul.",
            "Rédige un exercice de calcul, puis une version plus difficile, avec les deux corrigés.",
        ),
        (
            "한강에 대한 퀴즈를 만들어 주세요.",
            "한강에 대한 퀴즈 다섯 개와 어른을 위한 더 어려운 문제 두 개를 정답과 함께 만들어 주세요.",
        ),
        (
            "Wie lautet die ursprüngliche Frage in diesem Brief?",
            "Wie lautet die ursprüngliche Frage in diesem Brief: nenne sie und zwei Antworten darauf.",
        ),
    ],
)
def test_a_task_may_ask_for_a_harder_version(source: str, text: str) -> None:
    assert prompt_leak(Case(source, text)) is None
