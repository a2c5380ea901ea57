"""Detectors of responses that answer nothing."""

import pytest

from autoevol.metrics import Case
from autoevol.metrics.failure.replies import asks_for_input, declined_in_role, refusal
from tests.support.rules_broken import HARDER, SOURCE, reply_rules_broken


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't do that.",
        "As an AI model, I have no pets.",
        "죄송합니다만 어렵습니다.",
        "That would be against our content policy.",
    ],
)
def test_refusal(text: str) -> None:
    assert refusal(Case(SOURCE, text))
    assert refusal(Case(SOURCE, HARDER, response=text))


@pytest.mark.parametrize(
    "text",
    [
        "Write a letter that says I'm sorry for being late.",
        "Explain why a model says: as a rule, I can help.",
    ],
)
def test_a_requested_apology_is_no_refusal(text: str) -> None:
    assert refusal(Case(SOURCE, text)) is None


@pytest.mark.parametrize(
    ("response", "rule"),
    [
        pytest.param("Please provide the list of things.", "asks_for_input", id="asks"),
        pytest.param(
            "코드를 제공해 주시면 고쳐 드리겠습니다.", "language_drift", id="other language"
        ),
        pytest.param("Certainly! I would be happy to help.", "confirmed_only", id="confirms"),
        pytest.param("Understood.", "confirmed_only", id="one word"),
        pytest.param("Great! What would you like to know?", "confirmed_only", id="asks back"),
        pytest.param("IDK", "dont_know", id="idk"),
        pytest.param("I don't know.", "dont_know", id="does not know"),
        pytest.param(HARDER, "echo", id="echo"),
        pytest.param("...", "says_nothing", id="punctuation"),
        pytest.param("It is what it is.", "says_nothing", id="stop words"),
        pytest.param("   ", "empty", id="blank"),
    ],
)
def test_a_response_that_answers_nothing(response: str, rule: str) -> None:
    assert rule in reply_rules_broken(HARDER, response)


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        pytest.param(HARDER, "Check the brakes first, then the chain.", id="an answer"),
        pytest.param(
            "Write an email that asks for a phone number.",
            "Dear Ms Novak, please provide a number on which we can reach you.",
            id="a letter that asks",
        ),
        pytest.param("Is 7 a prime number?", "Yes, 7 has two divisors only.", id="yes"),
        pytest.param("What is 6 times 7?", "42", id="a number"),
        pytest.param("What is the chemical symbol of gold?", "Au", id="two letters"),
        pytest.param("Correct this: he go home now.", "He goes home now.", id="a correction"),
        pytest.param(
            "Which question would you ask a chef?",
            "Can you tell me what you cook at home?",
            id="a question",
        ),
        pytest.param("참인지 답하세요: 7은 소수인가요?", "네, 7은 소수입니다.", id="Korean yes"),
        pytest.param(
            "Write a haiku about dawn.", "sun over the rails\nno one waits", id="lower case"
        ),
        pytest.param("Name a colour.", "blue", id="one word"),
    ],
)
def test_a_response_that_answers(prompt: str, response: str) -> None:
    assert reply_rules_broken(prompt, response) == []


def test_a_response_that_continues_a_cut_prompt() -> None:
    prompt = "Explain gravity to a child in three sentences"
    response = "and make sure that both of the versions mention Newton and are easy to read."
    assert "continued" in reply_rules_broken(prompt, response)
    assert "continued" not in reply_rules_broken(prompt + ".", response)


ROLES = {
    "en": (
        "Act as the clerk of a small archive. A visitor wants to take a map home. Reply.",
        "I'm sorry, but that map cannot leave the reading room; shall I copy it for you?",
    ),
    "ko": (
        "당신은 박물관 안내원 역할입니다. 관람객이 유물을 만져 보고 싶어 합니다. 대답해 주세요.",
        "죄송하지만 그 요청은 도와드릴 수 없습니다. 유물은 눈으로만 봐 주세요.",
    ),
    "es": (
        "Actúa como el portero de un teatro. Un señor llega tarde y pide entrar. Responde.",
        "Lo siento, no puedo ayudarle: la función ha empezado hace media hora.",
    ),
    "zh": (
        "请扮演一位图书管理员，读者想借一本珍本书，请回答他。",
        "抱歉，我无法提供这本书，它只能在馆内阅读。",
    ),
    "ru": (
        "Ты — смотритель маяка. Гость просит погасить свет. Ответь ему.",
        "К сожалению, я не могу выполнить вашу просьбу: корабли идут всю ночь.",
    ),
}


@pytest.mark.parametrize("code", ROLES)
def test_who_declines_in_a_role_is_only_suspected(code: str) -> None:
    task, response = ROLES[code]
    case = Case(SOURCE, task, response=response)
    assert refusal(case) is None
    assert declined_in_role(case)
    plain = Case(SOURCE, HARDER, response=response)
    assert declined_in_role(plain) is None


@pytest.mark.parametrize(
    "response",
    [
        "I'm sorry, but as an AI language model I cannot take part in that.",
        "Sorry, I can't: as an AI I have no access to archives.",
    ],
)
def test_a_model_that_speaks_of_itself_has_left_its_role(response: str) -> None:
    case = Case(SOURCE, ROLES["en"][0], response=response)
    assert refusal(case)
    assert declined_in_role(case) is None


def test_a_refusal_instead_of_a_rewrite_is_one_in_any_role() -> None:
    assert refusal(Case(ROLES["en"][0], "I'm sorry, but I can't help with that."))


@pytest.mark.parametrize(
    ("response", "asks"),
    [
        pytest.param("Sure, happy to help! Please send me the text first.", True, id="to the user"),
        pytest.param("Dear Ms Roth, please send us the signed form by Friday.", False, id="letter"),
    ],
)
def test_a_letter_may_ask_for_things_and_its_writer_may_not(response: str, asks: bool) -> None:
    case = Case(SOURCE, "Write a letter to a customer about a missing form.", response=response)
    assert bool(asks_for_input(case)) == asks
