"""The benchmark of searches on programs: rows with true labels, and every search once."""

import json
import random
import re
from typing import Any

import dspy
import pytest

from benchmarks.programs.contest import SEARCHES, Models, Sizes, contest
from benchmarks.programs.tasks import LARGE, TASKS, examples
from tests.support.programs import ScriptedLM

TINY = Sizes(train=8, dev=8, fresh=4, heldout=10, calls=60)


def any_fields(system: str, user: str, draw: int) -> str:
    """Fill every output field that the prompt asks for, in DSPy's chat format."""
    outputs = system.split("Your output fields are:")[-1].split("All interactions")[0]
    names = re.findall(r"\d+\. `(\w+)`", outputs)
    if not names:
        return f"Choose billing where the message speaks of an invoice. Variant {draw}."
    values = {"queue": "billing" if "invoice" in user else "technical"}
    fields = [f"[[ ## {name} ## ]]\n{values.get(name, f'text {draw}')}" for name in names]
    return "\n\n".join([*fields, "[[ ## completed ## ]]"])


@pytest.mark.parametrize("search", list(SEARCHES))
def test_every_search_runs_on_a_program(search: str) -> None:
    lm = ScriptedLM(any_fields)
    result = contest(("tickets", search), TASKS["tickets"], 1, TINY, Models(lm, lm, 1))
    assert len(result.initial) == len(result.final) == TINY.heldout
    assert result.calls > 0
    assert set(result.initial) <= {0.0, 1.0}


@pytest.mark.parametrize("name", list(TASKS))
def test_rows_are_many_and_differ_and_their_own_labels_pass(name: str) -> None:
    task = TASKS[name]
    rows = examples(task, 320, 0)
    assert len({str(dict(row.inputs())) for row in rows}) == 320
    for row in rows:
        prediction = dspy.Prediction(**dict(row.labels()))
        assert task.metric(row, prediction).score == 1.0
    empty = dspy.Prediction(**dict.fromkeys(rows[0].labels().keys(), ""))
    assert task.metric(rows[0], empty).score == 0.0


def test_the_queue_follows_from_the_message() -> None:
    for row in examples(TASKS["tickets"], 300, 3):
        leaves = any(
            word in row.message for word in ("elsewhere", "closing my", "offer", "last time")
        )
        amounts = [int(number) for number in re.findall(r"(\d+) euros", row.message)]
        is_large = any(amount >= LARGE for amount in amounts)
        expected = "retention" if leaves else "priority" if is_large else None
        assert expected in (row.queue, None)
        assert (row.queue in ("retention", "priority")) is (expected is not None)


def test_an_order_is_read_from_the_whole_reply() -> None:
    task = TASKS["orders"]
    row = next(task.rows(random.Random(0)))
    order: dict[str, Any] = json.loads(row.order)
    wrapped = dspy.Prediction(order=f"Here it is: {json.dumps({**order, 'quantity': -1})}.")
    judged = task.metric(row, wrapped)
    assert judged.score == pytest.approx(0.8)
    assert judged.feedback == f"quantity is {order['quantity']!r}, not -1"
