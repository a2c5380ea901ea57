"""The bulk phase: attempts, rounds, choices, and rows whose calls die."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import ContextWindowExceededError, LMAuthError, LMTransportError

from program.answering import AnswerSettings
from program.attempt import Until
from program.evolver import Evolver
from program.failure import failure_metric
from program.generator import GenerationSettings, Generator, RoundCount
from program.listeners import Listeners
from program.pipeline import Pipeline
from program.records import Outcome, Row
from program.roles import Role, Roles
from signatures import Method

MORE = " Then compare two other approaches and justify every decision with evidence."


class Model(dspy.BaseLM):
    """Answers by a function of method, row and draw; keeps what it was asked."""

    def __init__(self, reply: Any) -> None:
        super().__init__("scripted")
        self.reply = reply
        self.asked: Counter[str] = Counter()

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        row = messages[-1]["content"].removeprefix("Instruction:\n").split("\n\n")[0]
        self.asked[row] += 1
        return [self.reply(messages[0]["content"], row, kw)]


def generate(
    reply: Any,
    rows: Sequence[Row],
    *,
    methods: Sequence[str] = ("Rewrite it.",),
    responds: bool = False,
    block_rows: int = 1,
    **settings: Any,
) -> tuple[list[RoundCount], list[Outcome], Model]:
    model = Model(reply)
    roles = Roles(*(Role(model, "m") for _ in range(4)))
    pipeline = Pipeline(
        roles,
        failure_metric(["strict"], ["strict"]),
        responds,
        block_rows,
        blocks_in_flight=3,
        answer=settings.pop("answer", AnswerSettings()),
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


def test_a_failed_row_is_tried_again_and_the_cost_of_both_is_its_own() -> None:
    tries: Counter[str] = Counter()

    def second_time(method: str, row: str, kw: Any) -> str:
        tries[row] += 1
        return row + MORE if tries[row] == 2 else row

    counts, outcomes, model = generate(second_time, rows_named("tides"), attempts=3)

    assert counts == [RoundCount(1, 1, 1, 0, 0)]
    assert outcomes[0].attempts == 2
    assert model.asked.total() == 2


def test_later_attempts_are_warmer_and_ask_for_other_draws() -> None:
    asked: list[tuple[Any, Any]] = []

    def never(method: str, row: str, kw: Any) -> str:
        asked.append((kw.get("temperature"), kw["rollout_id"]))
        return row

    generate(never, rows_named("tides"), attempts=3, retry_temperature=0.9)

    assert [temperature for temperature, _ in asked] == [None, 0.9, 0.9]
    assert len({draw for _, draw in asked}) == 3


def test_a_dropped_row_leaves_and_a_requeued_one_comes_back_unchanged() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        return row if "bad" in row else row + MORE

    dropped, _, _ = generate(reply, rows_named("good", "bad"), rounds=2)
    requeued, outcomes, _ = generate(
        reply, rows_named("good", "bad"), rounds=2, on_failure="requeue"
    )

    assert [count.entered for count in dropped] == [2, 1]
    assert [count.entered for count in requeued] == [2, 2]
    again = [o for o in outcomes if o.row.round == 2 and o.source.seed_id == "bad"]
    assert again[0].source.instruction == "List facts about bad."


def test_a_second_round_starts_from_the_first_and_keeps_the_lineage() -> None:
    def longer(method: str, row: str, kw: Any) -> str:
        return f"{row} Also list {len(row)} more sources, dates, places and names."

    _, outcomes, _ = generate(longer, rows_named("tides"), rounds=2)

    first, second = (outcome.row for outcome in outcomes)
    assert (first.id, second.id) == ("tides.1", "tides.1.2")
    assert second.parent_id == "tides.1"
    assert second.trace == ("m0", "m0")
    assert first.origin == second.origin == "List facts about tides."
    assert second.instruction.startswith(first.instruction)


def test_a_row_whose_call_dies_is_unscored_and_others_go_on() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        if "dead" in row:
            raise LMTransportError("no line")
        return row + MORE

    counts, outcomes, _ = generate(reply, rows_named("a", "dead", "b"))

    assert counts == [RoundCount(1, 3, 2, 0, 1)]
    dead = next(outcome for outcome in outcomes if outcome.status == "unscored")
    assert dead.verdict is None
    assert dead.reasons[0].rule == "transport"


def test_a_row_that_is_too_long_fails_and_others_go_on() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        if "long" in row:
            raise ContextWindowExceededError(message="exceeds the context")
        return row + MORE

    counts, outcomes, _ = generate(reply, rows_named("a", "long"))

    assert counts == [RoundCount(1, 2, 1, 1, 0)]
    assert {o.reasons[0].rule for o in outcomes if o.reasons} == {"refused_request"}


def test_a_refused_key_ends_the_run() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        raise LMAuthError("bad key")

    with pytest.raises(LMAuthError):
        generate(reply, rows_named("a", "b"))


def test_only_sound_rewrites_are_answered() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        if method.startswith("Answer"):
            return "A full answer."
        return row if "bad" in row else row + MORE

    _, outcomes, model = generate(reply, rows_named("good", "bad"), responds=True)

    by_name = {outcome.source.id: outcome for outcome in outcomes}
    assert by_name["good"].row.response == "A full answer."
    assert by_name["bad"].row.response == ""
    assert model.asked.total() == 3


def test_a_row_that_fails_at_respond_is_one_failed_row() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        return "I'm sorry, I cannot." if method.startswith("Answer") else row + MORE

    counts, outcomes, _ = generate(reply, rows_named("a"), responds=True)

    assert counts == [RoundCount(1, 1, 0, 1, 0)]
    assert outcomes[0].failed_at == "respond"
    assert outcomes[0].row.instruction.endswith("evidence.")


@pytest.mark.parametrize("block_rows", [1, 3, 50])
def test_blocks_change_the_order_of_calls_and_nothing_else(block_rows: int) -> None:
    names = [f"topic {i}" for i in range(10)]

    def reply(method: str, row: str, kw: Any) -> str:
        return row if row.endswith("3.") else row + MORE

    counts, outcomes, _ = generate(reply, rows_named(*names), block_rows=block_rows, attempts=2)

    assert counts == [RoundCount(1, 10, 9, 1, 0)]
    assert {outcome.source.id for outcome in outcomes} == set(names)


@pytest.mark.parametrize("choice", ["random", "round_robin"])
def test_a_choice_is_the_same_in_every_order(choice: Any) -> None:
    names = [f"t{i}" for i in range(12)]
    methods = ("Rewrite A.", "Rewrite B.", "Rewrite C.")

    def chosen(**more: Any) -> dict[str, str | None]:
        _, outcomes, _ = generate(
            sound, rows_named(*names), methods=methods, choice=choice, seed=4, **more
        )
        return {outcome.source.id: outcome.row.method for outcome in outcomes}

    assert chosen(block_rows=1) == chosen(block_rows=5)
    assert set(chosen().values()) == {"m0", "m1", "m2"}


def test_an_evolver_given_to_a_dspy_optimiser_hides_its_responder() -> None:
    names = [name for name, _ in Evolver(Method("m", "x")).named_predictors()]
    assert names == ["evolve"]


def longer(method: str, row: str, kw: Any) -> str:
    return f"{row} Also list {len(row)} more sources, dates, places and names."


def told(counts: Sequence[RoundCount]) -> list[tuple[int, ...]]:
    return [(c.round, c.entered, c.kept, c.failed, c.finished) for c in counts]


def test_each_round_of_a_schedule_has_its_own_methods() -> None:
    down = Method("down", "Make it easier.", kind="down")
    up = [Method("deepen", "Deepen."), Method("widen", "Widen.")]
    counts, outcomes, _ = generate(
        longer, rows_named("a", "b"), schedule=[[down], up], rounds=2, choice="round_robin"
    )
    assert told(counts) == [(1, 2, 2, 0, 0), (2, 2, 2, 0, 0)]
    traces = {outcome.row.id: outcome.row.trace for outcome in outcomes}
    assert traces == {
        "a.1": ("down",),
        "b.1": ("down",),
        "a.1.2": ("down", "deepen"),
        "b.1.2": ("down", "widen"),
    }


def test_children_are_rewrites_of_the_same_row_and_all_go_on() -> None:
    counts, outcomes, _ = generate(longer, rows_named("a"), children=[2], rounds=2)
    assert told(counts) == [(1, 2, 2, 0, 0), (2, 4, 4, 0, 0)]
    ids = [outcome.row.id for outcome in outcomes]
    assert ids == ["a.1", "a.1-2", "a.1.2", "a.1.2-2", "a.1-2.2", "a.1-2.2-2"]
    assert len({outcome.row.draw for outcome in outcomes}) == 6


def test_chains_branch_in_the_first_round_alone() -> None:
    counts, outcomes, _ = generate(longer, rows_named("a"), children=[3, 1], rounds=3)
    assert [count.entered for count in counts] == [3, 3, 3]
    assert [o.row.id for o in outcomes if o.row.round == 3] == ["a.1.2.3", "a.1-2.2.3", "a.1-3.2.3"]


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"rounds": 3}, 6),
        ({"rounds": 3, "pool": "all"}, 14),  # 2 + 4 + 8
        ({"rounds": 2, "children": [3]}, 24),  # 6 + 18
        ({"rounds": 3, "children": [3, 1]}, 18),
        ({"rounds": 2, "children": [2], "pool": "all"}, 16),  # 4 + 12
    ],
)
def test_the_most_rewrites_are_foretold(settings: dict[str, Any], most: int) -> None:
    assert GenerationSettings(**settings).most_rewrites(2) == most
    counts, _, _ = generate(longer, rows_named("a", "b"), **settings)
    assert sum(count.entered for count in counts) == most


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"rounds": 3}, 6),
        ({"rounds": 3, "save": "last"}, 2),
        ({"rounds": 3, "save": "last", "children": [3, 1]}, 6),
        ({"rounds": 3, "save": "last", "pool": "all"}, 14),
    ],
)
def test_the_most_answers_are_foretold(settings: dict[str, Any], most: int) -> None:
    assert GenerationSettings(**settings).most_answers(2) == most


def test_a_pool_of_all_evolves_what_came_before_as_well() -> None:
    counts, outcomes, _ = generate(longer, rows_named("a"), pool="all", rounds=3)
    assert [count.entered for count in counts] == [1, 2, 4]
    assert [o.row.id for o in outcomes if o.row.round == 2] == ["a.2", "a.1.2"]
    assert len({o.row.id for o in outcomes}) == 7


def test_a_row_comes_back_only_when_all_of_its_rewrites_failed() -> None:
    def second_child(method: str, row: str, kw: Any) -> str:
        return longer(method, row, kw) if kw["rollout_id"] % 2 else row

    _, outcomes, _ = generate(
        second_child, rows_named(*"abcdefgh"), children=[2], rounds=2, on_failure="requeue"
    )
    first = [o for o in outcomes if o.row.round == 1]
    kept = {o.source.id for o in first if o.status == "kept"}
    again = {o.source.id for o in outcomes if o.row.round == 2 and o.source.round == 0}
    assert kept
    assert again == {o.source.id for o in first} - kept


def test_a_row_that_is_long_enough_goes_no_further_and_a_too_long_one_fails() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        added = 40 if "flood" in row else 6
        return row + " Name" + "".join(f" item{len(row)}x{i}" for i in range(added)) + "."

    counts, outcomes, _ = generate(
        reply, rows_named("tides", "flood"), rounds=5, until=Until(14, 40)
    )
    # "List facts about tides." has 4 words: 11, then 18 are enough
    assert told(counts)[:3] == [(1, 2, 1, 1, 0), (2, 1, 1, 0, 1), (3, 0, 0, 0, 0)]
    failed = next(o for o in outcomes if o.status == "failed")
    assert [str(reason) for reason in failed.reasons] == ["over_length: 45 words"]


def test_only_the_last_rows_are_answered_where_only_they_are_saved() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        return "A full answer." if method.startswith("Answer") else longer(method, row, kw)

    _, every, _ = generate(reply, rows_named("a"), responds=True, rounds=3)
    _, last, _ = generate(reply, rows_named("a"), responds=True, rounds=3, save="last")
    assert [bool(o.row.response) for o in every] == [True, True, True]
    assert [bool(o.row.response) for o in last] == [False, False, True]


def test_rounds_are_numbered_from_the_first_one() -> None:
    counts, outcomes, _ = generate(longer, rows_named("a"), rounds=2, first_round=4)
    assert [count.round for count in counts] == [4, 5]
    assert [outcome.row.id for outcome in outcomes] == ["a.4", "a.4.5"]


def test_a_breadth_row_begins_a_lineage_of_its_own() -> None:
    breadth = Method("breadth", "Write another.", kind="breadth")

    def reply(method: str, row: str, kw: Any) -> str:
        return f"Describe how glaciers shape valleys {kw['rollout_id']}."

    _, outcomes, _ = generate(reply, rows_named("a"), schedule=[[breadth]])
    row = outcomes[0].row
    assert (row.id, row.seed_id, row.parent_id) == ("a.1", "a.1", "a")
    assert row.origin == row.instruction
    assert row.trace == ("breadth",)


def test_a_bandit_learns_between_rounds_only() -> None:
    def reply(method: str, row: str, kw: Any) -> str:
        return row if method == "Bad." else longer(method, row, kw)

    def chosen(block_rows: int) -> tuple[Counter[str], Counter[str], list[str]]:
        _, outcomes, _ = generate(
            reply,
            rows_named(*(f"t{i}" for i in range(60))),
            methods=("Good.", "Bad."),
            rounds=2,
            choice="bandit",
            on_failure="requeue",
            block_rows=block_rows,
        )
        by_round = [[o for o in outcomes if o.row.round == n] for n in (1, 2)]
        first, second = (Counter(o.row.method or "" for o in part) for part in by_round)
        return first, second, sorted(o.row.id + str(o.row.method) for o in outcomes)

    first, second, rows = chosen(1)
    assert 20 < first["m1"] < 40
    assert second["m1"] < 6
    assert rows == chosen(7)[2]


@pytest.mark.parametrize(("only_missing", "calls"), [(False, 3), (True, 2)])
def test_no_rounds_answer_the_rows_as_they_are(only_missing: bool, calls: int) -> None:
    rows = [
        replace(row, response=response)
        for row, response in zip(rows_named("a", "b", "c"), ("Known.", "IDK", ""), strict=True)
    ]
    counts, outcomes, model = generate(
        lambda *_: "A full answer with its reasons.",
        rows,
        responds=True,
        rounds=0,
        answer=AnswerSettings(only_missing=only_missing),
    )
    assert told(counts) == [(0, 3, 3, 0, 0)]
    assert model.asked.total() == calls
    first = next(o.row for o in outcomes if o.row.id == "a")
    assert first.response == ("Known." if only_missing else "A full answer with its reasons.")
    assert (first.round, first.parent_id, first.method) == (0, None, None)
