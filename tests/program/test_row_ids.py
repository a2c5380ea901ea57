"""Ids of evolved rows are unique, whatever the seeds are called."""

import itertools
import random
from collections.abc import Iterable, Iterator

import pytest

from autoevol.program.row_ids import RowIds


def family(ids: RowIds, seed: str, rounds: int, children: int) -> Iterator[str]:
    """Yield the ids of a seed and of all rows of its lineage: every row is evolved every round."""
    pool = [seed]
    for number in range(1, rounds + 1):
        pool += [ids.name(row, number, child) for row in pool for child in range(children)]
    yield from pool


def all_ids(seeds: Iterable[str], rounds: int = 3, children: int = 2) -> list[str]:
    names = list(seeds)
    ids = RowIds.unique_among(names)
    return [name for seed in names for name in family(ids, seed, rounds, children)]


@pytest.mark.parametrize(
    "seeds",
    [
        ["1", "1.1"],
        ["a", "a.1", "a.1-2", "a-2", "a.1.2", "a..1"],
        ["", ".", "..", "1.", "1..", ".1", "..1"],
        ["v1.2", "v1", "v1.2.3-4"],
        ["2024-01-05", "3.14", "3", "a/b.7", "질문.1", "질문"],
    ],
)
def test_no_two_rows_share_an_id(seeds: list[str]) -> None:
    names = all_ids(seeds)
    assert len(names) == len(set(names))


def test_no_two_rows_share_an_id_for_seeds_of_any_dots_digits_and_dashes() -> None:
    rng = random.Random(0)
    alphabet = ["".join(chars) for n in range(6) for chars in itertools.product("1.-", repeat=n)]
    for _ in range(40):
        names = all_ids(rng.sample(alphabet, 20))
        assert len(names) == len(set(names))


def test_rows_of_a_run_are_seeds_of_another_as_often_as_one_likes() -> None:
    names = ["seed-1", "seed-2"]
    for _ in range(3):
        names = all_ids(names, rounds=2, children=1)
        assert len(names) == len(set(names))


def test_ids_stay_short_and_readable() -> None:
    assert RowIds.unique_among(["seed-1", "row.a"]).name("seed-1", 2) == "seed-1.2"
    assert RowIds.unique_among(["seed-1"]).name("seed-1.2", 3, child=1) == "seed-1.2.3-2"
    assert RowIds.unique_among(["1", "1.1"]).name("1.1", 1) == "1.1..1"


def test_a_continued_run_keeps_the_scheme_of_its_rows() -> None:
    assert RowIds.unique_among(["a", "a.1"], first_round=2, continued=["a.1"]).separator == "."
    names = ["1.1", "1.1..1"]
    ids = RowIds.unique_among(names, first_round=2, continued=["1.1..1"])
    assert ids.name("1.1..1", 2) == "1.1..1..2"


def test_only_ends_that_read_like_a_round_take_another_dot() -> None:
    assert RowIds.unique_among(["v1.2-beta", "3.14.x", "gpt-4.1/a"]).separator == "."
    assert RowIds.unique_among(["gpt-4.1"]).separator == ".."
    assert RowIds.unique_among(["x." + "9" * 5000]).separator == "."
