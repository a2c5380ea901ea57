"""Difficulty by solving: rates computed by hand, and why a row is unscored."""

import asyncio
from collections.abc import Sequence
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import LMTransportError

from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.scoring.scorers import Scored, score_rows
from autoevol.program.scoring.solving import Check, SolverScorer

TASK = Row("a", "a", "How many bags for 48 rolls, six in each?", response="48 / 6 = 8 bags")


class Solver(dspy.BaseLM):
    """Gives its replies in turn."""

    def __init__(self, *replies: str | Exception) -> None:
        super().__init__("scripted")
        self.replies = list(replies)
        self.draws: list[int] = []

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        self.draws.append(kw["rollout_id"])
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return [reply]


def solved(
    solver: Sequence[str | Exception],
    strong: Sequence[str] = (),
    check: Check = "agreement",
    row: Row = TASK,
) -> Scored:
    results: list[Scored] = []
    first, second = Role(Solver(*solver), "weak"), Role(Solver(*strong), "strong")
    scorer = SolverScorer(first, second if strong else None, len(solver), check)
    asyncio.run(score_rows(scorer, [row], results.append, in_flight=1))
    (result,) = results
    return result


def test_samples_of_one_solver_are_held_against_the_commonest_result() -> None:
    result = solved(["48/6.\nAnswer: 8", "Answer: 8 bags", "Answer: 7", "I do not know."])
    assert result.values == {"solver": 0.5}


def test_the_row_s_own_response_can_be_what_counts() -> None:
    result = solved(["Answer: 7", "Answer: 7", "Answer: 8", "Answer: 7"], check="response")
    assert result.values == {"solver": 0.25}


def test_a_strong_solver_decides_and_its_lead_is_the_gap() -> None:
    result = solved(
        ["Answer: 6", "Answer: 6", "Answer: 6", "Answer: 8"],
        strong=["Answer: 8", "Answer: 8", "Answer: 8", "Answer: 6"],
    )
    assert result.values == {"solver": 0.25, "strong_solver": 0.75, "solver_gap": 0.5}


def test_an_open_task_is_unscored() -> None:
    result = solved(["Answer: open", "Open.", "Answer: open", "Answer: 4"])
    assert "cannot be compared" in result.problem
    assert not result.values


def test_samples_without_any_result_leave_the_row_unscored() -> None:
    assert "no result" in solved(["Hm.", "Well."]).problem
    for response in (
        "",
        "She has 12 apples and 3 pears.",
        "Answer: It depends on what you mean by it.",
    ):
        row = Row("a", "a", "How many?", response=response)
        result = solved(["Answer: 4", "Answer: open"], check="response", row=row)
        assert "no result" in result.problem


def test_of_a_conversation_the_last_response_counts() -> None:
    turns, answers = ("2 + 2?", "Times ten?"), ("4", "Answer: 40")
    talk = Row("a", "a", turns[0], turns=turns, response=answers[0], answers=answers)
    assert solved(["Answer: 40", "Answer: 4"], check="response", row=talk).values == {"solver": 0.5}


def test_a_call_that_died_leaves_the_row_unscored() -> None:
    assert "gone" in solved(["Answer: 8", LMTransportError("gone")]).problem


def test_every_sample_is_another_draw_and_the_same_ones_next_time() -> None:
    def draws() -> list[int]:
        solver = Solver(*["Answer: 8"] * 4)
        scorer = SolverScorer(Role(solver, "weak"), samples=4)
        asyncio.run(score_rows(scorer, [TASK], lambda _: None, in_flight=1))
        return solver.draws

    assert len(set(draws())) == 4
    assert draws() == draws()


@pytest.mark.parametrize("check", ["agreement", "response"])
def test_a_rate_of_samples_that_are_all_right_is_one(check: Check) -> None:
    assert solved(["Answer: **8**", "answer： 8.0"], check=check).values == {"solver": 1.0}
