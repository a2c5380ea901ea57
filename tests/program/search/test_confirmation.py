"""Headroom before the search, and the confirmation after it, by hand."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from autoevol.metrics import FailureRate
from autoevol.program.records import Candidate, Evaluation, FinalChoice, Headroom, Row
from autoevol.program.search.acceptance import Acceptance
from autoevol.program.search.archive import Archive
from autoevol.program.search.confirmation import ConfirmationTest, confirm_on_fresh_rows
from autoevol.signatures import Method
from tests.support.evaluations import evaluation

START, GOOD, LUCKY = "Rewrite, harder.", "Rewrite each, harder.", "Rewrite all, harder."


@pytest.mark.parametrize(
    ("failed", "level", "least", "is_enough"),
    [(4, 0.1, 4, True), (3, 0.1, 4, False), (5, 0.05, 5, True), (0, 0.5, 1, False)],
)
def test_headroom(failed: int, level: float, least: int, is_enough: bool) -> None:
    found = Headroom(FailureRate(failed, 50), level)
    assert (found.wins_needed, found.is_enough) == (least, is_enough)
    assert f"must win {least}" in str(found)


def confirmed(
    dev: dict[str, str], fresh: dict[str, str], most: int = 3, level: float = 0.5
) -> tuple[FinalChoice, list[str]]:
    """Confirm methods with these verdicts; the first one is the initial method."""
    initial, *others = (evaluation(verdicts, text=text) for text, verdicts in dev.items())
    archive = Archive(initial)
    archive.add(Candidate(0, 0, initial.method, o.method, "", evaluation=o) for o in others)
    measured: list[str] = []

    async def measure(method: Method, rows: Sequence[Row]) -> Evaluation:
        measured.append(method.instructions)
        plain = evaluation(fresh[method.instructions], text=method.instructions)
        shifted = [o.source for o in plain.outcomes]
        renamed = [Row(f"f{i}", f"f{i}", row.instruction) for i, row in enumerate(shifted)]
        outcomes = tuple(
            replace(o, source=row) for o, row in zip(plain.outcomes, renamed, strict=True)
        )
        return Evaluation(method, outcomes)

    rows = [Row("f", "f", "x")]
    chosen = asyncio.run(
        confirm_on_fresh_rows(archive, rows, ConfirmationTest(Acceptance(), level, most), measure)
    )
    return chosen, measured


def test_a_method_that_was_lucky_on_dev_is_not_confirmed() -> None:
    chosen, _ = confirmed(
        {START: "xxxxxx....", LUCKY: "..........", GOOD: "xx........"},
        {START: "xxxx......", LUCKY: "xxxxxxx...", GOOD: ".........."},
    )
    assert chosen.best.method.instructions == GOOD
    assert [c.preference.is_better for c in chosen.finalists] == [False, True]


@pytest.mark.parametrize(
    ("fresh", "level", "is_chosen"),
    [
        ("......xx..", 0.2, False),  # mends 4, breaks 2: p = 22/64
        ("......xx..", 0.5, True),
        ("......x...", 0.2, True),  # mends 4, breaks 1: p = 6/32
        ("..........", 0.2, True),  # mends 4, breaks none
        ("xxxx......", 0.2, True),  # breaks none; dev and fresh rows together decide
        ("....xxx...", 0.5, True),  # mends 4, breaks 3: p = 1/2
        ("....xxxx..", 0.5, False),  # mends as many as it breaks
    ],
)
def test_fresh_rows_alone_have_to_prove_it(fresh: str, level: float, is_chosen: bool) -> None:
    chosen, _ = confirmed(
        {START: "xxxxxxxx..", GOOD: ".........."}, {START: "xxxx......", GOOD: fresh}, level=level
    )
    assert (chosen.best.method.instructions == GOOD) is is_chosen


def test_the_initial_method_stays_when_nothing_is_proved() -> None:
    chosen, measured = confirmed(
        {START: "xx........", GOOD: "x........."}, {START: "x....", GOOD: "x...."}
    )
    assert chosen.best.method.instructions == START
    assert measured == [START, GOOD]


def test_only_the_best_few_are_measured() -> None:
    _, measured = confirmed(
        {START: "xxxx......", GOOD: "..........", LUCKY: "x........."},
        {START: "xx..", GOOD: "....", LUCKY: "...."},
        most=1,
    )
    assert measured == [START, GOOD]


def test_a_method_that_ties_and_adds_more_is_a_finalist() -> None:
    initial = evaluation("xxxx......", text=START)
    richer = evaluation("xxxx......", text=GOOD, added=9)
    archive = Archive(initial)
    archive.add([Candidate(0, 0, initial.method, richer.method, "", evaluation=richer)])

    async def measure(method: Method, rows: Sequence[Row]) -> Evaluation:
        return richer if method == richer.method else initial

    rows = [Row("f", "f", "x")]
    chosen = asyncio.run(
        confirm_on_fresh_rows(archive, rows, ConfirmationTest(Acceptance()), measure)
    )
    assert chosen.best is richer


def test_nothing_is_paid_when_no_method_failed_less() -> None:
    chosen, measured = confirmed({START: "x.........", GOOD: "x........."}, {})
    assert chosen.best.method.instructions == START
    assert not measured
