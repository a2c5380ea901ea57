"""Suspicion about rewrites of evolvers that reword, and languages without spaces."""

import pytest

from autoevol.metrics import Case, fails
from autoevol.metrics.failure.drift import language_drift
from autoevol.metrics.failure.form import repeated, truncated
from autoevol.metrics.failure.lost_content import lost_details
from autoevol.metrics.failure.restated import is_closed, no_request, restated
from autoevol.metrics.failure.unchanged import reworded, same_text, unchanged
from autoevol.metrics.text.wording import tokens
from tests.support.rules_broken import rules_broken

CLOSED = 'Find the verb in this sentence: "The old miller sold his last horse."'
OPEN = "Describe a market in a small harbour town."


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param(
            CLOSED,
            "Scrutinise the statement below with great care and pinpoint its predicate: "
            '"The old miller sold his last horse."',
            id="adorned",
        ),
        pytest.param(
            "How many eggs do 4 hens lay in 5 days, at 2 eggs a day for all of them?",
            "Ascertain the total quantity of eggs produced by 4 birds over 5 days at 2 per day.",
            id="a sum in other words",
        ),
        pytest.param(OPEN, "Portray the trading place of a little port.", id="an open task"),
        pytest.param(
            "1부터 30까지 홀수의 합을 구하세요.",
            "1에서 30 사이에 있는 모든 홀수를 전부 더한 값을 계산해 주십시오.",
            id="Korean",
        ),
    ],
)
def test_the_same_demand_in_other_words_is_suspected(source: str, text: str) -> None:
    assert restated(Case(source, text))
    assert "restated" in rules_broken(source, text, evolver="rewords")
    assert "restated" in rules_broken(source, text, evolver="unknown")
    # Where an evolver copies, other rules see to it.
    assert "restated" not in rules_broken(source, text, evolver="copies")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param(
            OPEN,
            "Portray the trading place of a little port at dawn, including its sounds, two "
            "quarrels and the smell of the boats, and compare it with the same place at night.",
            id="an open task with named aspects",
        ),
        pytest.param(
            CLOSED,
            "Point out the predicate, explain its tense, compare it with the tense of a "
            "sentence of your own, and justify both choices with at least one rule, without "
            'naming the subject: "The old miller sold his last horse."',
            id="a closed task with further demands",
        ),
        pytest.param(
            "How many eggs do 4 hens lay in 5 days, at 2 eggs a day for all of them?",
            "Ascertain the quantity of eggs of 4 birds over 5 days at 2 per day, when 3 break.",
            id="a new number",
        ),
        pytest.param(
            CLOSED, CLOSED.replace("verb", "verb and its object"), id="words that were kept"
        ),
    ],
)
def test_a_further_demand_is_not(source: str, text: str) -> None:
    assert restated(Case(source, text)) is None


def test_a_task_is_closed_by_its_material_or_its_question() -> None:
    assert is_closed(CLOSED)
    assert is_closed("Which planet is the largest?")
    assert is_closed("次の文を要約してください：「昨日は雨が降ったので、祭りは中止になりました。」")
    assert not is_closed(OPEN)


def test_the_same_text_is_evidence_but_another_sign_is_not() -> None:
    assert same_text(Case("Name two trees.", "name  two trees"))
    assert same_text(Case("Solve x = 4.", "Solve x < 4.")) is None
    assert same_text(Case("Name two trees.", "")) is None


@pytest.mark.parametrize(
    ("text", "is_request"),
    [
        ("Curate a catalogue of nine rivers, sorted by the countries that they cross.", True),
        ("Kindly tabulate these rivers by the volume of their water.", True),
        ("The nine rivers are sorted by the countries that they cross.", False),
        ("In the north there are nine rivers, with seven harbours between them.", False),
    ],
)
def test_the_shape_of_a_request_needs_no_list_of_verbs(text: str, is_request: bool) -> None:
    evidence = no_request(Case("List nine rivers.", text))
    assert (evidence is None) == is_request


def test_a_script_without_spaces_is_read_by_two_characters() -> None:
    assert tokens("请写诗 a b") == ("请写", "写诗", "a", "b")
    assert tokens("Write a poem.") == ("write", "a", "poem")
    source = "请写一首关于秋天的短诗。"
    longer = "请写一首关于秋天的短诗，每行七个字，并在最后一行提到一条河流的名字。"
    assert unchanged(Case(source, longer)) is None
    assert reworded(Case(source, longer)) is None
    assert unchanged(Case(source, "请写一首关于秋天的短诗吧。"))


def test_kana_and_kanji_are_one_language() -> None:
    source = "りんごのおいしいたべかたをおしえて。"
    text = "林檎の美味しい食べ方を三つ教えて、それぞれの季節と保存方法を説明してください。"
    assert language_drift(Case(source, text)) is None
    assert language_drift(Case(source, "请告诉我三种吃苹果的方法，并说明季节和保存方法。"))


def test_a_long_quotation_may_change_a_little() -> None:
    source = 'The letter says "we regret that the red ferry no longer runs on Sundays". What now?'
    near = (
        'The letter says "we regret that on Sundays the red ferry no longer runs". What now, why?'
    )
    assert lost_details(Case(source, near)) is None
    assert lost_details(Case(source, "The letter says no. What now, and why?"))


def test_a_text_without_full_stops_is_whole() -> None:
    source = "List what a lighthouse keeper has to know"
    long = source + " " + "and what he has to do in a storm " * 9 + "by himself"
    assert truncated(Case(source, long)) is None
    assert truncated(Case(source + ".", long))


def test_examples_that_came_with_the_source_may_repeat_themselves() -> None:
    shots = " ".join(
        f"{name}: the colour of the boat is blue." for name in "Ann Bob Cat Dan".split()
    )
    source = f"Continue the list. {shots}"
    assert repeated(Case(source, f"{source} Give a reason for each colour.")) is None


def test_suspicion_alone_fails_no_row() -> None:
    from autoevol.metrics import broken, compose

    reasons = broken(compose(["strict"], "evolve"), Case(OPEN, "Portray a little port."))
    assert reasons
    assert not fails(reasons)
    earlier = broken(compose(["strict-2026-11"], "evolve"), Case(OPEN, "Portray a little port."))
    assert fails(earlier)
