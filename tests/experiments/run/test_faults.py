"""Runs against an endpoint that fails in every way it can: no row is lost, none is made up."""

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.ledger import database, ledger
from benchmarks.server_process import ServerProcess, serving
from benchmarks.settings import FAULTS, Settings
from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli, summary_of

WriteConfig = Callable[..., Path]
ROWS = 60


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ServerProcess]:
    with serving() as server:
        yield server


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    """Return the endpoint without faults, its figures at zero."""
    shared_server.change(**Settings().as_dict())
    shared_server.reset()
    return shared_server


@pytest.fixture
def write_evolve(write_config: WriteConfig) -> WriteConfig:
    """Return a writer of a config that evolves all rows once, on an endpoint."""

    def write(server: ServerProcess, rows: int = ROWS, **settings: Any) -> Path:
        evolver = {"model": "hosted_vllm/world", "api_base": server.url, "concurrency": 16}
        return write_config(
            rows,
            models={"evolver": {**evolver, **settings}},
            optimizer={"name": "none"},
            evolve={"methods": ["weak"], "respond": False},
        )

    return write


def outcomes_in(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of both files, sorted, without the usage of their calls."""
    names = [folder / "evolved.jsonl", folder / "failures.jsonl"]
    rows = [json.loads(line) for name in names for line in name.read_text("utf-8").splitlines()]
    return sorted(({**row, "usage": None} for row in rows), key=lambda row: str(row["id"]))


@pytest.mark.parametrize(
    "faults",
    [
        *(pytest.param({fault: 0.3}, id=fault) for fault in FAULTS),
        pytest.param(dict.fromkeys(FAULTS, 0.04), id="all at once"),
        pytest.param({"rate_limited": 0.3, "retry_after": 0.05}, id="with Retry-After"),
    ],
)
def test_faults_change_nothing_about_what_comes_out(
    faults: dict[str, float], server: ServerProcess, write_evolve: WriteConfig
) -> None:
    config = str(write_evolve(server))
    run_cli("run", config, "--out", "runs/sound", expected=0)
    server.change(latency=0.002, **faults)
    run_cli("run", config, "--out", "runs/faulty", expected=0)

    summary = summary_of(Path("runs/faulty"))
    assert server.stats()["requests"] > 2 * ROWS
    assert summary["rows_unscored"] == 0
    assert summary["calls"] == ROWS
    assert sum(summary["faults"].values()) == server.stats()["requests"] - 2 * ROWS
    assert outcomes_in(Path("runs/faulty")) == outcomes_in(Path("runs/sound"))


def test_one_poison_row_among_three_thousand(
    server: ServerProcess, write_evolve: WriteConfig
) -> None:
    server.change(poison="the 1711 largest")
    run_cli("run", str(write_evolve(server, 3_000, attempts=3)), expected=0)
    summary = summary_of(Path("runs/test"))
    unscored = Path("runs/test/unscored.jsonl").read_text("utf-8").splitlines()
    assert summary["rows_unscored"] == 1
    assert summary["rows_out"] + summary["rows_failed"] == 2_999
    assert [json.loads(line)["seed_id"] for line in unscored] == ["seed-1711"]


def test_a_prompt_too_long_fails_its_row_alone(
    server: ServerProcess, write_evolve: WriteConfig
) -> None:
    server.change(too_long="the 7 largest")
    run_cli("run", str(write_evolve(server)), expected=0)
    row = next(row for row in outcomes_in(Path("runs/test")) if row["seed_id"] == "seed-7")
    assert row["reasons"][0]["rule"] == "refused_request"
    assert "maximum context length" in row["reasons"][0]["evidence"]
    assert summary_of(Path("runs/test"))["rows_unscored"] == 0


def test_replies_of_a_megabyte_are_kept_whole(
    server: ServerProcess, write_evolve: WriteConfig
) -> None:
    server.change(size=1_000_000)
    config = write_evolve(server, 5)
    run_cli("run", str(config), "--set", "failure.rules=[]", expected=0)
    rows = outcomes_in(Path("runs/test"))
    assert len(rows) == 5
    assert all(len(row["instruction"]) > 800_000 for row in rows)


@pytest.mark.parametrize(
    ("status", "key", "advice"),
    [
        (401, "api_key_env", "check MY_KEY"),
        (403, "api_key_env", "check MY_KEY"),
        (404, "api_base", "the model's name"),
    ],
)
def test_a_refused_key_ends_the_run_and_is_named(
    status: int,
    key: str,
    advice: str,
    server: ServerProcess,
    write_evolve: WriteConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    server.change(status=status)
    config = write_evolve(server, api_key_env="MY_KEY")
    stopped = run_cli("run", str(config), expected=2)
    assert f"models.evolver.{key} (hosted_vllm/world)" in stopped.err
    assert advice in stopped.err
    assert str(status) in stopped.err
    # Those in flight at the first refusal, and those that follow until three mean the same.
    assert server.stats()["requests"] <= 16 + 2


def test_a_full_disk_stops_the_run_and_the_same_command_goes_on(
    server: ServerProcess, write_evolve: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit of pages gives the error that a full disk gives."""
    config = str(write_evolve(server, 300))
    open_database = database.open_database

    def open_small(path: Path) -> tuple[sqlite3.Connection, bool]:
        db, is_unclean = open_database(path)
        db.execute("PRAGMA max_page_count=12")
        return db, is_unclean

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "open_database", open_small)
        full = run_cli("run", config)
    kept = server.stats()["good"]

    run_cli("run", config, expected=0)

    assert full.code == 2
    assert "full" in full.err
    assert "free some disk space" in full.err
    assert summary_of(Path("runs/test"))["calls"] == 300
    assert 0 < server.stats()["repeated_good"] < kept


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_a_row_file_that_takes_no_more_stops_the_run(
    server: ServerProcess, write_evolve: WriteConfig
) -> None:
    config = str(write_evolve(server, 5))
    server.change(status=401)
    run_cli("run", config, expected=2)
    server.change(status=200)
    for name in ("evolved.jsonl", "failures.jsonl"):
        Path("runs/test", name).unlink(missing_ok=True)
        Path("runs/test", name).symlink_to("/dev/full")
    stopped = run_cli("run", config, expected=2)
    assert "No space left" in stopped.err
    assert "free some disk space" in stopped.err


@pytest.mark.parametrize("trouble", ["gone", 503])
def test_a_fallback_answers_and_is_named_in_the_row(
    trouble: str | int, server: ServerProcess, write_evolve: WriteConfig
) -> None:
    spare = {"model": "hosted_vllm/spare", "api_base": server.url}
    if trouble == "gone":
        config = write_evolve(ServerProcess("http://127.0.0.1:9/v1"), fallbacks=[spare])
        run_cli("run", str(config), expected=0)
    else:
        with serving(status=trouble) as silent:
            config = write_evolve(silent, attempts=2, fallbacks=[spare])
            run_cli("run", str(config), expected=0)
            assert 0 < silent.stats()["requests"] <= 2 * ROWS
    summary = summary_of(Path("runs/test"))
    assert {row["model_evolve"] for row in outcomes_in(Path("runs/test"))} == {"hosted_vllm/spare"}
    assert summary["rows_unscored"] == 0
    assert summary["wall_s"] < 10
    assert server.stats()["good"] == ROWS


@contextlib.contextmanager
def a_run_of_its_own(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command line in a process that is killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "autoevol", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


@pytest.mark.parametrize("more", [[], ["--fresh"]], ids=["same command", "fresh"])
def test_a_second_process_is_kept_out_of_the_folder(
    more: list[str], server: ServerProcess, write_evolve: WriteConfig
) -> None:
    server.change(latency=30)
    config = str(write_evolve(server))
    with a_run_of_its_own("run", config):
        wait_for(lambda: bool(server.stats()["requests"]))
        before = sorted(Path("runs").rglob("*"))
        second = run_cli("run", config, *more, expected=2)
        assert "another process is at work in runs/test" in second.err
        assert sorted(Path("runs").rglob("*")) == before


@pytest.mark.faults
def test_a_server_that_is_away_for_20_seconds_is_waited_for(write_evolve: WriteConfig) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.server", f"--port={port}", "--latency=0.05"]

    def start() -> subprocess.Popen[str]:
        server = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        assert server.stdout.readline()
        return server

    url = ServerProcess(f"http://127.0.0.1:{port}/v1")
    servers = [start()]
    config = str(write_evolve(url, 1000))

    def fail_for_a_while() -> None:
        wait_for(lambda: url.stats()["requests"] > 100)
        servers[0].send_signal(signal.SIGKILL)
        time.sleep(20)
        servers.append(start())

    trouble = threading.Thread(target=fail_for_a_while)
    trouble.start()
    try:
        run_cli("run", config, expected=0)
    finally:
        trouble.join()
        for server in servers:
            with server:
                server.kill()
    summary = summary_of(Path("runs/test"))
    assert summary["rows_unscored"] == 0
    assert summary["rows_out"] + summary["rows_failed"] == 1000
    assert 20 <= summary["wall_s"] <= 40
