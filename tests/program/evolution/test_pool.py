"""Which rows the next round evolves, by hand."""

import pytest

from autoevol.program.evolution.attempt import LengthGoal
from autoevol.program.evolution.choice import RewriteSlot
from autoevol.program.evolution.pool import PoolRule, in_pool_order
from autoevol.program.records import Outcome, Row, Status

SOURCE = Row("a", "a", "Name a river.")
LONG = "Name a river of Europe, its source, its mouth and two cities on it."


def rewrite(status: Status, child: int = 0, text: str = "Name a river of Europe.") -> Outcome:
    return Outcome(SOURCE, Row(f"a.1-{child}", "a", text, round=1), status)


def next_ids(rule: PoolRule, *rewrites: Outcome) -> list[str]:
    slot = RewriteSlot(0, SOURCE, child=len(rewrites) - 1)
    successors = rule.successors(slot, rewrites)
    assert {successor.child for successor in successors} <= {0}
    return [successor.row.id for successor in successors]


@pytest.mark.parametrize(
    ("keeps", "requeues", "statuses", "expected"),
    [
        pytest.param(False, False, ["kept"], ["a.1-0"], id="kept"),
        pytest.param(False, False, ["failed"], [], id="dropped"),
        pytest.param(False, True, ["failed"], ["a"], id="requeued"),
        pytest.param(False, True, ["failed", "kept"], ["a.1-1"], id="one of two is enough"),
        pytest.param(False, True, ["failed", "unscored"], ["a"], id="failed or unscored"),
        pytest.param(False, True, ["unscored"], [], id="unscored is not requeued"),
        pytest.param(True, False, ["kept", "failed"], ["a", "a.1-0"], id="sources stay"),
    ],
)
def test_a_row_and_its_rewrites_go_into_the_pool(
    keeps: bool, requeues: bool, statuses: list[Status], expected: list[str]
) -> None:
    rule = PoolRule(keeps_sources=keeps, requeues_failed=requeues, length_goal=None)
    rewrites = [rewrite(status, child) for child, status in enumerate(statuses)]
    assert next_ids(rule, *rewrites) == expected


def test_a_rewrite_that_is_long_enough_leaves_the_pool() -> None:
    rule = PoolRule(keeps_sources=False, requeues_failed=False, length_goal=LengthGoal(10, 40))
    short, long, failed = rewrite("kept"), rewrite("kept", 1, LONG), rewrite("failed", 2, LONG)
    assert next_ids(rule, short, long, failed) == ["a.1-0"]
    assert [rule.is_finished(outcome) for outcome in (short, long, failed)] == [False, True, False]


def test_the_pool_keeps_its_order_whichever_block_is_finished_first() -> None:
    first, second, third, fourth = (
        RewriteSlot(index, Row(name, name, "x")) for index, name in enumerate("abcd")
    )
    # Blocks of two, the second one first.
    parts: dict[tuple[int, ...], list[RewriteSlot]] = {(2,): [third, fourth], (0,): [first, second]}
    assert in_pool_order([first, second, third, fourth], parts) == [first, second, third, fourth]
