"""The key is nowhere but on the wire, whatever the endpoint does with it."""

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_line import run_cli
from tests.support.loopback import Answer, loopback, openai_reply

CANARY = "sk-canary-0123456789abcdef"
REPEATED = {"error": {"message": f"Incorrect API key provided: {CANARY}", "code": "x"}}
TELLING: list[Answer] = [
    (500, REPEATED),
    (200, f"no JSON, but {CANARY}"),
    (400, REPEATED),
    (429, REPEATED),
    (503, json.dumps(REPEATED)),
]


def answer(number: int) -> Answer:
    """Answer well, repeat the key in every kind of error, and refuse it in the end."""
    if number >= 40:
        return 401, REPEATED
    return TELLING[number // 2 % len(TELLING)] if number % 2 else (200, openai_reply("Better."))


@pytest.mark.parametrize("model", ["hosted_vllm/m", "deepseek/deepseek-chat"])
def test_a_key_leaves_no_trace(
    model: str,
    write_config: Callable[..., Path],
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("CANARY_KEY", CANARY)
    (workplace / "mlflow.yaml").write_text(
        yaml.safe_dump({"tracking_uri": f"sqlite:///{workplace}/own.db", "trace_sampling": 1.0})
    )
    caplog.set_level(logging.DEBUG)
    with loopback(answer) as server:
        evolver = {"model": model, "api_base": server.url, "api_key_env": "CANARY_KEY"}
        config = write_config(
            models={"evolver": {**evolver, "concurrency": 4}}, optimizer={"name": "none"}
        )
        stopped = run_cli("run", str(config), "--yes", expected=2)
        headers = [{k.lower(): v for k, v in one.headers.items()} for one in server.requests]

    written = [path for path in workplace.rglob("*") if path.is_file()]
    assert {header["authorization"] for header in headers} == {f"Bearer {CANARY}"}
    assert "check CANARY_KEY" in stopped.err
    assert {"ledger.sqlite", "run.json", "own.db"} <= {path.name for path in written}
    assert [path for path in written if CANARY.encode() in path.read_bytes()] == []
    assert CANARY not in stopped.out + stopped.err
    assert CANARY not in caplog.text


def test_a_server_that_speaks_no_http_gets_no_key_into_a_file(
    write_config: Callable[..., Path], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's error, shown in full, would hold the request's headers."""
    monkeypatch.setenv("CANARY_KEY", CANARY)

    def greet() -> None:
        with contextlib.suppress(OSError):  # the test ends by closing the socket
            while True:
                connection, _ = server.accept()
                connection.recv(65536)
                connection.sendall(b"hello world\r\n\r\n")
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, daemon=True).start()
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        evolver = {"model": "hosted_vllm/m", "api_base": base, "api_key_env": "CANARY_KEY"}
        config = write_config(
            3, models={"evolver": {**evolver, "attempts": 1}}, optimizer={"name": "none"}
        )
        run_cli("run", str(config), expected=3)
        server.shutdown(socket.SHUT_RDWR)

    unscored = Path("runs/test/unscored.jsonl").read_text("utf-8")
    assert "connection lost" in unscored
    written = [path for path in workplace.rglob("*") if path.is_file()]
    assert [path for path in written if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("evolver", "key"),
    [
        pytest.param({"api_key_env": CANARY}, "api_key_env", id="the key for its variable"),
        pytest.param({"params": {"api_key": CANARY}}, "params", id="in params"),
        pytest.param(
            {"params": {"extra_headers": {"Authorization": CANARY}}}, "params", id="in a header"
        ),
        pytest.param({"api_base": f"http://me:{CANARY}@here/v1"}, "api_base", id="in the address"),
        pytest.param({"api_key": CANARY}, "api_key", id="as a key of its own"),
        pytest.param(
            {"fallbacks": [{"model": "hosted_vllm/m", "api_key_env": CANARY}]},
            "fallbacks.0.api_key_env",
            id="of a fallback",
        ),
    ],
)
def test_a_key_in_the_config_is_refused_and_not_repeated(
    evolver: dict[str, Any], key: str, write_config: Callable[..., Path]
) -> None:
    config = write_config(models={"evolver": {"model": "hosted_vllm/m", **evolver}})
    refused = run_cli("run", str(config), expected=2)
    assert f"models.evolver.{key}" in refused.err
    assert CANARY not in refused.out + refused.err
    assert not Path("runs").exists()
