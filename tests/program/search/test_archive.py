"""The search's memory."""

from dataclasses import replace

import pytest

from autoevol.program.records import Candidate, Evaluation
from autoevol.program.search.archive import Archive, is_same
from autoevol.signatures import Method, shipped_methods
from autoevol.signatures.remedies import REMEDIES
from tests.support.evaluations import evaluation

START = evaluation("xxx...", text="Rewrite the instruction into a harder one.")


def candidate(measured: Evaluation, **more: object) -> Candidate:
    plain = Candidate(
        0, 0, START.method, measured.method, "", evaluation=measured, verdict="no better"
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def test_the_lowest_failure_rate_ranks_first_and_older_ones_stay_before_their_equals() -> None:
    archive = Archive(START)
    better, equal = evaluation("x.....", text="B harder"), evaluation("xxx...", text="C harder")
    archive.add([candidate(equal), candidate(better)])
    assert archive.ranked == [better, START, equal]
    assert archive.at(0) is better
    assert archive.at(9) is equal


def test_a_stopped_candidate_has_no_rank() -> None:
    archive = Archive(START)
    archive.add([candidate(evaluation("..", text="B"), is_pruned=True)])
    assert archive.ranked == [START]


def test_a_failed_proposal_is_described_with_its_verdict() -> None:
    archive = Archive(START, remembered=1)
    for text in ("Never sing.", "Never dance."):
        changed = f"{START.method.instructions} {text}"
        archive.add([candidate(evaluation("xxx", text=changed))])
    assert archive.failed_proposals == "- added 'Never dance.': no better"


def test_a_better_candidate_is_no_failed_proposal() -> None:
    archive = Archive(START)
    better = evaluation("......", text="Better, harder.")
    archive.add([candidate(better, is_better=True)])
    assert archive.failed_proposals == ""


def test_without_memory_no_failed_proposal_is_described() -> None:
    archive = Archive(START, remembered=0)
    archive.add([candidate(evaluation("xxx", text="Other, harder."))])
    assert archive.failed_proposals == ""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Rewrite the instruction into a harder one.", True),
        ("rewrite instruction into harder one", True),
        ("Rewrite the instruction into an easier one.", False),
        ("Rewrite the instruction into a harder one. Never answer it.", False),
    ],
)
def test_what_says_the_same(text: str, same: bool) -> None:
    assert is_same(START.method, Method("m", text)) is same


LONG = " ".join(f"word{i}" for i in range(200))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        pytest.param("end", "stop", True, id="one word exchanged"),
        pytest.param("end", "end soon", True, id="one word more"),
        pytest.param("do end", "do not end", False, id="a word that turns it round"),
        pytest.param("end", "end. Keep every number.", False, id="a short sentence more"),
    ],
)
def test_near_duplicates(first: str, second: str, same: bool) -> None:
    assert is_same(Method("a", f"{LONG} {first}"), Method("b", f"{LONG} {second}")) is same


@pytest.mark.parametrize("name", ["e0", "e0-direct", "e0-shown", "weak"])
@pytest.mark.parametrize("rule", REMEDIES)
def test_no_safeguard_makes_a_duplicate(name: str, rule: str) -> None:
    method = shipped_methods()[name]
    guarded = replace(method, instructions=f"{method.instructions} {REMEDIES[rule].order}")
    assert not is_same(method, guarded)


def test_a_thinly_scored_method_has_no_rank() -> None:
    archive = Archive(START)
    archive.add([candidate(evaluation(".?????", text="B harder"))])
    assert archive.ranked == [START]


def test_other_demonstrations_make_another_method() -> None:
    shown = replace(START.method, demonstrations=(("a", "b"),))
    assert not is_same(START.method, shown)


def test_a_registered_method_has_duplicates() -> None:
    archive = Archive(START)
    method = Method("new", "Rewrite every question into a harder question.")
    assert archive.duplicate_of(method) is None
    archive.register(method)
    assert archive.duplicate_of(Method("again", method.instructions)) is method
