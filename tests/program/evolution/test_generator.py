"""The bulk phase: attempts, answers, choices, and rows whose calls died."""

from collections import Counter
from typing import Any

import pytest
from dspy.utils.exceptions import ContextWindowExceededError, LMAuthError, LMTransportError

from autoevol.program.evolution.evolver import Evolver
from autoevol.program.records import RoundCount
from autoevol.signatures import Method
from autoevol.signatures.remedies import REMEDIES
from tests.support.generating import MORE, Model, generate, rows_named, sound


def test_a_failed_row_is_tried_again_and_the_cost_of_both_is_its_own() -> None:
    tries: Counter[str] = Counter()

    def second_time(method: str, row: str, kw: Any) -> str:
        tries[row] += 1
        return row + MORE if tries[row] == 2 else row

    counts, outcomes, model = generate(second_time, rows_named("tides"), attempts=3)

    assert counts == [RoundCount(1, 1, 1, 0, 0)]
    assert outcomes[0].attempts == 2
    assert model.calls.total() == 2


def test_later_attempts_are_warmer_and_ask_for_other_draws() -> None:
    calls: list[tuple[Any, Any]] = []

    def never(method: str, row: str, kw: Any) -> str:
        calls.append((kw.get("temperature"), kw["rollout_id"]))
        return row

    generate(never, rows_named("tides"), attempts=3, retry_temperature=0.9)

    assert [temperature for temperature, _ in calls] == [None, 0.9, 0.9]
    assert len({draw for _, draw in calls}) == 3


def test_a_further_attempt_reads_why_the_last_one_failed_behind_the_row() -> None:
    class Reader(Model):
        users: list[str] = []  # noqa: RUF012

        async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
            self.users.append(messages[-1]["content"])
            return await super().acall(prompt, messages=messages, **kw)

    def second_time(method: str, row: str, kw: Any) -> str:
        return row + MORE if kw.get("temperature") else row

    _, outcomes, model = generate(
        second_time, rows_named("tides"), attempts=3, feedback=True, model=Reader
    )

    first, second = model.users
    row, refusal, closing = second.split("\n\n")
    assert first == f"{row}\n\n{closing}"
    assert refusal.startswith("Refused attempt:\nAn earlier attempt was refused, since it repeats")
    assert REMEDIES["same_text"].order in refusal
    assert outcomes[0].status == "kept"


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
    assert model.calls.total() == 3


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
