"""Three small tasks whose answers are true by construction: the rows are drawn from templates.

Each has a rule that its labels follow and its signature does not state, so that there is something
to learn from feedback: which queue wins where two fit, how a date or a count is written, which unit
an answer has. The rules stand at the head of each task.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dspy

from benchmarks.programs import phrases

Metric = Callable[..., dspy.Prediction]


@dataclass(frozen=True, slots=True)
class Task:
    """A program with its data.

    Attributes:
        program: Makes the student.
        rows: Yields examples without end; the same for the same seed.
        metric: Score in [0, 1] and feedback.
        passes: See `AutoEvol`.
        row_calls: Model calls that a row costs.
    """

    program: Callable[[], dspy.Module]
    rows: Callable[[random.Random], Iterator[dspy.Example]]
    metric: Metric
    passes: float
    row_calls: int


def examples(task: Task, count: int, seed: int) -> list[dspy.Example]:
    """Return `count` examples with different inputs."""
    rows: dict[str, dspy.Example] = {}
    for row in task.rows(random.Random(seed)):
        rows.setdefault(str(dict(row.inputs())), row)
        if len(rows) == count:
            break
    return list(rows.values())


# Tickets. A message that speaks of leaving goes to `retention`, also where it is about something
# else. An amount of 500 or more goes to `priority`, unless it speaks of leaving. A damaged or wrong
# item is `returns`, a missing or late parcel `shipping`, money `billing`, the page or the app
# `technical`.
QUEUES = ("billing", "priority", "retention", "returns", "shipping", "technical")
LARGE = 500


def ticket_program() -> dspy.Module:
    """Return a classifier that knows the names of the queues and no rule."""
    signature = "message: str -> queue: Literal['" + "', '".join(QUEUES) + "']"
    return dspy.Predict(dspy.Signature(signature, "Choose the queue for a customer's message."))


def ticket_rows(rng: random.Random) -> Iterator[dspy.Example]:
    """Yield messages with their queue."""
    while True:
        subject = rng.choice(sorted(phrases.TICKETS))
        amount = rng.choice((12, 18, 35, 49, 60, 85, 120, 150, 240, 510, 640, 780, 950, 1200))
        order = rng.randint(1000, 9999)
        body = rng.choice(phrases.TICKETS[subject]).format(
            item=rng.choice(phrases.ITEMS)[0], order=order, days=rng.randint(3, 21)
        )
        names_amount, leaves = rng.random() < 0.5, rng.random() < 0.2
        parts = [rng.choice(phrases.GREETINGS), body]
        if names_amount:
            parts.append(rng.choice(phrases.AMOUNTS).format(amount=amount))
        if leaves:
            parts.append(rng.choice(phrases.LEAVING))
        parts.append(rng.choice(phrases.CLOSINGS))
        is_large = names_amount and amount >= LARGE
        queue = "retention" if leaves else "priority" if is_large else subject
        yield dspy.Example(message=" ".join(parts), queue=queue).with_inputs("message")


def ticket_metric(gold: Any, pred: Any, trace: Any = None, *_: Any) -> dspy.Prediction:
    """Return whether the queue is right, and the right one."""
    is_right = str(pred.get("queue")) == gold.queue
    feedback = "right" if is_right else f"the queue is {gold.queue}, not {pred.get('queue')}"
    return dspy.Prediction(score=float(is_right), feedback=feedback)


# Orders. Dates are written YYYY-MM-DD, all in 2027. Quantities count single pieces: a dozen is 12,
# two boxes of six are 12. Items are in the singular and in lower case. `express` is "yes" only for
# words of hurry, and "no" for anything else.
FIELDS = ("customer", "item", "quantity", "delivery_date", "express")


def order_program() -> dspy.Module:
    """Return an extractor that knows the names of the fields and no rule."""
    orders = f"Extract the order from the e-mail as one JSON object with {', '.join(FIELDS)}."
    return dspy.Predict(dspy.Signature("email: str -> order: str", orders))


def order_rows(rng: random.Random) -> Iterator[dspy.Example]:
    """Yield e-mails with their order as JSON."""
    while True:
        customer = f"{rng.choice(phrases.FIRST_NAMES)} {rng.choice(phrases.LAST_NAMES)}"
        singular, plural = rng.choice(phrases.ITEMS)
        count, amount = rng.choice(phrases.QUANTITIES)
        month, day = rng.randint(1, 12), rng.randint(1, 28)
        written = rng.choice(phrases.DATES).format(
            day=day, month=phrases.MONTHS[month - 1], short=phrases.MONTHS[month - 1][:3]
        )
        is_express = rng.random() < 0.4
        speed = rng.choice(phrases.HURRY if is_express else phrases.NO_HURRY)
        text = rng.choice(phrases.ORDERS).format(
            customer=customer, item=plural, amount=amount, date=written, speed=speed
        )
        order = {
            "customer": customer,
            "item": singular,
            "quantity": count,
            "delivery_date": f"2027-{month:02d}-{day:02d}",
            "express": "yes" if is_express else "no",
        }
        yield dspy.Example(email=text, order=json.dumps(order)).with_inputs("email")


def order_metric(gold: Any, pred: Any, trace: Any = None, *_: Any) -> dspy.Prediction:
    """Return the share of fields that are right, and what the others should be."""
    expected, order = json.loads(gold.order), _json_object(str(pred.get("order") or ""))
    if order is None:
        return dspy.Prediction(score=0.0, feedback="the reply is no JSON object")
    wrong = [name for name in FIELDS if str(order.get(name)) != str(expected[name])]
    notes = [f"{name} is {expected[name]!r}, not {order.get(name)!r}" for name in wrong]
    return dspy.Prediction(score=1 - len(wrong) / len(FIELDS), feedback="; ".join(notes) or "right")


def _json_object(text: str) -> dict[str, Any] | None:
    start, end = text.find("{"), text.rfind("}")
    try:
        value = json.loads(text[start : end + 1])
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


# Sums. Money is answered in cents and lengths in centimetres, whole numbers without a unit.
class Sums(dspy.Module):
    """Works a problem out in one step and writes the number in a second."""

    def __init__(self) -> None:
        super().__init__()
        self.work = dspy.Predict(dspy.Signature("problem -> working", "Solve the problem."))
        self.conclude = dspy.Predict(
            dspy.Signature("problem, working -> answer", "Write the answer.")
        )

    def forward(self, problem: str) -> dspy.Prediction:
        """Return the answer, with the working beside it."""
        working = self.work(problem=problem).working
        answer = self.conclude(problem=problem, working=working).answer
        return dspy.Prediction(working=working, answer=answer)


def sum_rows(rng: random.Random) -> Iterator[dspy.Example]:
    """Yield word problems with their number."""
    while True:
        text, formula = rng.choice(phrases.SUMS)
        values = {name: rng.randint(3, 12) for name in "abc"}
        name = rng.choice(phrases.FIRST_NAMES)
        answer, problem = formula(**values), text.format(name=name, **values)
        # Nothing can be cut off or spent that is not there.
        if answer >= 0:
            yield dspy.Example(problem=problem, answer=str(answer)).with_inputs("problem")


def sum_metric(gold: Any, pred: Any, trace: Any = None, *_: Any) -> dspy.Prediction:
    """Return whether the answer is the number and nothing else, and the right one."""
    text = str(pred.get("answer") or "").strip()
    is_right = re.fullmatch(r"\d+", text) is not None and int(text) == int(gold.answer)
    feedback = "right" if is_right else f"the answer is {gold.answer}, not {text[:60]!r}"
    return dspy.Prediction(score=float(is_right), feedback=feedback)


TASKS = {
    "tickets": Task(ticket_program, ticket_rows, ticket_metric, 1.0, 1),
    "orders": Task(order_program, order_rows, order_metric, 0.8, 1),
    "sums": Task(Sums, sum_rows, sum_metric, 1.0, 2),
}
