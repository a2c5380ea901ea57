"""Rows of an earlier run as the pool of a further round."""

import json
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.data.seeds import load_seeds
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row


def row(identity: str, parent: str | None, round_number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "seed_id": identity.split(".")[0],
        "parent_id": parent,
        "round": round_number,
        "trace": ["deepen"] * round_number,
        "instruction": f"Explain {identity}.",
        "origin": "Explain.",
        **more,
    }


EARLIER = [
    row("a.1", "a", 1),
    row("a.1.2", "a.1", 2),
    row("b.1", "b", 1),
    row("c.1", "c", 1, seed_id="c.1"),
    row("b.2", "b", 2),
]


def load(workplace: Path, rows: list[dict[str, Any]], **evolve: Any) -> list[Row]:
    data = workplace / "evolved.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))
    file = workplace / "t.yaml"
    tree = {
        "name": "t",
        "models": {"evolver": {"model": "scripted/world"}},
        "data": {"path": str(data)},
        "optimizer": {"name": "none"},
        "evolve": evolve,
    }
    file.write_text(json.dumps(tree))
    return [*load_seeds(load_config(file), "t.yaml")]


def test_the_rows_of_the_round_before_go_on_with_their_lineage(workplace: Path) -> None:
    found = load(workplace, EARLIER, first_round=3)
    assert [each.id for each in found] == ["a.1.2", "b.2"]
    assert (found[0].seed_id, found[0].parent_id, found[0].round) == ("a", "a.1", 2)
    assert found[0].trace == ("deepen", "deepen")
    assert found[0].origin == "Explain."


def test_a_pool_of_all_takes_every_round_before(workplace: Path) -> None:
    found = load(workplace, EARLIER, first_round=2, pool="all")
    assert [each.id for each in found] == ["a.1", "b.1", "c.1"]


def test_without_first_round_the_rows_go_on_after_their_last_round(workplace: Path) -> None:
    assert load(workplace, EARLIER) == load(workplace, EARLIER, first_round=3)


def test_a_first_round_of_one_begins_new_lineages(workplace: Path) -> None:
    found = load(workplace, EARLIER, first_round=1)
    assert len(found) == len(EARLIER)
    assert all(each.round == 0 and each.seed_id == each.id for each in found)
    assert all(each.trace == () and each.origin == each.instruction for each in found)


def test_rows_that_are_answered_as_they_are_keep_their_lineage(workplace: Path) -> None:
    found = load(workplace, EARLIER, rounds=0)
    assert [(each.id, each.round) for each in found] == [
        ("a.1", 1),
        ("a.1.2", 2),
        ("b.1", 1),
        ("c.1", 1),
        ("b.2", 2),
    ]
    assert found[1].trace == ("deepen", "deepen")


def test_rows_without_a_lineage_are_all_taken(workplace: Path) -> None:
    rows = [{"instruction": "Explain tides."}, {"instruction": "Explain winds."}]
    assert len(load(workplace, rows, first_round=4)) == 2


@pytest.mark.parametrize(
    ("rows", "needles"),
    [
        pytest.param(
            [row("a.1", "a", 1), row("a.1.2", "a.9", 2)], ["jsonl:2", "'a.9'"], id="missing parent"
        ),
        pytest.param(
            [row("a.1", "a.1.2", 1), row("a.1.2", "a.1", 2)], ["jsonl:1", "no earlier"], id="cycle"
        ),
        pytest.param([row("a.1", "a.1", 1)], ["jsonl:1", "no earlier"], id="its own parent"),
        pytest.param([row("a.1", "a", 1)], ["evolve.first_round", "rounds 1"], id="no such round"),
        pytest.param([row("a.1", "a", 1, round="2")], ["round"], id="round is no number"),
        pytest.param([row("a.1", "a", 1, trace="deepen")], ["trace"], id="trace is no list"),
    ],
)
def test_a_lineage_that_cannot_be_is_refused(
    workplace: Path, rows: list[dict[str, Any]], needles: list[str]
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(workplace, rows, first_round=3)
    assert all(needle in str(raised.value) for needle in needles)
