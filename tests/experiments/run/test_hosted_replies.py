"""The same meanings behind litellm: refusals, settings and thinking of hosted providers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Result, rows_of, run_cli
from tests.support.loopback import Answer, Loopback, ReceivedRequest, answering, good_reply

RUN = Path("runs/test")
CREDIT = {"error": {"type": "invalid_request_error", "message": "credit balance is too low"}}


@pytest.fixture
def run_on(
    write_config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Result, Loopback]]:
    """Return a runner of a small config on a hosted model whose provider answers so."""
    monkeypatch.setenv("SOME_API_KEY", "sk-some-0123456789")

    def run(
        model: str, respond: Callable[[ReceivedRequest], Answer], expected: int
    ) -> tuple[Result, Loopback]:
        with answering(respond) as server:
            evolver = {"model": model, "api_base": server.url, "api_key_env": "SOME_API_KEY"}
            config = write_config(
                3,
                models={"evolver": {**evolver, "temperature": 0.7, "backoff": 0.01, "outage": 2}},
                optimizer={"name": "none"},
                evolve={"methods": ["e0-direct"]},
            )
            return run_cli("run", str(config), "--yes", expected=expected), server

    return run


@pytest.mark.parametrize(
    ("model", "refusal", "key"),
    [
        ("deepseek/deepseek-chat", (401, {"error": {"message": "no"}}), "api_key_env"),
        ("deepseek/deepseek-chat", (402, {"error": {"message": "Insufficient Balance"}}), "api_"),
        ("deepseek/deepseek-chat", (404, {"error": {"message": "no such model"}}), "model"),
        ("anthropic/claude-sonnet-4-5", (400, {"type": "error", **CREDIT}), "api_key_env"),
        ("ollama_chat/m", (404, {"error": "model 'm' not found, try pulling it first"}), "model"),
    ],
)
def test_a_wrong_setting_ends_the_run_and_is_named(
    model: str, refusal: Answer, key: str, run_on: Callable[..., tuple[Result, Loopback]]
) -> None:
    result, _ = run_on(model, lambda _: refusal, 2)
    assert f"models.evolver.{key}" in result.err
    if model.startswith("ollama"):
        assert "KEY" not in result.err


def test_a_refused_row_fails_alone(run_on: Callable[..., tuple[Result, Loopback]]) -> None:
    refusal: dict[str, Any] = {"error": {"code": "content_filter", "message": "was filtered"}}

    def respond(request: ReceivedRequest) -> Answer:
        return (400, refusal) if "2 largest" in str(request.body) else (200, good_reply(request))

    run_on("deepseek/deepseek-chat", respond, 0)
    (failed,) = rows_of(RUN / "failures.jsonl")
    assert "filtered" in str(failed["reasons"])
    assert len(rows_of(RUN / "evolved.jsonl")) == 2


def test_a_setting_that_the_model_refuses_is_left_out(
    run_on: Callable[..., tuple[Result, Loopback]],
) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        if "temperature" in request.body:
            return 400, {"error": {"message": "temperature is not supported with this model"}}
        return 200, good_reply(request)

    result, _ = run_on("deepseek/deepseek-chat", respond, 0)
    assert "takes no temperature: dropped" in result.out
    assert len(rows_of(RUN / "evolved.jsonl")) == 3


def test_thinking_and_residue_are_kept_apart(
    run_on: Callable[..., tuple[Result, Loopback]],
) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        reply = good_reply(request)
        message = reply["choices"][0]["message"]
        message["content"] = f"<think>\nHm.\n</think>\n{message['content']}</s>"
        return 200, reply

    run_on("deepseek/deepseek-chat", respond, 0)
    for row in rows_of(RUN / "evolved.jsonl"):
        assert row["thinking"] == "Hm."
        assert row["instruction"].startswith("List the")
        assert row["instruction"].endswith("figures.")
