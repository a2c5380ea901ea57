"""Detectors of form and of language drift."""

import pytest

from autoevol.metrics import Case
from autoevol.metrics.failure.drift import language_drift
from autoevol.metrics.failure.form import (
    bloated,
    empty,
    field_residue,
    garbled,
    malformed_code,
    repeated,
    truncated,
    unparsed,
)
from autoevol.metrics.text.scripts import latin_language
from tests.support.rules_broken import HARDER, SOURCE


def evolved(text: str, source: str = SOURCE) -> Case:
    return Case(source, text)


def test_unparsed_needs_a_missing_text() -> None:
    assert unparsed(Case(SOURCE, None, raw="garbage")) == "reply: 'garbage'"
    assert unparsed(evolved(HARDER)) is None


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_empty(text: str) -> None:
    assert empty(evolved(text))
    assert empty(Case(SOURCE, HARDER, response=text))
    assert empty(Case(SOURCE, HARDER, response="An answer.")) is None


def test_truncated_names_the_limit() -> None:
    assert truncated(Case(SOURCE, HARDER, truncated=True, tokens_out=160)) == "cut at 160 tokens"
    assert truncated(evolved(HARDER)) is None


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        pytest.param("List five things to check, and explain how the", True, id="article"),
        pytest.param("List five things to check, one tool for each,", True, id="comma"),
        pytest.param("확인할 점을 적고, 비용이 큰 순서로 나열한 뒤, 도구를", True, id="particle"),
        pytest.param("List five things " + "to check and repair " * 20, True, id="long, no end"),
        pytest.param("List five things to check and one tool for each", False, id="no full stop"),
        pytest.param("Explain what the list is made of", True, id="preposition"),
        pytest.param("확인할 점 다섯 가지와 도구 하나씩 적어 줘", False, id="Korean, no full stop"),
    ],
)
def test_a_rewrite_that_visibly_stops_is_truncated(text: str, stops: bool) -> None:
    assert bool(truncated(evolved(text))) == stops


def test_a_response_is_truncated_by_its_finish_reason_alone() -> None:
    assert truncated(Case(SOURCE, HARDER, response="First, look at the")) is None
    assert truncated(Case(SOURCE, HARDER, response="First, look at the", truncated=True))


def test_an_unclosed_fence_is_malformed_in_a_rewrite() -> None:
    assert malformed_code(evolved("Fix this:\n```python\nprint(1)"))
    assert malformed_code(evolved("Fix this:\n```python\nprint(1)\n```")) is None


@pytest.mark.parametrize(
    "residue",
    ["[[ ## completed ## ]]", "[[ ## evolved_instruction ## ]]", "{instruction}", "<|im_end|>"],
)
def test_field_residue(residue: str) -> None:
    assert field_residue(evolved(f"{HARDER} {residue}"))
    assert field_residue(evolved(f"{HARDER} {residue}", f"Explain {residue}.")) is None


def test_garbled_needs_a_clean_source() -> None:
    assert garbled(evolved("tides \ufffd"))
    assert garbled(evolved("tides \ufffd", "What is \ufffd?")) is None


@pytest.mark.parametrize(
    ("source", "text", "drifts"),
    [
        pytest.param(SOURCE, "자전거를 살 때 확인할 점을 모두 적어 주세요.", True, id="to Korean"),
        pytest.param(
            "차이를 설명해 주세요.", "Explain the difference in depth.", True, id="to English"
        ),
        pytest.param(
            "차이를 설명해 주세요.", "차이와 사용场景을 설명해 주세요.", True, id="stray Chinese"
        ),
        pytest.param(
            "두 근을 구하시오.", "두 근을 구하고 what 뜻인지 설명하시오.", True, id="function word"
        ),
        pytest.param(
            "Describe a good breakfast.",
            "Describe un buen desayuno para una familia y explica por qué es saludable.",
            True,
            id="to Spanish",
        ),
        pytest.param(
            "조언을 해 주세요.",
            "조언을 해 주세요. Then compare the two kinds of advice with examples.",
            True,
            id="an English sentence",
        ),
        pytest.param(
            "파이썬에서 리스트를 설명해 주세요.",
            "파이썬에서 list와 tuple의 차이를 설명해 주세요.",
            False,
            id="names in Korean",
        ),
        pytest.param(
            'Translate "good day" to Korean.',
            "좋은 날을 번역하고 설명해 주세요.",
            False,
            id="translation",
        ),
        pytest.param("Sort: b, a.", "Sort in descending order: b, a.", False, id="short English"),
    ],
)
def test_language_drift(source: str, text: str, drifts: bool) -> None:
    assert bool(language_drift(evolved(text, source))) == drifts


def test_a_formula_is_in_no_language() -> None:
    prompt = "가로가 12cm인 정사각형의 넓이를 구하시오."
    assert language_drift(Case(prompt, prompt, response="12cm * 12cm = 144cm²")) is None
    assert language_drift(Case(prompt, prompt, response="The area of the square is 144."))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Write a haiku about the rain in spring.", "en"),
        ("Escribe una función que invierta una cadena de texto.", "es"),
        ("Écris une fonction qui inverse une chaîne de caractères.", "fr"),
        ("Print hello", None),
    ],
)
def test_latin_language(text: str, language: str | None) -> None:
    assert latin_language(text) == language


def test_repeated_counts_runs_of_six_words() -> None:
    loop = "and then you go back to the start "
    assert repeated(evolved("Walk on " + loop * 3))
    assert repeated(evolved("Walk on " + loop)) is None


@pytest.mark.parametrize(
    "response",
    [
        pytest.param("김치를 썰어 넣습니다.\n" * 8, id="the same line"),
        pytest.param(
            "\n".join(f"{i}. 물을 끓여 둡니다." for i in range(9)), id="a list of one item"
        ),
        pytest.param("haha" * 3 + "a" * 30, id="one character"),
        pytest.param("바람, " * 3 + "풍, 바람, " * 20, id="a list that loops"),
    ],
)
def test_a_response_that_loops(response: str) -> None:
    assert repeated(Case(SOURCE, HARDER, response=response))


@pytest.mark.parametrize(
    "response",
    [
        pytest.param("You can use it at home. You can use it at work.", id="two alike"),
        pytest.param("```\nprint(1)\nprint(1)\nprint(1)\nprint(1)\n```", id="code"),
        pytest.param("-----------------------------------------", id="a rule"),
    ],
)
def test_justified_repetition_is_no_loop(response: str) -> None:
    assert repeated(Case(SOURCE, HARDER, response=response)) is None


def test_bloated_takes_its_budget_from_the_source() -> None:
    short = "List five tips."
    assert bloated(evolved("word " * 200, short))
    assert bloated(evolved("word " * 100, short)) is None
    assert bloated(evolved("word " * 100, short), times=2, spare_words=20)


def test_a_worked_solution_may_repeat_what_its_prompt_says() -> None:
    prompt = "A printer needs 10 minutes. How long will it take to print the next 35 pages?"
    leads = ("First,", "So we want", "That is what it takes", "Divide", "Therefore the time")
    solution = "".join(f"{lead} to print the next 35 pages.\n" for lead in leads)
    assert repeated(Case(SOURCE, prompt, solution)) is None
    assert repeated(Case(SOURCE, prompt, "to print the next 35 pages " * 20))
