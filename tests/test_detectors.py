"""The structural detectors, case by case; look-alikes must pass."""

import pytest

from metrics import Case, broken, compose
from metrics.detectors import (
    answered,
    asks_for_input,
    empty,
    field_residue,
    language_drift,
    lost_details,
    prompt_leak,
    refusal,
    repeated,
    truncated,
    unchanged,
    unparsed,
)

SOURCE = "List five things to check before buying a used bicycle."
HARDER = (
    "List five things to check before buying a used bicycle, rank them by cost of repair, "
    "and name one tool for each check."
)


def evolved(text: str, source: str = SOURCE) -> Case:
    return Case(source, text)


def test_a_sound_rewrite_breaks_no_strict_rule() -> None:
    assert broken(compose(["strict"], "evolve"), evolved(HARDER)) == ()


def test_unparsed_needs_a_missing_text() -> None:
    assert unparsed(Case(SOURCE, None, raw="garbage")) == "reply: 'garbage'"
    assert unparsed(evolved(HARDER)) is None


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_empty(text: str) -> None:
    assert empty(evolved(text))
    assert empty(Case(SOURCE, HARDER, response=text))
    assert empty(Case(SOURCE, HARDER, response="An answer.")) is None


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
        pytest.param(SOURCE, HARDER, False, id="harder"),
    ],
)
def test_unchanged(source: str, text: str, is_flagged: bool) -> None:
    assert bool(unchanged(evolved(text, source))) == is_flagged


def test_truncated_names_the_limit() -> None:
    assert truncated(Case(SOURCE, HARDER, truncated=True, tokens_out=160)) == "cut at 160 tokens"
    assert truncated(evolved(HARDER)) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("#Rewritten Prompt#: " + HARDER, id="header"),
        pytest.param("Here is the harder instruction: " + HARDER, id="talks about it"),
        pytest.param("Step 1: #Methods List#: make it longer", id="plan"),
        pytest.param(HARDER + " Do not answer the instruction.", id="order of the method"),
        pytest.param("주어진 지시문을 더 어렵게 바꾸세요.", id="Korean"),
    ],
)
def test_prompt_leak(text: str) -> None:
    assert prompt_leak(evolved(text))


def test_a_run_of_words_from_the_method_is_a_leak_unless_the_source_has_it() -> None:
    method = "rank them by litres saved per week, and state one drawback of each."
    leaked = SOURCE + " " + method
    assert prompt_leak(Case(SOURCE, leaked, method=method))
    assert prompt_leak(Case(leaked, leaked + " Then explain why.", method=method)) is None


def test_an_instruction_about_prompts_may_speak_of_prompts() -> None:
    source = "Explain what a rewritten prompt is."
    assert prompt_leak(evolved(source + " Compare two examples of one.", source)) is None


@pytest.mark.parametrize(
    "residue", ["[[ ## completed ## ]]", "[[ ## evolved_instruction ## ]]", "{evolved_instruction}"]
)
def test_field_residue(residue: str) -> None:
    assert field_residue(evolved(f"{HARDER} {residue}"))
    assert field_residue(evolved(f"{HARDER} {residue}", f"Explain {residue}.")) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param(SOURCE, "You need to look at the brakes and tyres.", id="statement"),
        pytest.param("Four pens cost 5 euros. How much?", "Seven cost 7 * 5 = 35.", id="solved"),
        pytest.param("Write a function.", "def f(x):\n    return x", id="code"),
        pytest.param("Write a function.", "```python\nprint(1)\n```", id="fence"),
        pytest.param(SOURCE, "Sure! List five things to check.", id="preamble"),
        pytest.param("무엇인가요?", "이진 탐색은 데이터를 찾는 방법입니다.", id="Korean statement"),
        pytest.param(
            "What should I say about my weaknesses?",
            "When asked about weaknesses, you should explain them as strengths.",
            id="advice",
        ),
    ],
)
def test_answered(source: str, text: str) -> None:
    assert answered(evolved(text, source))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("Why do cats purr?", "Why do cats purr, and who hears it?", id="question"),
        pytest.param(
            "Fix this code: def f(x): pass",
            "Fix this code and add a test: def f(x): pass",
            id="code in the source",
        ),
        pytest.param("Solve x = 3 + y.", "Solve x = 3 + y and 2 = 2y for x.", id="equation"),
        pytest.param(
            "물을 아끼는 법은?", "물을 아끼는 방법을 세 가지 적어 주세요.", id="Korean request"
        ),
        pytest.param(
            "코드를 작성해 주세요.",
            "코드를 작성하되, 큰 파일도 효율적으로 처리하여야 합니다.",
            id="Korean requirement",
        ),
        pytest.param("¿Qué es?", "Please explain in Spanish what this is.", id="please"),
    ],
)
def test_what_asks_is_not_an_answer(source: str, text: str) -> None:
    assert answered(evolved(text, source)) is None


def test_lost_details_names_what_is_missing() -> None:
    source = 'Tom pays 1,200 euros and says "see you".'
    assert lost_details(evolved("Tom pays 1200 euros. What now?", source)) == "missing: see you"
    assert lost_details(evolved('Tom says "See you!" How much?', source)) == "missing: 1200"
    assert lost_details(evolved('Tom pays 1200 and says "see you". Why?', source)) is None


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't do that.",
        "As an AI model, I have no pets.",
        "죄송합니다만 어렵습니다.",
    ],
)
def test_refusal(text: str) -> None:
    assert refusal(evolved(text))
    assert refusal(Case(SOURCE, HARDER, response=text))


def test_an_apology_that_is_asked_for_is_no_refusal() -> None:
    assert refusal(evolved("Write a letter that says I'm sorry for being late.")) is None


def test_asks_for_input() -> None:
    assert asks_for_input(Case(SOURCE, HARDER, response="Please provide the list of things."))
    assert asks_for_input(Case(SOURCE, HARDER, response="Check the brakes first.")) is None


@pytest.mark.parametrize(
    ("source", "text", "is_flagged"),
    [
        pytest.param(
            SOURCE, "자전거를 살 때 확인할 점을 적어 주세요.", True, id="English to Korean"
        ),
        pytest.param(
            "차이를 설명해 주세요.",
            "Explain the difference in depth.",
            True,
            id="Korean to English",
        ),
        pytest.param(
            "차이를 설명해 주세요.", "차이와 사용场景을 설명해 주세요.", True, id="stray Chinese"
        ),
        pytest.param(
            "파이썬에서 리스트를 설명해 주세요.",
            "파이썬에서 list와 tuple의 차이를 설명해 주세요.",
            False,
            id="Latin names in Korean",
        ),
        pytest.param(
            'Translate "good day" to Korean.',
            "좋은 날을 번역하고 설명해 주세요.",
            False,
            id="translation",
        ),
    ],
)
def test_language_drift(source: str, text: str, is_flagged: bool) -> None:
    assert bool(language_drift(evolved(text, source))) == is_flagged


def test_repeated_counts_runs_of_six_words() -> None:
    loop = "and then you go back to the start "
    assert repeated(evolved("Walk on " + loop * 3))
    assert repeated(evolved("Walk on " + loop * 2)) is None


def test_the_order_of_rows_does_not_change_a_verdict() -> None:
    cases = [evolved(HARDER), evolved(SOURCE), evolved("Check the brakes.")]
    rules = compose(["strict"], "evolve")
    forward = [broken(rules, case) for case in cases]
    assert [broken(rules, case) for case in reversed(cases)] == forward[::-1]
