"""A bulk phase in chunks: the same rows as at once, and finished chunks are never opened again."""

import json
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.ledger import Ledger
from autoevol.experiments.models.transports import scripted
from benchmarks.faults import reference_in, violations
from tests.support import kills
from tests.support.command_line import Result, rows_of, run_cli
from tests.support.counting import counting
from tests.support.kills import killed_run, moment
from tests.support.loopback import Answer, ReceivedRequest, answering, openai_reply

WriteConfig = Callable[..., Path]
ROWS, CHUNK = 30, 7
EVOLVE = {
    "methods": ["weak", "e0", "deepen"],
    "choice": "round_robin",
    "rounds": 2,
    "children": 2,
    "attempts": 2,
    "respond": True,
}
OWN = {"wall_s", "mlflow_run_id", "files", "calls_replayed", "resumed", "method_tokens_cached"}


def _run(write_config: WriteConfig, out: str, *, expected: int = 0, **evolve: Any) -> Result:
    models = {
        "evolver": {"model": "scripted/counted", "concurrency": 4, "temperature": 0.7},
        "responder": {"temperature": 0.0},
    }
    config = write_config(
        ROWS, models=models, optimizer={"name": "none"}, evolve={**EVOLVE, **evolve}
    )
    return run_cli("run", str(config), "--out", out, expected=expected)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    draws: list[int] = []
    monkeypatch.setitem(scripted.SCRIPTS, "counted", counting(draws))
    return draws


def _summary(folder: str) -> dict[str, Any]:
    tree = json.loads(Path(folder, "summary.json").read_text("utf-8"))
    return {key: value for key, value in tree.items() if key not in OWN}


def _stored(file: Path) -> set[bytes]:
    with closing(sqlite3.connect(file)) as db:
        return {key for (key,) in db.execute("SELECT key FROM calls")}


def test_the_rows_are_those_of_a_run_without_chunks(
    write_config: WriteConfig, calls: list[int]
) -> None:
    _run(write_config, "runs/whole")
    whole = len(calls)
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    assert len(calls) == 2 * whole
    for name in ("evolved.jsonl", "failures.jsonl", "exports/messages.jsonl"):
        assert Path("runs/parts", name).read_bytes() == Path("runs/whole", name).read_bytes(), name
    assert _summary("runs/parts") == _summary("runs/whole")
    chunks = sorted(Path("runs/parts/chunks").iterdir())
    assert len(chunks) == 5
    assert all((chunk / "done.json").is_file() for chunk in chunks)
    # What depends on no draw lies in the run's own ledger, which all chunks read.
    shared = _stored(Path("runs/parts/ledger.sqlite"))
    drawn = [key for chunk in chunks for key in _stored(chunk / "ledger.sqlite")]
    assert shared
    assert not shared & {*drawn}
    assert shared | {*drawn} == _stored(Path("runs/whole/ledger.sqlite"))
    assert len(drawn) + len(shared) == whole
    assert not Path("runs/whole/chunks").exists()


def test_finished_chunks_are_not_opened_again(
    write_config: WriteConfig, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(write_config, "runs/whole")
    whole, opened = len(calls), list[str]()
    with monkeypatch.context() as patch:
        patch.setitem(scripted.SCRIPTS, "counted", counting(calls, interrupt_at=whole + whole // 2))
        _run(write_config, "runs/parts", expected=3, chunk_rows=CHUNK)
    finished = sorted(file.parent.name for file in Path("runs/parts").glob("chunks/*/done.json"))
    assert 0 < len(finished) < 5
    # Who looks meanwhile sees each row once, those of the open chunk included.
    names = [
        row["id"]
        for name in ("evolved.jsonl", "failures.jsonl")
        for row in rows_of(Path("runs/parts", name))
    ]
    assert len(names) == len({*names}) > len(finished) * CHUNK
    use_part = Ledger.use_part

    def noted(ledger: Ledger, path: Path | None) -> None:
        opened.extend([path.parent.name] if path else [])
        use_part(ledger, path)

    monkeypatch.setattr(Ledger, "use_part", noted)
    # The number of rows in a chunk is fixed when a run begins.
    shown = _run(write_config, "runs/parts", chunk_rows=1000)
    assert opened == sorted({f"{n:05d}" for n in range(1, 6)} - {*finished})
    assert len(calls) == 2 * whole, "no call was made twice"
    assert Path("runs/parts/evolved.jsonl").read_bytes() == (
        Path("runs/whole/evolved.jsonl").read_bytes()
    )
    assert _summary("runs/parts") == _summary("runs/whole")
    assert "rows in / out" in shown.out
    # A finished run is left alone, and one that lost its rows is made again without a call.
    Path("runs/parts/evolved.jsonl").unlink()
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    assert len(calls) == 2 * whole
    assert Path("runs/parts/evolved.jsonl").read_bytes() == (
        Path("runs/whole/evolved.jsonl").read_bytes()
    )


def test_a_target_that_is_set_later_pays_nothing_twice(
    write_config: WriteConfig, calls: list[int]
) -> None:
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    whole = len(calls)
    _run(write_config, "runs/parts", chunk_rows=CHUNK, target=5)
    assert len(calls) == whole
    assert len(rows_of(Path("runs/parts/evolved.jsonl"))) == 5
    figures = _summary("runs/parts")
    assert (figures["calls"], figures["calls_shared"]) == (whole, 0)
    assert figures["rows_surplus"]
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    assert len(calls) == whole
    assert not Path("runs/parts/surplus.jsonl").exists()


def test_a_preview_asks_nothing_that_a_chunk_has(
    write_config: WriteConfig, calls: list[int]
) -> None:
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    whole = len(calls)
    shown = run_cli("preview", "runs/parts/config.yaml", "--rows", "5", "--out", "runs/parts")
    assert shown.code == 0
    assert len(calls) == whole


@pytest.mark.parametrize("fault", ["cut", "emptied", "removed", "by_another_method"])
def test_rows_that_a_mark_does_not_count_are_made_again(
    write_config: WriteConfig, calls: list[int], fault: str
) -> None:
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    whole, before = len(calls), Path("runs/parts/evolved.jsonl").read_bytes()
    rows, mark = (Path("runs/parts/chunks/00002", name) for name in ("evolved.jsonl", "done.json"))
    if fault == "cut":
        rows.write_bytes(rows.read_bytes()[:-9])
    elif fault == "emptied":
        rows.write_bytes(b"")
    elif fault == "removed":
        rows.unlink()
    else:
        # As of a search that was skipped and then made.
        mark.write_text(json.dumps({**json.loads(mark.read_text()), "made_by": "other"}))
    Path("runs/parts/summary.json").unlink()
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    assert len(calls) == whole
    assert Path("runs/parts/evolved.jsonl").read_bytes() == before


@pytest.mark.parametrize("evolve", [{"target": 20}, {"choice": "bandit"}, {"chunk_rows": ROWS}])
def test_a_run_that_cannot_be_divided_is_not(
    write_config: WriteConfig, calls: list[int], evolve: dict[str, Any]
) -> None:
    _run(write_config, "runs/whole", **{"chunk_rows": CHUNK, **evolve})
    assert not Path("runs/whole/chunks").exists()
    assert calls


def test_calls_of_a_chunk_that_is_made_again_stay_on_the_bill(
    write_config: WriteConfig, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    whole, chunk = len(calls), Path("runs/parts/chunks/00002")
    # The mark is of other methods, and the ledger has lost the chunk's calls, which are made again.
    mark = json.loads((chunk / "done.json").read_text())
    (chunk / "done.json").write_text(json.dumps({**mark, "made_by": "other"}))
    (chunk / "ledger.sqlite").unlink()
    Path("runs/parts/summary.json").unlink()
    with monkeypatch.context() as patch:
        patch.setitem(scripted.SCRIPTS, "counted", counting(calls, interrupt_at=whole + 9))
        _run(write_config, "runs/parts", expected=3, chunk_rows=CHUNK)
    assert not (chunk / "done.json").exists()
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    lost = len(calls) - whole
    assert _summary("runs/parts")["calls"] == whole
    assert lost > 9


def test_a_chunk_with_unscored_rows_is_tried_again(write_config: WriteConfig) -> None:
    broken = ["seed-9 "]

    def reply(request: ReceivedRequest) -> Answer:
        text = request.body["messages"][-1]["content"]
        if any(name in f"{text} " for name in broken):
            return 500, {"error": {"message": "down"}}
        return 200, openai_reply(f"{text} Name the source of each, too, and say why it is one.")

    with answering(reply) as server:
        model = {"model": "openai/m", "api_base": f"{server.url}/v1", "attempts": 1}
        seeds = [{"id": f"s{n}", "instruction": f"List rivers of seed-{n} ."} for n in range(12)]
        config = write_config(
            models={"evolver": {**model, "outage": 0, "temperature": 0.7}},
            optimizer={"name": "none"},
            evolve={"methods": ["weak"], "respond": False, "chunk_rows": 5},
        )
        Path("seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in seeds))
        run_cli("run", str(config), "--out", "runs/a", expected=None)
        assert [row["seed_id"] for row in rows_of(Path("runs/a/unscored.jsonl"))] == ["s9"]
        done = sorted(file.parent.name for file in Path("runs/a").glob("chunks/*/done.json"))
        assert done == ["00001", "00003"]
        count, broken[:] = len(server.requests), []
        run_cli("run", str(config), "--out", "runs/a", expected=0)
        assert len(server.requests) == count + 1
    assert not Path("runs/a/unscored.jsonl").exists()
    lost = rows_of(Path("runs/a/failures.jsonl"))
    rows = [*rows_of(Path("runs/a/evolved.jsonl")), *lost]
    assert sorted(row["seed_id"] for row in rows) == sorted(seed["id"] for seed in seeds)


def test_a_damaged_ledger_of_a_chunk_says_which_file_to_remove(
    write_config: WriteConfig, calls: list[int]
) -> None:
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    chunk = Path("runs/parts/chunks/00002")
    (chunk / "done.json").unlink()
    Path("runs/parts/summary.json").unlink()
    (chunk / "ledger.sqlite").write_bytes(b"no database" * 999)
    refused = _run(write_config, "runs/parts", chunk_rows=CHUNK, expected=2)
    words = " ".join(refused.err.split())
    assert "chunks/00002/ledger.sqlite: is no sound ledger" in words
    assert "remove this file, whose calls are made again" in words


def test_a_damaged_mark_is_one_line(write_config: WriteConfig, calls: list[int]) -> None:
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    mark = Path("runs/parts/chunks/00002/done.json")
    mark.write_text("{}")
    Path("runs/parts/summary.json").unlink()
    refused = _run(write_config, "runs/parts", chunk_rows=CHUNK, expected=2)
    assert "done.json: is not what a run writes there" in " ".join(refused.err.split())
    mark.unlink()
    before = len(calls)
    _run(write_config, "runs/parts", chunk_rows=CHUNK)
    assert len(calls) == before


def test_a_killed_run_in_chunks_ends_with_the_same_account(tmp_path: Path) -> None:
    reference = reference_in(tmp_path / "reference", kills.CHUNKED)

    def killed(seed: int) -> kills.Tried:
        when = moment(reference.spans, "evolve", seed)
        return killed_run(tmp_path / f"run-{seed}", reference.store, when, kills.CHUNKED)

    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(killed, (1, 2, 3)))

    assert [run.stopped for run in tried] == [-signal.SIGKILL] * 3
    assert [violations(run, reference.account) for run in tried] == [[], [], []]
