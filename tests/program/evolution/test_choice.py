"""How a row gets its method, by hand."""

from collections import Counter

import pytest

from autoevol.program.evolution.choice import Chooser, RewriteSlot
from autoevol.program.records import MethodTally, Row

NAMES = ("a", "b", "c")


def slot(index: int, child: int = 0) -> RewriteSlot:
    name = f"row-{index}"
    return RewriteSlot(index, Row(name, name, "x"), child)


@pytest.mark.parametrize(
    ("index", "round_number", "attempt", "child", "expected"),
    [
        (0, 1, 0, 0, 1),
        (1, 1, 0, 0, 2),
        (2, 1, 0, 0, 0),
        (0, 2, 0, 0, 2),
        (0, 1, 1, 0, 2),
        (0, 1, 2, 0, 0),
        (0, 1, 0, 1, 2),
    ],
)
def test_round_robin_is_index_and_round_modulo_methods(
    index: int, round_number: int, attempt: int, child: int, expected: int
) -> None:
    chosen = Chooser("round_robin").choose(NAMES, slot(index, child), round_number, attempt)
    assert chosen == expected


@pytest.mark.parametrize("name", ["random", "weighted", "round_robin", "bandit"])
def test_a_failed_attempt_is_followed_by_the_next_method(name: str) -> None:
    chooser = Chooser(name, seed=3)  # type: ignore[arg-type]
    first = chooser.choose(NAMES, slot(5), 1, 0)
    assert chooser.choose(NAMES, slot(5), 1, 1) == (first + 1) % 3
    assert chooser.choose(NAMES, slot(5), 1, 3) == first


def counted(chooser: Chooser, rows: int = 3000) -> Counter[int]:
    return Counter(chooser.choose(NAMES, slot(i), 1, 0) for i in range(rows))


def test_a_random_choice_is_even_and_differs_by_seed_round_and_child() -> None:
    counts = counted(Chooser("random", seed=1))
    assert all(900 < counts[i] < 1100 for i in range(3))
    chooser, other = Chooser("random", seed=1), Chooser("random", seed=2)
    rows = range(60)
    usual = [chooser.choose(NAMES, slot(i), 1, 0) for i in rows]
    assert usual != [other.choose(NAMES, slot(i), 1, 0) for i in rows]
    assert usual != [chooser.choose(NAMES, slot(i), 2, 0) for i in rows]
    assert usual != [chooser.choose(NAMES, slot(i, 1), 1, 0) for i in rows]


def test_weights_are_shares_and_a_method_without_one_has_one() -> None:
    counts = counted(Chooser("weighted", {"a": 4.0, "b": 0.0}))
    assert counts[1] == 0
    assert 0.76 < counts[0] / 3000 < 0.84  # 4 of 5


def test_a_bandit_without_tallies_tries_all() -> None:
    counts = counted(Chooser("bandit"))
    assert all(900 < counts[i] < 1100 for i in range(3))


def test_a_bandit_prefers_what_was_kept_more_often_and_still_tries_the_rest() -> None:
    tallies = {"a": MethodTally(40, 10), "b": MethodTally(10, 40), "c": MethodTally(2, 2)}
    counts = counted(Chooser("bandit", tallies=tallies))
    assert counts[0] > counts[2] > counts[1]
    assert counts[2] > 100  # few attempts: its rate is uncertain


def test_one_method_needs_no_choice() -> None:
    assert Chooser("weighted", {"a": 0.0}).choose(("a",), slot(1), 1, 4) == 0
