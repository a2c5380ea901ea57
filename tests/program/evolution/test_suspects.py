"""What becomes of rows that are only suspected, and how they are counted."""

from typing import Any

import pytest

from autoevol.program.evolution.pipeline import Suspects
from tests.support.generating import generate, rows_named, sound

REWORDED = "Enumerate particulars of {}."


def reword(method: str, row: str, kw: Any) -> str:
    return REWORDED.format(row.split()[-1].strip("."))


@pytest.mark.parametrize(
    ("suspects", "kept", "dropped"), [("keep", 2, 0), ("drop", 0, 2), ("retry", 2, 0)]
)
def test_the_account_holds_whatever_becomes_of_suspects(
    suspects: Suspects, kept: int, dropped: int
) -> None:
    counts, outcomes, _ = generate(reword, rows_named("trains", "boats"), suspects=suspects)
    (count,) = counts
    assert (count.entered, count.kept, count.failed, count.unscored) == (2, kept, dropped, 0)
    assert (count.suspected, count.failed_suspected) == (kept, dropped)
    for outcome in outcomes:
        rules = [reason.rule for reason in (*outcome.row.suspected_by, *outcome.reasons)]
        assert "restated" in rules
        assert outcome.is_suspected == bool(dropped)
        # What is dropped counts against its method, what is kept does not.
        assert outcome.verdict == bool(dropped)


def test_a_suspect_is_tried_again_while_attempts_are_left() -> None:
    def second_time(method: str, row: str, kw: Any) -> str:
        return sound(method, row, kw) if kw.get("temperature") else reword(method, row, kw)

    counts, outcomes, model = generate(
        second_time, rows_named("trains"), suspects="retry", attempts=2
    )
    assert (counts[0].kept, counts[0].suspected) == (1, 0)
    assert outcomes[0].attempts == 2
    assert not outcomes[0].row.suspected_by
    assert model.calls.total() == 2


def test_evidence_fails_a_row_that_is_suspected_as_well() -> None:
    counts, outcomes, _ = generate(lambda m, row, k: row, rows_named("trains"), suspects="keep")
    assert (counts[0].failed, counts[0].failed_suspected) == (1, 0)
    assert "status" not in outcomes[0].as_dict()


def test_the_files_say_why_a_row_is_suspected() -> None:
    _, kept, _ = generate(reword, rows_named("trains"), suspects="keep")
    (suspicion, *_) = kept[0].as_dict()["suspected_by"]
    assert suspicion["rule"]
    assert suspicion["evidence"]
    _, dropped, _ = generate(reword, rows_named("trains"), suspects="drop")
    row = dropped[0].as_dict()
    assert (row["status"], row["failed_at"]) == ("suspected", "evolve")
    assert "suspected_by" not in row


def test_a_suspicion_is_of_one_rewrite() -> None:
    def once(method: str, row: str, kw: Any) -> str:
        return reword(method, row, kw) if row.startswith("List") else sound(method, row, kw)

    counts, outcomes, _ = generate(once, rows_named("trains"), suspects="keep", rounds=2)
    assert [(count.kept, count.suspected) for count in counts] == [(1, 1), (1, 0)]
    assert not outcomes[-1].row.suspected_by
