"""The class of an evolver, from the words of its seeds that it keeps."""

import pytest

from autoevol.metrics import RULES, Case, for_evolver
from autoevol.metrics.failure.evolvers import LEAST_REWRITES, EvolverLook, look_at

SEED = "Name three bridges across the Danube."
COPY = "Name three bridges across the Danube and the year in which each of them was built."
REWORDED = "Enumerate a trio of crossings over that river, with the year of their construction."


@pytest.mark.parametrize(
    ("rewrite", "count", "expected"),
    [
        (COPY, LEAST_REWRITES, "copies"),
        (REWORDED, LEAST_REWRITES, "rewords"),
        (COPY, LEAST_REWRITES - 1, "unknown"),
    ],
)
def test_an_evolver_copies_or_rewords(rewrite: str, count: int, expected: str) -> None:
    look = look_at([Case(SEED, rewrite)] * count)
    assert look.evolver_class == expected
    assert look.rewrites == count


@pytest.mark.parametrize(
    ("compared", "looked", "expected"),
    [
        pytest.param(8, 32, "copies", id="most are answers, eight are rewrites"),
        pytest.param(7, 32, "unknown", id="seven tell too little"),
        pytest.param(19, 19, "unknown", id="too few were looked at"),
        pytest.param(20, None, "copies", id="a look of a folder that counts no others"),
    ],
)
def test_rewrites_with_evidence_against_them_count_as_looked_at(
    compared: int, looked: int | None, expected: str
) -> None:
    assert look_at([Case(SEED, COPY)] * compared, looked).evolver_class == expected


@pytest.mark.parametrize(
    "case",
    [Case("?", COPY), Case(SEED, None), Case(SEED, REWORDED, method_kind="breadth")],
    ids=["no content words", "no rewrite", "another task"],
)
def test_what_tells_nothing_of_an_evolver_is_left_out(case: Case) -> None:
    assert look_at([case, Case(SEED, COPY)]) == EvolverLook(1.0, 1)


def test_a_rule_speaks_of_its_evolvers_alone() -> None:
    rules = [RULES["unchanged"], RULES["restated"]]
    assert [rule.name for rule in for_evolver(rules, "copies")] == ["unchanged"]
    assert [rule.name for rule in for_evolver(rules, "rewords")] == ["unchanged", "restated"]
