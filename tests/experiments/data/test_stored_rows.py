"""Many seeds in a file instead of in memory: the same seeds, in every respect."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.config.experiment import ExperimentConfig, load_config
from autoevol.experiments.data import seeds
from autoevol.experiments.data.formats import account
from autoevol.experiments.data.stored_rows import StoredRows
from autoevol.experiments.run.planning.estimate import estimate
from autoevol.experiments.run.planning.plan import make_plan
from autoevol.metrics import Reason
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

CONTINUED = "a row of a run at the end"
SEEDS: dict[str, list[dict[str, Any]]] = {
    "texts": [{"id": f"s-{n}", "instruction": f"Name {n} oaks. \u2028 나무"} for n in range(20)],
    "nameless": [{"instruction": f"Name {n} oaks."} for n in range(20)],
    "Alpaca": [
        {"instruction": f"Count {n}.", "input": "a b" * (n % 2), "output": f"{n}", "kind": {"n": n}}
        for n in range(20)
    ],
    "conversations": [
        {"id": f"c.{n}", "turns": ["Hi.", f"And {n}?"], "answers": ["Yes.", "No."], "system": "Be."}
        for n in range(20)
    ],
    "checks": [{"instruction": f"Say {n}.", "checks": [{"kind": "quotation"}]} for n in range(20)],
    "dots": [{"id": f"v{n}..{n}", "instruction": f"Say {n}."} for n in range(20)],
    CONTINUED: [
        *({"id": f"s{n}", "instruction": f"Say {n}."} for n in range(19)),
        {
            "id": "s1.1",
            "seed_id": "s1",
            "parent_id": "s1",
            "round": 1,
            "instruction": "Say one.",
            "origin": "Say 1.",
        },
    ],
}


def _config(workplace: Path, rows: list[dict[str, Any]], **sections: Any) -> ExperimentConfig:
    Path("seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tree = {
        "name": "t",
        "models": {"evolver": {"model": "scripted/world"}},
        "data": {"path": "seeds.jsonl"},
        "evolve": {"methods": ["e0"]},
        **sections,
    }
    file = workplace / "t.yaml"
    file.write_text(json.dumps(tree))
    return load_config(file)


@pytest.mark.parametrize(
    "evolve", [{}, {"input": "append"}, {"rounds": 0}, {"first_round": 2}, {"search": "auto_evol"}]
)
@pytest.mark.parametrize("kind", SEEDS)
def test_stored_seeds_are_those_in_memory(
    kind: str,
    evolve: dict[str, Any],
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A search needs more rows than the one that belongs to an earlier round.
    is_search = "search" in evolve and kind != CONTINUED
    optimizer = {"name": "auto_evol" if is_search else "none"}
    sections = {"methods": ["e0"], **{k: v for k, v in evolve.items() if k != "search"}}
    config = _config(workplace, SEEDS[kind], evolve=sections, optimizer=optimizer)
    held = make_plan(config, "t.yaml")
    monkeypatch.setattr(seeds, "IN_MEMORY", 6)
    monkeypatch.setattr(account, "_LOCATED", 3)
    stored = make_plan(config, "t.yaml")

    assert isinstance(held.splits.seeds, list)
    assert isinstance(stored.splits.seeds, StoredRows) == (kind != CONTINUED)
    assert [*stored.splits.seeds] == held.splits.seeds
    assert stored.splits == held.splits
    assert stored.content == held.content
    assert stored.config == held.config
    assert stored.recognised == held.recognised
    assert stored.facts.data_set == held.facts.data_set
    assert estimate(stored) == estimate(held)


def test_a_stored_row_comes_back_whole() -> None:
    rows = [
        Row(
            f"r{n}",
            "s",
            "Do it.",
            parent_id="s",
            trace=("e0",),
            turns=("a", "b"),
            scores={"complexity": 3.5},
            suspected_by=(Reason("copy", "the same", "suspicion"),),
            meta={"kind": {"deep": [1, None, True]}},
        )
        for n in range(600)
    ]
    stored = StoredRows()
    for row in rows:
        stored.append(row)

    assert stored == rows
    assert rows == stored
    assert stored[-1] == rows[-1]
    assert stored[255:520] == rows[255:520]
    assert stored[::-1] == rows[::-1]
    assert [len(stored), stored[600:]] == [600, []]
    assert stored != [*rows[:-1], rows[0]]
    with pytest.raises(IndexError):
        stored[600]


def test_an_id_that_is_taken_is_refused_among_many_seeds(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "_LOCATED", 3)
    rows = [*SEEDS["texts"], SEEDS["texts"][1], SEEDS["texts"][12]]

    with pytest.raises(ConfigError) as refusal:
        make_plan(_config(workplace, rows), "t.yaml")

    problem = f"{refusal.value} {refusal.value.details}"
    assert "id 's-1' is taken by seeds.jsonl:2" in problem
    assert "id 's-12' is taken by a row before it" in problem


def test_a_full_disk_is_one_line(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "IN_MEMORY", 6)
    full = open("/dev/full", "wb+")  # noqa: SIM115, PTH123 (the rows close it)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)

    with pytest.raises(ConfigError, match=r"TMPDIR: .* cannot hold the seeds: .*No space left"):
        make_plan(_config(workplace, SEEDS["texts"]), "t.yaml")
