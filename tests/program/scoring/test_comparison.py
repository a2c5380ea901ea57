"""Pairwise comparison: both orders, conflicts, and verdicts that cannot be read."""

import asyncio
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import LMTransportError

from autoevol.program.roles import Role
from autoevol.program.scoring.comparison import (
    AskOrder,
    Compared,
    Pair,
    compare_pairs,
    read_verdict,
)

LONG, SHORT = "A long answer with all of its reasons.", "Short."


class Judge(dspy.BaseLM):
    """Replies by a function of the two texts, in the order of the prompt."""

    def __init__(self, reply: Any) -> None:
        super().__init__("scripted")
        self.reply = reply
        self.calls = 0

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        self.calls += 1
        user = messages[-1]["content"]
        first, second = user.split("First:\n")[1].split("\n\nSecond:\n")
        reply = self.reply(first, second.rsplit("\n\n", 1)[0])
        if isinstance(reply, Exception):
            raise reply
        return [reply]


def compared(judge: Judge, *pairs: Pair, order: AskOrder = "both") -> list[Compared]:
    results: list[Compared] = []
    role = Role(judge, "judge")
    asyncio.run(compare_pairs(pairs, role, results.append, order=order, in_flight=2))
    return results


def longer(first: str, second: str) -> str:
    return "first" if len(first) > len(second) else "second"


def test_a_judge_that_reads_prefers_the_same_text_in_both_orders() -> None:
    judge = Judge(longer)
    won, lost = compared(judge, Pair("a", LONG, SHORT, "Why?"), Pair("b", SHORT, LONG, "Why?"))
    assert (won.outcome, won.ours_first, won.ours_second) == ("win", "first", "second")
    assert (lost.outcome, lost.ours_first, lost.ours_second) == ("lose", "second", "first")
    assert judge.calls == 4


def test_a_judge_that_always_prefers_one_position_makes_a_tie() -> None:
    (result,) = compared(Judge(lambda *_: "first"), Pair("a", LONG, SHORT))
    assert (result.outcome, result.ours_first, result.ours_second) == ("tie", "first", "first")


def test_equal_texts_are_a_tie_without_a_call() -> None:
    judge = Judge(longer)
    (result,) = compared(judge, Pair("a", LONG, f" {LONG} "))
    assert (result.outcome, judge.calls) == ("tie", 0)


def test_a_drawn_order_asks_once_and_depends_on_the_row_alone() -> None:
    judge = Judge(longer)
    pairs = [Pair(f"row-{n}", LONG, SHORT) for n in range(40)]
    results = compared(judge, *pairs, order="drawn")
    again = compared(Judge(longer), *reversed(pairs), order="drawn")
    assert judge.calls == 40
    assert {result.outcome for result in results} == {"win"}
    ours_first = {result.pair.id for result in results if result.ours_first}
    assert 8 < len(ours_first) < 32
    assert ours_first == {result.pair.id for result in again if result.ours_first}


@pytest.mark.parametrize("reply", ["Both have merits.", LMTransportError("gone")])
def test_what_cannot_be_read_or_asked_is_unscored_with_its_reason(reply: Any) -> None:
    (result,) = compared(Judge(lambda *_: reply), Pair("a", LONG, SHORT))
    assert result.outcome is None
    assert result.problem


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("first", "first"),
        ("It is complete.\nSecond", "second"),
        ("The second one errs.\n**first**", "first"),
        ("They say the same. Tie.", "tie"),
        ("Verdict: second.", "second"),
        ("The better one is first", "first"),
        ("I would not put the second first", None),
        ("first or second", None),
        ("", None),
    ],
)
def test_a_verdict_is_the_last_word(reply: str, verdict: str | None) -> None:
    assert read_verdict(reply) == verdict
