"""Reading the optimizer model's analysis, and rejecting replies that are no method."""

import pytest

from autoevol.program.records import Trajectory
from autoevol.program.search.archive import fingerprint
from autoevol.program.search.proposer import flaw_of, read_analysis, render_cases
from autoevol.signatures import Method

CASES = [
    Trajectory("en-1", ("Name a river.", "The Rhine."), ("stage 1: answered: asks for nothing",)),
    Trajectory("ko-2", ("왜 그런가요?", "왜 그런지 세 가지 이유를 들어 설명해 주세요.")),
]
GOOD = "Rewrite the instruction so that it becomes harder. Never answer it."


def test_cases_show_their_id_stages_and_notes() -> None:
    text = render_cases(CASES, max_words=80)
    assert text.startswith(
        "case en-1\nstage 0: Name a river.\nstage 1: The Rhine.\nnote on stage 1:"
    )
    assert "case ko-2" in text


def test_long_stages_are_cut() -> None:
    text = render_cases([Trajectory("x", ("word " * 100,))], max_words=5)
    assert "word word word word word …" in text
    assert text.count("word") == 5


@pytest.mark.parametrize(
    "line",
    [
        "en-1: it answers",
        "- en-1: it answers",
        "**en-1**: it answers",
        "case en-1: it answers",
        "id: en-1 reason: it answers",
        "1. `en-1`: it answers",
    ],
)
def test_reasons_are_read_however_they_are_decorated(line: str) -> None:
    analysis = read_analysis(f"{line}\ngeneral: say it twice", {"en-1", "ko-2"})
    assert analysis.reasons == {"en-1": "it answers"}
    assert analysis.general == "say it twice"


def test_an_id_within_another_id_or_a_sentence_is_not_that_case() -> None:
    text = "12: too short\n1: fine but leaks\n12: and vague\nAdd 1 rule"
    analysis = read_analysis(text, {"1", "12"})
    assert analysis.reasons == {"12": "too short; and vague", "1": "fine but leaks"}
    assert analysis.general == "Add 1 rule"


@pytest.mark.parametrize("label", ["general:", "General:", "**General:**", "General advice:"])
def test_the_general_line_is_read_however_it_is_decorated(label: str) -> None:
    assert read_analysis(f"{label} be strict", set()).general == "be strict"


def test_a_line_without_a_case_counts_as_general() -> None:
    assert read_analysis("It is all too short.", {"en-1"}).general == "It is all too short."


def test_feedback_holds_reasons_and_general_advice() -> None:
    text = str(read_analysis("en-1: it answers\ngeneral: be strict", {"en-1"}))
    assert text == "en-1: it answers\ngeneral: be strict"


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("...", "empty", id="no words"),
        pytest.param(GOOD + " word" * 50, "allowed", id="too long"),
        pytest.param("The Rhine is a river in Europe.", "no longer a method", id="an answer"),
        pytest.param("Answer the instruction.", "no longer a method", id="no rewriting"),
        pytest.param(
            GOOD + " Name one river and two of its largest tributaries today.",
            "copies a case",
            id="copy",
        ),
    ],
)
def test_a_text_that_is_no_method_is_rejected(text: str, needle: str) -> None:
    cases = [Trajectory("x", ("Name one river and two of its largest tributaries today.",))]
    assert needle in str(flaw_of(text, cases, max_words=40))


def test_a_method_has_no_flaw() -> None:
    assert flaw_of(GOOD, CASES, max_words=40) is None


def test_methods_that_differ_in_punctuation_alone_have_one_fingerprint() -> None:
    assert fingerprint(Method("a", "Do it, now!")) == fingerprint(Method("b", "do it and now"))
    assert fingerprint(Method("a", "Answer it.")) != fingerprint(Method("b", "Do not answer it."))
