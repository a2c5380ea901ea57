"""Rule sets named after a system are exact to their sources, slips included."""

from typing import Any

import pytest

from autoevol.metrics import RULE_SETS, RULES, Case, broken, compose


def flagged(rule_set: str, response: str, evolved: str = "Explain tides in depth.") -> bool:
    case = Case("Explain tides.", evolved, response=response)
    named = set(RULE_SETS[rule_set])
    return any(reason.rule in named for reason in broken(compose([rule_set], "respond"), case))


def rewrite_flagged(rule_set: str, before: str, after: str, **extra: Any) -> bool:
    case = Case(before, after, **extra)
    return bool(broken(compose([rule_set], "evolve"), case))


@pytest.mark.parametrize(
    ("response", "in_paper", "in_author"),
    [
        pytest.param("Understood. Shall I go on?", True, True, id="understood"),
        pytest.param("What do you mean?", True, True, id="what"),
        pytest.param("Great, what next?", True, True, id="great"),
        pytest.param("Sure, how can I help?", True, True, id="sure"),
        pytest.param("PLEASE PROVIDE the text.", True, True, id="please provide, any case"),
        pytest.param("I'm sorry, could you repeat?", False, True, id="author: sorry"),
        pytest.param("As an AI assistant, can I help?", False, True, id="author: as an AI"),
        pytest.param("That is Not Possible.", False, True, id="author: not possible"),
        pytest.param("understood. Shall I go on?", False, False, id="case matters at the start"),
        pytest.param("Understood. Shall I go on? ", False, False, id="nothing is stripped"),
        pytest.param("Understood. I will go on.", False, False, id="needs the question mark"),
        pytest.param("The moon pulls the sea.", False, False, id="an answer"),
    ],
)
def test_paper_and_author(response: str, in_paper: bool, in_author: bool) -> None:
    assert flagged("paper", response) == in_paper
    assert flagged("author", response) == in_author


def test_wizardlm_eliminates_a_short_apology_but_not_a_long_one() -> None:
    assert flagged("wizardlm", "Sorry, no.")
    assert not flagged("wizardlm", "Sorry, but here is why. " + "tide " * 80)


def test_wizardlm_eliminates_stop_words_alone() -> None:
    assert flagged("wizardlm", "It is what it is...")
    assert not flagged("wizardlm", "It is the moon.")


@pytest.mark.parametrize("phrase", ["given prompt", "Rewritten Prompt", "#Rewritten Prompt#"])
def test_wizardlm_eliminates_copied_template_words(phrase: str) -> None:
    assert rewrite_flagged("wizardlm", "Explain tides.", f"Explain tides of the {phrase}.")


def test_wizardlm_and_koevol_ask_a_judge_for_equality() -> None:
    assert RULES["equal"].detect is None
    assert "equal" in RULE_SETS["wizardlm"]
    assert "equal" in RULE_SETS["koevol"]


@pytest.mark.parametrize(
    ("before", "after", "is_flagged"),
    [
        pytest.param("a b", "a b", True, id="same text"),
        pytest.param("a b", "c\nd\ne\nf g", True, id="more than two line breaks a space"),
        pytest.param("a b", "The rewritten prompt is", True, id="leak"),
        pytest.param("a b", "What is OpenAI?", True, id="vendor"),
        pytest.param("a b", "What is GPT?", True, id="gpt"),
        pytest.param("what is gpt", "What is GPT in depth?", False, id="gpt asked for"),
        pytest.param("긴 질문입니다 아주 긴", "죄송하지만 안", True, id="shorter apology"),
        pytest.param("a b", "tides \ufffd", True, id="garbled"),
        pytest.param("a b", "Explain the created prompt.", False, id="not checked by the source"),
    ],
)
def test_koevol_filter(before: str, after: str, is_flagged: bool) -> None:
    assert rewrite_flagged("koevol", before, after) == is_flagged


def test_koevol_uses_its_filter_on_answers_too() -> None:
    assert flagged("koevol", "OpenAI made it.")
    assert not flagged("koevol", "The moon pulls the sea.")


@pytest.mark.parametrize(
    ("response", "is_flagged"), [("IDK", True), ("idk", False), ("IDK.", False), ("a \ufffd", True)]
)
def test_joonavel(response: str, is_flagged: bool) -> None:
    assert flagged("joonavel", response) == is_flagged


def test_joonavel_has_none_of_the_papers_rules() -> None:
    assert not flagged("joonavel", "please provide the text")


@pytest.mark.parametrize(
    ("text", "tokens", "is_flagged"),
    [
        pytest.param("Explain tides now", 10, True, id="three words"),
        pytest.param("Explain tides right now", 10, False, id="four words"),
        pytest.param("조수를 설명해 주세요 지금", 10, True, id="not ASCII at first"),
        pytest.param("Explain tides right now", 1000, True, id="1,000 tokens"),
    ],
)
def test_evol_teacher(text: str, tokens: int, is_flagged: bool) -> None:
    assert rewrite_flagged("evol_teacher", "x", text, tokens_out=tokens) == is_flagged


@pytest.mark.parametrize(
    ("before", "after", "is_flagged"),
    [
        pytest.param("a b", "a b", True, id="same text"),
        pytest.param("a b", "c\nd\ne f", False, id="two line breaks a space"),
        pytest.param("a b", "c\nd\ne\nf g", True, id="more than two line breaks a space"),
        pytest.param("a b", "Name these:" + "\n- a b c d" * 11, True, id="eleven points"),
        pytest.param("a b", "Name these:" + "\n- a b c d" * 10, False, id="ten points"),
        pytest.param("a b", "Here is the New Prompt for you", True, id="leak"),
        pytest.param("a b", "As an AI I cannot.", True, id="assistant phrase"),
        pytest.param("a b", "I'm sorry, no.", True, id="apology"),
        pytest.param("Why say I'm sorry?", "When do people say I'm sorry?", False, id="asked for"),
        pytest.param("a b", "I'm sorry, " + "no " * 150, False, id="long apology"),
        pytest.param("a b", "Explain the tides to a sailor.", False, id="sound"),
    ],
)
def test_h2o(before: str, after: str, is_flagged: bool) -> None:
    assert rewrite_flagged("h2o", before, after) == is_flagged


def test_h2o_finds_the_methods_own_words() -> None:
    method = "Change one thing about the instruction so that it asks for more."
    assert rewrite_flagged("h2o", "a b", f"Please: {method}", method=method)
    assert not rewrite_flagged("h2o", "a b", "Change one thing about it.", method=method)


@pytest.mark.parametrize(
    ("response", "is_flagged"),
    [
        pytest.param("Okay, what is the topic?", True, id="okay … ?"),
        pytest.param("I have noted it. Shall I?", True, id="anywhere before the question mark"),
        pytest.param("What do you mean by that.", True, id="needs no question mark"),
        pytest.param("I NEED MORE INFORMATION", True, id="any case"),
        pytest.param("I'm sorry, but I cannot.", False, id="plain refusals are missed"),
        pytest.param("", False, id="empty replies are missed"),
    ],
)
def test_evolkit(response: str, is_flagged: bool) -> None:
    assert flagged("evolkit", response) == is_flagged
