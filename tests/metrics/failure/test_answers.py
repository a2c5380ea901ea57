"""Detectors of rewrites that answer, leak the answer or leak the method; look-alikes pass."""

import pytest

from autoevol.metrics import Case
from autoevol.metrics.failure.answers import answered, leaked_answer, missing_question, prompt_leak
from tests.support.rules_broken import HARDER, SOURCE


def evolved(text: str, source: str = SOURCE) -> Case:
    return Case(source, text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("#Rewritten Prompt#: " + HARDER, id="header"),
        pytest.param("Here is the harder instruction: " + HARDER, id="talks about it"),
        pytest.param("Step 1: #Methods List#: make it longer", id="plan"),
        pytest.param(HARDER + " Do not answer the instruction.", id="order of the method"),
        pytest.param("Make this instruction harder; do not answer it.", id="the request"),
        pytest.param("더 어려운 지시문: 나무에 대해 설명해 주세요.", id="Korean"),
        pytest.param(HARDER + " This question requires careful thought.", id="about itself"),
        pytest.param(
            "평균을 구하세요. 이 문제는 두 값을 견주는 것이 중요합니다.", id="Korean, about itself"
        ),
    ],
)
def test_prompt_leak(text: str) -> None:
    assert prompt_leak(evolved(text))


def test_a_run_of_words_from_the_method_is_a_leak_unless_the_source_has_it() -> None:
    method = "rank them by litres saved per week, and state one drawback of each."
    leaked = SOURCE + " " + method
    assert prompt_leak(Case(SOURCE, leaked, method=method))
    assert prompt_leak(Case(leaked, leaked + " Then explain why.", method=method)) is None


@pytest.mark.parametrize(
    "source",
    ["Explain what a rewritten prompt is.", "Explain how to write a good prompt for a model."],
)
def test_an_instruction_about_prompts_may_speak_of_prompts(source: str) -> None:
    text = source + " Compare a vague prompt with a rewritten prompt."
    assert prompt_leak(evolved(text, source)) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param(SOURCE, "You need to look at the brakes and tyres.", id="statement"),
        pytest.param("Write a function.", "def f(x):\n    return x", id="code"),
        pytest.param(
            "Why is this empty?\n\nSELECT name FROM t WHERE x = NULL;",
            "SELECT name FROM t WHERE x IS NULL;",
            id="a query",
        ),
        pytest.param("Write a function.", "```python\nprint(1)\n```", id="fence"),
        pytest.param(SOURCE, "Sure! List five things to check.", id="preamble"),
        pytest.param("무엇인가요?", "이진 탐색은 데이터를 찾는 방법입니다.", id="Korean statement"),
        pytest.param(
            "What should I say about my weaknesses?",
            "When asked about weaknesses, you should explain them as strengths.",
            id="advice",
        ),
        pytest.param(
            "What is inflation?",
            "Inflation is a rise in prices, which lowers the value of money.",
            id="relative clause",
        ),
        pytest.param(
            "Complete the story: When the door opened, there was a beach.",
            "When the door opened, there was a beach. The sun was shining, and the birds sang.",
            id="story told",
        ),
        pytest.param(
            "How do I make tea?", "1. Boil water.\n2. Add leaves.\n3. Wait.\n4. Pour.", id="list"
        ),
    ],
)
def test_answered(source: str, text: str) -> None:
    assert answered(evolved(text, source))


def test_the_known_response_is_an_answer() -> None:
    answer = "A prime number has exactly two divisors, write that down."
    assert answered(Case("What is a prime number?", answer, expected=answer))
    assert answered(Case("What is a prime number?", answer)) is None


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
        pytest.param(
            "Write a shop page.",
            "Write a shop page that:\n1. lists goods\n2. has a cart\n3. shows prices",
            id="list of requirements",
        ),
        pytest.param(
            "Photosynthesis.", "Photosynthesis in plants at night.", id="asks nothing before"
        ),
    ],
)
def test_a_text_that_asks_is_no_answer(source: str, text: str) -> None:
    assert answered(evolved(text, source)) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("Four pens cost 5 euros. How much?", "Seven? 7 * 5 = 35.", id="calculated"),
        pytest.param("What is 12 times 9?", "What is 12 times 9? Hint: over 100.", id="hint"),
        pytest.param(
            "A car drives 150 km in 2 hours. What is its speed?",
            "A car drives 150 km in 2 hours. Find its speed by dividing the distance by the time.",
            id="the way to it",
        ),
        pytest.param(
            "A shirt of 40 euros is reduced by 25 %. What is the new price?",
            "A shirt of 40 euros is reduced by 25 %. The new price is 30 euros. Is that fair?",
            id="the thing asked for is told",
        ),
        pytest.param(
            "Sort by length: plum, fig, banana.", "Sort by length: fig, plum, banana.", id="sorted"
        ),
        pytest.param(
            "작은 것부터 쓰세요: 9, 4, 7", "작은 것부터 쓰고 더하세요: 4, 7, 9", id="Korean, sorted"
        ),
        pytest.param(
            "Write a function that doubles.",
            "Write a function that doubles and rejects None.\n\ndef double(x):\n    return 2 * x",
            id="code beside the request",
        ),
        pytest.param(
            "바이러스와 세균의 차이는 무엇인가요?",
            "바이러스와 세균의 차이는 무엇인가요? "
            "바이러스는 세포가 없고 세균은 세포가 있으며 스스로 자랄 수 있습니다.",
            id="explained after the question",
        ),
        pytest.param(
            "밑변이 3cm, 높이가 4cm인 삼각형의 넓이를 구하세요.",
            "밑변이 3cm, 높이가 4cm인 삼각형의 넓이를 구하세요. 넓이를 구하기 위해 밑변과 높이를 "
            "이용하여 계산합니다.",
            id="Korean, the way to it",
        ),
    ],
)
def test_leaked_answer(source: str, text: str) -> None:
    assert leaked_answer(evolved(text, source))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("Solve 3x + 7 = 25.", "Solve 3x + 7 = 25 and 2y - x = 10.", id="equations"),
        pytest.param(
            "Sort by length: plum, fig.",
            "Sort by length, then by letter: plum, fig, kiwi.",
            id="longer list",
        ),
        pytest.param(
            "Write a function that sorts.",
            "The following function should sort; find why not.\n```\ndef f(a):\n    return a\n```",
            id="code that is given",
        ),
        pytest.param(
            "What is the new price?",
            "What is the new price, and what is the price per day?",
            id="two questions",
        ),
        pytest.param(
            "How do locks work?",
            "How do locks work? The answer should compare two kinds and stay under 100 words.",
            id="a requirement after the question",
        ),
    ],
)
def test_a_rewrite_without_a_leak(source: str, text: str) -> None:
    assert leaked_answer(evolved(text, source)) is None


def test_a_question_without_an_unknown() -> None:
    source = "사과 35개를 5개씩 담으면 봉지는 몇 개입니까?"
    assert missing_question(evolved("사과 35개를 5개씩 담으면 봉지는 7개입니까?", source))
    assert missing_question(evolved("사과 40개를 5개씩 담으면 봉지는 몇 개입니까?", source)) is None
