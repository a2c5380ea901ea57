"""The bulk phase: schedules, children, pools, lengths, and a bandit that learns between rounds."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.attempt import LengthGoal
from autoevol.program.evolution.generator import GenerationSettings
from autoevol.program.records import MethodTally
from autoevol.signatures import Method
from tests.support.generating import accounts, generate, longer, rows_named


def test_each_round_of_a_schedule_has_its_own_methods() -> None:
    down = Method("down", "Make it easier.", kind="down")
    up = [Method("deepen", "Deepen."), Method("widen", "Widen.")]
    counts, outcomes, _ = generate(
        longer, rows_named("a", "b"), schedule=[[down], up], rounds=2, choice="round_robin"
    )
    assert accounts(counts) == [(1, 2, 2, 0, 0), (2, 2, 2, 0, 0)]
    traces = {outcome.row.id: outcome.row.trace for outcome in outcomes}
    assert traces == {
        "a.1": ("down",),
        "b.1": ("down",),
        "a.1.2": ("down", "deepen"),
        "b.1.2": ("down", "widen"),
    }


def test_children_are_rewrites_of_the_same_row_and_all_are_evolved_further() -> None:
    counts, outcomes, _ = generate(longer, rows_named("a"), children=[2], rounds=2)
    assert accounts(counts) == [(1, 2, 2, 0, 0), (2, 4, 4, 0, 0)]
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
def test_the_most_rewrites_are_an_upper_bound(settings: dict[str, Any], most: int) -> None:
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
def test_the_most_answers_are_an_upper_bound(settings: dict[str, Any], most: int) -> None:
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
        reply, rows_named("tides", "flood"), rounds=5, until=LengthGoal(14, 40)
    )
    # "List facts about tides." has 4 words: 11, then 18 are enough
    assert accounts(counts)[:3] == [(1, 2, 1, 1, 0), (2, 1, 1, 0, 1), (3, 0, 0, 0, 0)]
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


def test_a_resumed_bandit_begins_its_rounds_with_the_stored_tallies() -> None:
    def chosen(learned: dict[int, dict[str, MethodTally]]) -> list[str]:
        _, outcomes, _ = generate(
            longer,
            rows_named(*(f"t{i}" for i in range(40))),
            methods=("One.", "Other."),
            rounds=2,
            choice="bandit",
            learned=learned,
        )
        return [o.row.method or "" for o in outcomes if o.row.round == 2]

    assert 5 < Counter(chosen({}))["m1"] < 35
    assert set(chosen({2: {"m0": MethodTally(0, 500), "m1": MethodTally(500, 0)}})) == {"m1"}


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
    assert accounts(counts) == [(0, 3, 3, 0, 0)]
    assert model.calls.total() == calls
    first = next(o.row for o in outcomes if o.row.id == "a")
    assert first.response == ("Known." if only_missing else "A full answer with its reasons.")
    assert (first.round, first.parent_id, first.method) == (0, None, None)
