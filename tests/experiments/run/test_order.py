"""One config, seed and set of replies give byte-equal files, however many calls run at a time."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.server_process import ServerProcess, serving
from tests.support.command_line import rows_of, run_cli

FILES = ("evolved.jsonl", "failures.jsonl", "filtered.jsonl", "exports/alpaca.jsonl")
MANY: dict[str, Any] = {"rounds": 3, "children": [2, 1], "on_failure": "requeue", "attempts": 2}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """Serve replies that overtake each other."""
    with serving(latency=0.002, jitter=0.03) as process:
        yield process


def write(
    write_config: Callable[..., Path], server: ServerProcess, concurrency: int, **evolve: Any
) -> str:
    model = {"model": "hosted_vllm/world", "api_base": server.url, "concurrency": concurrency}
    solver = {**model, "model": "hosted_vllm/weak", "temperature": 0.7}
    return str(
        write_config(
            24,
            models={
                "evolver": model,
                "solver": solver,
                "strong_solver": {**model, "temperature": 0.7},
            },
            optimizer={"name": "none"},
            failure={"rules": ["strict"], "teach": evolve.pop("teach", [])},
            evolve={"methods": ["weak", "e0"], **evolve},
            filters=[{"name": "dedup", "alike": 0.9}],
            output={"formats": ["alpaca"]},
        )
    )


@pytest.mark.parametrize(
    "evolve",
    [
        pytest.param({}, id="one round"),
        pytest.param(MANY, id="children and requeued rows"),
        pytest.param({**MANY, "pool": "all"}, id="a pool of all rows"),
        pytest.param({**MANY, "choice": "bandit"}, id="a bandit"),
        pytest.param({"rounds": 0}, id="answers alone"),
        pytest.param({**MANY, "feedback": True, "teach": ["learnable"]}, id="rows that teach"),
    ],
)
def test_files_are_the_same_at_any_concurrency(
    evolve: dict[str, Any], server: ServerProcess, write_config: Callable[..., Path]
) -> None:
    for concurrency in (1, 16):
        config = write(write_config, server, concurrency, **evolve)
        run_cli("run", config, "--out", f"runs/{concurrency}", expected=0)

    names = [*FILES, "bandit.json"] if evolve.get("choice") else FILES
    one, many = (
        {name: Path(f"runs/{concurrency}", name).read_bytes() for name in names}
        for concurrency in (1, 16)
    )
    assert one == many


def test_rows_are_in_the_order_of_seed_round_and_child(
    server: ServerProcess, write_config: Callable[..., Path]
) -> None:
    config = write(write_config, server, 16, rounds=2, pool="all", children=2)
    run_cli("run", config, "--set", "failure.rules=[]", expected=0)

    ids = [row["id"] for row in rows_of(Path("runs/test/evolved.jsonl"))]

    lineage = "1 1-2 2 2-2 1.2 1.2-2 1-2.2 1-2.2-2".split()
    by_round = [*lineage[:2], *lineage[4:], *lineage[2:4]]
    assert ids[: len(by_round)] == [f"seed-1.{path}" for path in by_round]
    assert [name.split(".")[0] for name in ids] == [
        f"seed-{i}" for i in range(1, 25) for _ in by_round
    ]


@contextlib.contextmanager
def watched(file: Path) -> Iterator[list[set[str]]]:
    """Read the ids in a file again and again until the block is left."""
    snapshots: list[set[str]] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            lines = file.read_bytes().split(b"\n")
            # The last line may be half written.
            snapshots.append({json.loads(line)["id"] for line in lines[:-1]})

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield snapshots
    finally:
        is_over.set()
        reader.join()


def test_a_reader_never_sees_a_row_vanish_while_a_run_resumes(
    server: ServerProcess, write_config: Callable[..., Path]
) -> None:
    config, file = write(write_config, server, 4, **MANY), Path("runs/test/evolved.jsonl")
    run_cli("run", config, "--set", "budget.calls=40", expected=3)
    begun = {row["id"] for row in rows_of(file)}

    with watched(file) as snapshots:
        run_cli("run", config, "--set", "budget.calls=60", expected=3)
        run_cli("run", config, expected=0)

    assert begun
    assert all(
        earlier <= later for earlier, later in zip([begun, *snapshots], snapshots, strict=False)
    )
    assert len({len(snapshot) for snapshot in snapshots}) > 2, "the file grows while rows come"
