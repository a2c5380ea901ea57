"""Responses that lack something, and look-alikes that do not."""

import pytest

from autoevol.metrics.quality.responses import KINDS, cut_off, response_quality, shortfall

ESSAY = "Write an essay about rivers."
LONG = "Rivers shape the land as they carry sand and stones from the hills to the sea. " * 4


@pytest.mark.parametrize(
    ("instruction", "response", "kind"),
    [
        pytest.param(ESSAY, " \n", "empty", id="white space"),
        pytest.param(ESSAY, "Sure! I'll write an essay about rivers.", "empty promise", id="will"),
        pytest.param(ESSAY, "Here is an essay about rivers:", "empty promise", id="here is"),
        pytest.param(
            ESSAY, "Let me explain that in the essay below.", "empty promise", id="let me"
        ),
        pytest.param("강에 대해 써라.", "네, 강에 대해 써 드리겠습니다.", "empty promise", id="ko"),
        pytest.param(
            "강에 대해 써라.", "다음은 강에 대한 글입니다:", "empty promise", id="ko colon"
        ),
        pytest.param(ESSAY, f"{LONG}The most", "cut off", id="in a sentence"),
        pytest.param(ESSAY, f"{LONG} The parts are:", "cut off", id="at a colon"),
        pytest.param("Write a loop.", "```python\nfor x in y:\n", "cut off", id="open fence"),
        pytest.param(ESSAY, "Rivers are long and wet.", "too short", id="an essay of five words"),
        pytest.param("Write 200 words on tea.", LONG, "too short", id="60 words of 200"),
        pytest.param("Write a 100-150 word text.", "Tea is hot.", "too short", id="a range"),
        pytest.param("차에 대해 300자로 써라.", "차는 뜨겁다.", "too short", id="Korean letters"),
        pytest.param("보고서를 작성해 주세요.", "보고서입니다.", "too short", id="Korean report"),
    ],
)
def test_what_a_response_lacks(instruction: str, response: str, kind: str) -> None:
    lacking = shortfall(instruction, response)
    assert lacking is not None
    assert lacking.kind == kind
    assert lacking.evidence


@pytest.mark.parametrize(
    ("instruction", "response"),
    [
        pytest.param(ESSAY, LONG, id="an essay"),
        pytest.param("What is 6 x 7?", "42", id="a number"),
        pytest.param("What is 6 x 7?", "Here is the answer: 42", id="a promise that is kept"),
        pytest.param("Write a short story.", "For sale: baby shoes, never worn.", id="short"),
        pytest.param("Explain tea in at most 50 words.", "It is hot leaf juice.", id="at most"),
        pytest.param("A 100 m race: who won?", "Ann.", id="a number that counts no words"),
        pytest.param("Write 20 words on tea.", "Tea is hot, and it is good too.", id="8 of 20"),
        pytest.param(
            "차를 60자로 써라.", "차는 뜨겁고 쓰고 달고 맑고 좋고 늘 새롭다.", id="8 of 60 letters"
        ),
        pytest.param("차를 50자 이내로 설명하라.", "뜨거운 음료다.", id="Korean at most"),
        pytest.param("Make a detailed class.", "```python\nclass A:\n    x = 1\n```", id="code"),
        pytest.param("Write a letter.", f"{LONG}\n\nKind regards\nMara Lind", id="a signature"),
        pytest.param("A. volt B. ampere?", "A", id="a choice"),
        pytest.param("연필 40자루를 나누면?", "8", id="forty pencils are no letters"),
        pytest.param("Liste les fleuves.", "Der Rhein, die Rhône.", id="another language"),
    ],
)
def test_what_lacks_nothing(instruction: str, response: str) -> None:
    assert shortfall(instruction, response, target_share=0.4, long_words=60) is None


def test_code_may_end_without_a_full_stop() -> None:
    code = "\n".join(f"def f{n}(x):\n    return x + {n}" for n in range(40))
    assert cut_off(code) is None
    assert cut_off(f"```python\n{code}\n```") is None


def test_counts_of_a_set() -> None:
    rows = [(ESSAY, LONG), (ESSAY, ""), (ESSAY, None), (ESSAY, "No."), (ESSAY, "")]
    quality = response_quality(rows)
    assert tuple(quality.counts) == KINDS
    assert quality.counts["empty"] == 2
    assert quality.counts["too short"] == 1
    assert quality.responses == 4
    assert quality.rate is not None
    assert quality.rate.value == 0.75


def test_a_set_without_responses_has_no_rate() -> None:
    assert response_quality([(ESSAY, None)]).rate is None
