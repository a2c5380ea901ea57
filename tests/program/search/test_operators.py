"""Each operator, on a scripted optimizer model."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from autoevol.program.records import Candidate, Evaluation, Trajectory
from autoevol.program.roles import Role
from autoevol.program.search.archive import Archive
from autoevol.program.search.operators import MOST_DEMONSTRATIONS, applies, propose
from autoevol.program.search.proposer import Proposal, ProposalRequest, Proposer
from autoevol.program.search.settings import Boldness, OperatorName, SearchSettings
from autoevol.signatures.remedies import REMEDIES
from tests.support.evaluations import evaluation
from tests.support.models import Model

TEXT = "Rewrite the instruction into a harder one. Keep every number. Be brief and be clear."
PARENT = evaluation("xx..", text=TEXT, rule="answered")
CASES = [
    Trajectory("a", ("List facts.", "List facts and rank them by age."), ()),
    Trajectory("b", ("Add 2 and 3.", "Add 2 and 3, then double, halve and explain it."), ()),
    Trajectory("c", ("Sing.", "La la la."), ("stage 1: answered: asks for nothing",)),
]


def proposal(  # noqa: PLR0913, a request has as many parts
    operator: OperatorName,
    reply: str = "Rewrite the instruction into a harder one.",
    *,
    parent: Evaluation = PARENT,
    others: tuple[Evaluation, ...] = (),
    draw: int = 0,
    boldness: Boldness = "sentence",
    cases: Sequence[Trajectory] = tuple(CASES),
    **settings: Any,
) -> tuple[Proposal, Model]:
    model = Model(lambda system, user, draw: reply)
    proposer = Proposer(
        Role(model, "m"),
        SearchSettings(**({"max_method_words": 60, "max_stage_words": 50} | settings)),
    )
    archive = archive_of(parent, *others)
    request = ProposalRequest("new", parent, archive, cases, draw, boldness=boldness)
    return asyncio.run(propose(operator, proposer, request)), model


def archive_of(parent: Evaluation, *others: Evaluation, verdict: str = "") -> Archive:
    """Return an archive with candidates that were measured and no better than the parent."""
    archive = Archive(parent)
    archive.add(
        Candidate(0, 0, parent.method, other.method, "", evaluation=other, verdict=verdict)
        for other in others
    )
    return archive


def instructions(result: Proposal) -> str:
    assert result.method, result.rejected
    return result.method.instructions


def test_rewrite_analyses_and_then_optimises() -> None:
    result, model = proposal("rewrite", "Rewrite the instruction, harder, better.")
    assert instructions(result) == "Rewrite the instruction, harder, better."
    assert [system.split(":")[0][:12] for system in model.systems] == [
        "You review a",
        "You improve ",
    ]


BOLD = "Rewrite the instruction, harder, in two steps."


@pytest.mark.parametrize("boldness", ["section", "whole"])
def test_a_bold_rewrite_reads_the_failed_cases(boldness: Boldness) -> None:
    result, model = proposal("rewrite", BOLD, boldness=boldness)
    assert instructions(result) == BOLD
    assert "Change one sentence" not in model.systems[1]
    assert "case c\nstage 0: Sing." in model.users[1]
    assert "List facts." not in model.users[1]


@pytest.mark.parametrize(
    ("analysis", "shown", "hidden"),
    [
        pytest.param(
            "b: adds extras\ngeneral: dig deeper", "Add 2 and 3.", "List facts.", id="weak"
        ),
        pytest.param("general: dig deeper", "List facts.", "Sing.", id="none is named"),
    ],
)
def test_where_f_finds_nothing_the_analysis_tells_which_cases_are_shown(
    analysis: str, shown: str, hidden: str
) -> None:
    model = Model(lambda system, _, __: analysis if "You review" in system else BOLD)
    proposer = Proposer(Role(model, "m"), SearchSettings())
    archive = archive_of(PARENT)
    request = ProposalRequest("new", PARENT, archive, CASES[:2], 0, boldness="whole")
    asyncio.run(propose("rewrite", proposer, request))
    cases = model.users[1].split("Cases:\n")[1]
    assert shown in cases
    assert hidden not in cases
    assert "Weak ones add things" in model.systems[0]


def test_without_a_case_a_rewrite_changes_a_sentence() -> None:
    _, model = proposal("edit", BOLD, boldness="whole", cases=())
    assert "Change one sentence" in model.systems[0]


def test_edit_tells_the_optimizer_what_has_failed_without_an_analysis() -> None:
    result, model = proposal("edit", "Rewrite the instruction, harder, better.")
    assert "2 rows: the rewrite answers the instruction (seen)" in result.feedback
    assert len(model.systems) == 1


def test_shorten_takes_only_what_is_shorter() -> None:
    assert instructions(
        proposal("shorten", "Rewrite the instruction, harder. Keep numbers. Be brief.")[0]
    )
    lost = proposal("shorten", "Rewrite the instruction, harder.")[0]
    assert lost.rejected == "4 of 15 words left: orders were lost"
    assert proposal("shorten", TEXT + " Rewrite harder.")[0].rejected == "not shorter"


def test_merge_asks_for_both_methods() -> None:
    other = evaluation("....", text="Make the question harder and never answer it.")
    result, model = proposal("merge", "Rewrite each instruction, harder.", others=(other,))
    assert result.method
    assert result.feedback == other.method.instructions
    assert other.method.instructions in model.users[0]
    assert TEXT in model.users[0]


def test_a_safeguard_against_the_commonest_failure_is_added() -> None:
    result, model = proposal("safeguard")
    assert instructions(result) == f"{TEXT} {REMEDIES['answered'].order}"
    assert result.feedback == "answered failed 2 rows"
    assert not model.systems, "no call is made"


def test_no_safeguard_is_added_twice() -> None:
    guarded = evaluation("xx..", text=f"{TEXT} {REMEDIES['answered'].order}", rule="answered")
    assert proposal("safeguard", parent=guarded)[0].rejected == "no failure without a safeguard"


def mixed(*rules: str) -> Evaluation:
    """Return a method that breaks these rules, each in one row."""
    outcomes = [evaluation("x", text=TEXT, rule=rule).outcomes[0] for rule in rules]
    return Evaluation(PARENT.method, tuple(outcomes))


@pytest.mark.parametrize(
    ("most_added", "most_words", "rules"),
    [
        pytest.param(4, 90, ["unchanged", "answered", "repeated"], id="all, commonest first"),
        pytest.param(2, 90, ["unchanged", "answered"], id="two at most"),
        pytest.param(4, 51, ["unchanged", "answered"], id="no room for the rarest"),
    ],
)
def test_a_proposal_adds_several_safeguards(
    most_added: int, most_words: int, rules: list[str]
) -> None:
    """`reworded` has the sentence of `unchanged`, which is added once."""
    parent = mixed(*["unchanged"] * 3, "answered", "answered", "reworded", "repeated")
    result, _ = proposal(
        "safeguard", parent=parent, most_added=most_added, max_method_words=most_words
    )
    assert instructions(result) == " ".join([TEXT, *(REMEDIES[rule].order for rule in rules)])
    assert result.feedback.startswith("unchanged failed 3 rows; answered failed 2 rows")


def test_a_safeguard_needs_room() -> None:
    assert "no room" in str(proposal("safeguard", max_method_words=20)[0].rejected)


def test_the_sound_rewrite_that_adds_most_is_shown() -> None:
    result, _ = proposal("add_demonstration", most_added=1)
    assert result.method
    assert result.method.demonstrations == (CASES[1].stages,)


def test_sound_rewrites_are_shown_together_as_far_as_there_is_room() -> None:
    result, _ = proposal("add_demonstration")
    assert result.method
    assert result.method.demonstrations == (CASES[1].stages, CASES[0].stages)
    full = with_demonstrations(MOST_DEMONSTRATIONS - 1)
    last = proposal("add_demonstration", parent=full)[0].method
    assert last
    assert last.demonstrations == (*full.method.demonstrations, CASES[1].stages)


def test_what_is_shown_already_is_not_shown_again() -> None:
    shown = (("List facts.", "x"), ("Add 2 and 3.", "y"))
    parent = replace(PARENT, method=replace(PARENT.method, demonstrations=shown))
    assert proposal("add_demonstration", parent=parent)[0].rejected == "no new row has passed"


def with_demonstrations(count: int) -> Evaluation:
    shown = tuple((f"q{i}", f"a{i}") for i in range(count))
    return replace(PARENT, method=replace(PARENT.method, demonstrations=shown))


@pytest.mark.parametrize(
    ("operator", "parent", "is_applicable"),
    [
        pytest.param("rewrite", evaluation("...."), True, id="rewrite always"),
        pytest.param("edit", PARENT, True, id="something has failed"),
        pytest.param("edit", evaluation("...."), False, id="nothing has failed"),
        pytest.param("merge", PARENT, False, id="no second method"),
        pytest.param("safeguard", PARENT, True, id="a failure without a safeguard"),
        pytest.param("safeguard", evaluation("x", rule="dont_know"), False, id="no sentence"),
        pytest.param("shorten", PARENT, False, id="short already"),
        pytest.param("shorten", evaluation("x", text=TEXT * 3), True, id="long"),
        pytest.param("add_demonstration", PARENT, True, id="room for a demonstration"),
        pytest.param(
            "add_demonstration", with_demonstrations(MOST_DEMONSTRATIONS), False, id="no room"
        ),
        pytest.param("drop_demonstration", PARENT, False, id="none to drop"),
        pytest.param("drop_demonstration", with_demonstrations(1), True, id="one to drop"),
    ],
)
def test_what_an_operator_needs(
    operator: OperatorName, parent: Evaluation, is_applicable: bool
) -> None:
    assert applies(operator, parent, Archive(parent)) is is_applicable


def test_the_stepwise_form_takes_no_demonstrations() -> None:
    parent = replace(PARENT, method=replace(PARENT.method, thinking="steps"))
    assert not applies("add_demonstration", parent, Archive(parent))


def test_the_draw_says_which_demonstration_is_dropped() -> None:
    shown = (("q0", "a0"), ("q1", "a1"), ("q2", "a2"))
    parent = replace(PARENT, method=replace(PARENT.method, demonstrations=shown))
    result, _ = proposal("drop_demonstration", parent=parent, draw=4)
    assert result.method
    assert result.method.demonstrations == (shown[0], shown[2])


@pytest.mark.parametrize("operator", ["rewrite", "edit", "shorten", "merge"])
def test_a_reply_that_is_no_method_is_rejected(operator: OperatorName) -> None:
    other = evaluation("....", text="Make the question harder.")
    result, _ = proposal(operator, "The moon is far.", others=(other,))
    assert result.method is None
    assert result.rejected


def test_failed_proposals_are_shown_to_the_optimizer() -> None:
    model = Model(lambda system, user, draw: "Rewrite the instruction, harder.")
    proposer = Proposer(Role(model, "m"), SearchSettings(max_method_words=60, max_stage_words=50))
    worse = evaluation("xxxx", text=f"{TEXT} Sing.")
    archive = archive_of(PARENT, worse, verdict="broke 4")
    asyncio.run(propose("edit", proposer, ProposalRequest("new", PARENT, archive, (), 0)))
    assert "did not help; make another one:\n- added 'Sing.': broke 4" in model.users[0]
