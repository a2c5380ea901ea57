"""Whole runs on seeds whose names look like those of evolved rows: no id is shared."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from autoevol.experiments.artifacts.format import FORMAT
from tests.support.command_line import rows_of, run_cli, summary_of

RUN = Path("runs/test")


def write_named_seeds(names: list[str]) -> None:
    rows = [
        {"id": name, "instruction": f"List the {number} largest rivers of Europe."}
        for number, name in enumerate(names, start=1)
    ]
    Path("seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def ids_in(folder: Path) -> list[str]:
    files = (folder / "evolved.jsonl", folder / "failures.jsonl")
    return [row["id"] for file in files for row in rows_of(file)]


@pytest.mark.parametrize("pool", ["previous", "all"])
def test_every_row_has_its_own_id_and_its_own_score(
    pool: str, write_config: Callable[..., Path]
) -> None:
    config = write_config(
        optimizer={"name": "none"},
        evolve={"methods": ["weak"], "rounds": 2, "pool": pool, "children": 2},
        scores={"names": ["length", "difficulty"]},
        filters=[{"name": "dedup"}],
    )
    names = ["1", "1.1", "1.1.2", "1-2", "1.1-2", "1..2", "2.", "2"]
    write_named_seeds(names)

    run_cli("run", str(config), expected=0)

    ids, kept = ids_in(RUN), rows_of(RUN / "evolved.jsonl")
    assert len(ids) == len({*ids, *names}) - len(names)
    assert {row["parent_id"] for row in kept} <= {*ids, *names}
    lines = [line["id"] for line in rows_of(RUN / "scores.jsonl")]
    assert sorted(lines) == sorted([*names, *(row["id"] for row in kept)])
    assert all(row["scores"]["words"] == len(row["instruction"].split()) for row in kept)
    assert summary_of(RUN)["rows_out"] == len(kept)


def test_a_file_of_evolved_rows_is_a_file_of_seeds(write_config: Callable[..., Path]) -> None:
    evolve = {"methods": ["weak"], "rounds": 2, "pool": "all"}
    config = write_config(8, optimizer={"name": "none"}, evolve=evolve)
    run_cli("run", str(config), "--out", "runs/first", expected=0)

    again = ("--set", "data.path=runs/first/evolved.jsonl", "--out", "runs/second")
    run_cli("run", str(config), *again, expected=0)

    seeds = [row["id"] for row in rows_of(Path("runs/first/evolved.jsonl"))]
    ids = ids_in(Path("runs/second"))
    assert len({*ids, *seeds}) == len(ids) + len(seeds)


def test_a_folder_of_format_1_keeps_the_ids_that_it_began_with(
    write_config: Callable[..., Path],
) -> None:
    evolve = {"methods": ["weak"], "rounds": 2, "on_failure": "requeue"}
    config = write_config(optimizer={"name": "none"}, evolve=evolve)
    write_named_seeds(["a", "a.1", "b"])
    run_cli("run", str(config), "--set", "budget.calls=1", expected=3)
    identity = json.loads((RUN / "run.json").read_text())
    assert identity.pop("format") == FORMAT
    (RUN / "run.json").write_text(json.dumps(identity))
    # Nor had a folder of that format the keys that came later.
    stored = yaml.safe_load((RUN / "config.yaml").read_text())
    for key in ("format", "fields", "invalid", "keep"):
        del stored["data"][key]
    stored["optimizer"] = {"name": "none"}
    (RUN / "config.yaml").write_text(yaml.safe_dump(stored))

    run_cli("run", str(config), expected=0)

    assert "format" not in json.loads((RUN / "run.json").read_text())
    assert {"a.1", "a.1.1", "b.1"} <= {*ids_in(RUN)}
