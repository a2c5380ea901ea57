"""The bulk phase on a model that is a function, for the tests of its accounts."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import dspy

from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.generator import GenerationSettings, Generator
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Outcome, RoundCount, Row
from autoevol.program.roles import Role, Roles
from autoevol.signatures import Method

MORE = " Then compare two other approaches and justify every decision with evidence."


class Model(dspy.BaseLM):
    """Replies by a function of method, row and call settings; counts its calls by row."""

    def __init__(self, reply: Any) -> None:
        super().__init__("scripted")
        self.reply = reply
        self.calls: Counter[str] = Counter()

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        row = messages[-1]["content"].removeprefix("Instruction:\n").split("\n\n")[0]
        self.calls[row] += 1
        return [self.reply(messages[0]["content"], row, kw)]


def generate(
    reply: Any,
    rows: Sequence[Row],
    *,
    methods: Sequence[str] = ("Rewrite it.",),
    responds: bool = False,
    block_rows: int = 1,
    **settings: Any,
) -> tuple[list[RoundCount], list[Outcome], Any]:
    model = settings.pop("model", Model)(reply)
    roles = Roles(*(Role(model, "m") for _ in range(4)))
    pipeline = Pipeline(
        roles,
        failure_metric(["strict"], ["strict"]),
        responds,
        block_rows,
        blocks_in_flight=3,
        answer=settings.pop("answer", AnswerSettings()),
        suspects=settings.pop("suspects", "drop"),
    )
    outcomes: list[Outcome] = []
    generator = Generator(
        Evolver(Method("start", "x")),
        settings.pop("schedule", [[Method(f"m{i}", text) for i, text in enumerate(methods)]]),
        pipeline,
        GenerationSettings(**settings),
        Listeners(on_row=outcomes.append),
    )
    return asyncio.run(generator.generate(rows)), outcomes, model


def rows_named(*names: str) -> list[Row]:
    return [Row(name, name, f"List facts about {name}.") for name in names]


def sound(method: str, row: str, _: Any) -> str:
    return row + MORE


def longer(method: str, row: str, kw: Any) -> str:
    return f"{row} Also list {len(row)} more sources, dates, places and names."


def accounts(counts: Sequence[RoundCount]) -> list[tuple[int, ...]]:
    return [(c.round, c.entered, c.kept, c.failed, c.finished) for c in counts]
