"""Scoring rows: one question for a row or for a chain; unscored rows say why."""

import asyncio
from collections.abc import Sequence
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import LMAuthError, LMTransportError

from autoevol.experiments.models.transports.scripted import world
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.scoring.ratings import scorer
from autoevol.program.scoring.scorers import ChainScorer, Scored, score_rows

ROWS = [
    Row("a", "a", "Sort three words."),
    Row("a.1", "a", "Sort three words and say how you did it.", round=1),
    Row("a.1.2", "a", "Sort three words, say how you did it, and count the steps.", round=2),
    Row("b", "b", "Name a river."),
]


class Judge(dspy.BaseLM):
    """Replies as the scripted world's judge does, except to prompts with a key of `otherwise`."""

    def __init__(self, otherwise: dict[str, Any] | None = None) -> None:
        super().__init__("scripted")
        self.otherwise = otherwise or {}
        self.prompts: list[str] = []

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        user = messages[-1]["content"]
        self.prompts.append(user)
        for text, answer in self.otherwise.items():
            if text in user:
                if isinstance(answer, Exception):
                    raise answer
                return [answer]
        return [world(messages, 0)]


def scores(name: str, judge: Judge, rows: Sequence[Row] = ROWS) -> dict[str, Scored]:
    results: list[Scored] = []
    by_judge = scorer(name, Role(judge, "judge"))
    asyncio.run(score_rows(by_judge, rows, results.append, in_flight=2))
    assert len(results) == len(rows)
    return {result.id: result for result in results}


def test_each_row_is_asked_about_once() -> None:
    judge = Judge()
    results = scores("complexity", judge)
    assert {key: result.values["complexity"] for key, result in results.items()} == {
        "a": 3,
        "a.1": 9,
        "a.1.2": 12,
        "b": 3,
    }
    assert len(judge.prompts) == 4


def test_what_cannot_be_read_and_a_call_that_died_leave_a_row_unscored() -> None:
    judge = Judge({"river": "It depends.", "say how you did it.": LMTransportError("gone")})
    results = scores("complexity", judge)
    assert "unreadable" in results["b"].problem
    assert "gone" in results["a.1"].problem
    assert results["b"].values == results["a.1"].values == {}
    assert results["a"].values == {"complexity": 3}


def test_a_refused_key_ends_the_scoring() -> None:
    with pytest.raises(LMAuthError):
        scores("complexity", Judge({"river": LMAuthError("no")}))


def test_a_row_without_a_response_has_no_grade() -> None:
    answered = Row("c", "c", "Name a river.", response="The Danube.")
    judge = Judge()
    results = scores("grade", judge, [answered, ROWS[0]])
    assert results["a"].problem == "there is no response"
    assert results["c"].values == {"grade": 1 + len(judge.prompts[0].split()) // 11}
    assert len(judge.prompts) == 1


def test_a_conversation_without_its_answers_has_no_grade() -> None:
    unanswered = Row("t", "t", "Hi.", turns=("Hi.", "Why?"), response="Hello.")
    answered = Row("u", "u", "Hi.", turns=("Hi.", "Why?"), response="Yo.", answers=("Yo.", "So."))
    results = scores("grade", Judge(), [unanswered, answered])
    assert results["t"].problem
    assert results["u"].values


def test_a_chain_is_scored_in_one_question_and_a_seed_alone_is_none() -> None:
    judge = Judge()
    results = scores("chain", judge)
    assert [results[key].values.get("chain") for key in ("a", "a.1", "a.1.2")] == [3, 9, 12]
    assert results["b"].problem == "a chain of one"
    assert len(judge.prompts) == 1


def test_a_long_chain_is_cut_and_every_part_begins_with_the_seed() -> None:
    rungs = [Row(f"a.{n}", "a", f"Sort {n} words.", round=n) for n in range(1, 12)]
    judge = Judge()
    results = scores("chain", judge, [ROWS[0], *rungs])
    assert all(result.values for result in results.values())
    parts = ChainScorer("chain", Role(judge, "m"), dspy.Signature("a->b"), lambda *_: []).families(
        [ROWS[0], *rungs]
    )
    assert [part.anchor and part.anchor.id for part in parts] == [None, "a", "a"]
    assert [len(part.rows) for part in parts] == [6, 5, 1]
    assert len(judge.prompts) == 3
