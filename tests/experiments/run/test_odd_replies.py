"""Runs against endpoints that answer in every dialect, through the command line to the files."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Result, rows_of, run_cli, summary_of
from tests.support.loopback import (
    Answer,
    Loopback,
    RawAnswer,
    ReceivedRequest,
    answering,
    good_reply,
    openai_reply,
)

Respond = Callable[[ReceivedRequest], Answer | RawAnswer]
WriteConfig = Callable[..., Path]
RUN = Path("runs/test")


def changed(request: ReceivedRequest, change: Callable[[str], str]) -> Answer:
    """Answer well, with the text changed."""
    reply = good_reply(request)
    message = reply["choices"][0]["message"]
    message["content"] = change(message["content"])
    return 200, reply


@pytest.fixture
def run_on(write_config: WriteConfig) -> Callable[..., tuple[Result, Loopback]]:
    """Return a runner of a small config on a server that answers so."""

    def run(
        respond: Respond, *, rows: int = 3, expected: int | None = None, **evolver: Any
    ) -> tuple[Result, Loopback]:
        with answering(respond) as server:
            settings = {"model": "hosted_vllm/m", "temperature": 0.7, "backoff": 0.01}
            sections = evolver.pop("sections", {})
            config = write_config(
                rows,
                models={"evolver": {**settings, "api_base": f"{server.url}/v1", **evolver}},
                optimizer={"name": "none"},
                **{"evolve": {"methods": ["e0-direct"]}, **sections},
            )
            return run_cli("run", str(config), "--yes", expected=expected), server

    return run


RunOn = Callable[..., tuple[Result, Loopback]]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: f"<think>\nHm.\n</think>\n\n{text}", id="thinking"),
        pytest.param(lambda text: f"Hm.\n</think>\n\n{text}", id="thinking half open"),
        pytest.param(lambda text: f"{text}</s>", id="end of sequence"),
        pytest.param(lambda text: f"assistant\n\n{text}<|eot_id|>", id="template"),
        pytest.param(lambda text: text.replace(" ", "\x00 \x1b", 1), id="controls"),
    ],
)
def test_what_is_no_text_reaches_no_file_and_the_folder_stays_usable(
    change: Callable[[str], str], run_on: RunOn
) -> None:
    run_on(lambda request: changed(request, change), expected=0)

    rows = rows_of(RUN / "evolved.jsonl")
    assert len(rows) == 3
    for row in rows:
        assert row["instruction"].startswith("List the")
        assert row["instruction"].endswith("figures.")
        assert row["response"].endswith("in order.")
    run_cli("score", str(RUN), "--scores", "growth", expected=0)
    run_cli("export", str(RUN), "--format", "messages", "--overwrite", expected=0)
    run_cli("convert", str(RUN / "evolved.jsonl"), "out.jsonl", "--to", "alpaca", expected=0)


def test_thinking_is_kept_in_a_place_of_its_own(run_on: RunOn) -> None:
    run_on(lambda request: changed(request, lambda text: f"<think>\nHm.\n</think>\n{text}"))
    assert [row["thinking"] for row in rows_of(RUN / "evolved.jsonl")] == ["Hm."] * 3


@pytest.mark.parametrize(
    ("refusal", "key"),
    [
        pytest.param((200, {"error": {"code": 401, "message": "No credentials"}}), "", id="key"),
        pytest.param((401, "no"), "api_key_env", id="401"),
        pytest.param((404, {"error": "model 'm' not found, try pulling it"}), "model", id="model"),
        pytest.param((404, "404 page not found"), "api_base", id="path"),
        pytest.param((400, {"error": {"message": "credit balance too low"}}), "", id="credit"),
        pytest.param((400, {"error": {"message": "API key not valid"}}), "api_key_env", id="400"),
        pytest.param((200, "<!DOCTYPE html><title>Log in</title>"), "api_base", id="login"),
        pytest.param(
            (400, {"error": {"message": "System role not supported"}}), "system_role", id="system"
        ),
        pytest.param(
            (
                400,
                {
                    "error": {
                        "message": "This model's maximum context length is 4096 tokens. However, "
                        "you requested 4195 tokens (99 in the messages, 4096 in the completion)."
                    }
                },
            ),
            "max_tokens",
            id="no room",
        ),
        pytest.param(
            (400, {"error": {"message": "temperature must be at most 0.5"}}), "temperature", id="t"
        ),
        pytest.param((400, {"error": {"message": "Bad request"}}), "", id="unclear"),
    ],
)
@pytest.mark.parametrize("rows", [2, 12])
def test_a_wrong_setting_ends_the_run_and_is_named(
    refusal: Answer, key: str, rows: int, run_on: RunOn
) -> None:
    result, server = run_on(lambda _: refusal, rows=rows, expected=2, concurrency=1)

    assert f"models.evolver{'.' + key if key else ''}" in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert len(server.requests) <= 3
    assert not (RUN / "summary.json").exists()


def test_a_missing_model_is_not_blamed_on_the_key(run_on: RunOn) -> None:
    refusal = (404, {"error": {"message": 'model "m" not found, try pulling it first'}})
    result, _ = run_on(lambda _: refusal, expected=2)
    assert "KEY" not in result.err
    assert "try pulling it first" in result.err


@pytest.mark.parametrize(
    ("refusal", "evidence"),
    [
        ((403, {"error": {"message": "Your input was flagged by moderation"}}), "flagged"),
        ((400, {"error": {"code": "content_filter", "message": "filtered"}}), "filtered"),
        ((400, {"error": {"message": "the prompt exceeds the context length"}}), "context length"),
        ((200, openai_reply("", "content_filter")), "content_filter"),
        ((200, openai_reply("I c", "SAFETY")), "SAFETY"),
        ((403, "<html><title>Attention Required</title></html>"), "403"),
    ],
)
def test_a_refused_row_fails_alone(refusal: Answer, evidence: str, run_on: RunOn) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        return refusal if "2 largest" in str(request.body) else (200, good_reply(request))

    run_on(respond, rows=4, expected=0)

    (failed,) = rows_of(RUN / "failures.jsonl")
    assert failed["seed_id"] == "seed-2"
    assert evidence in str(failed["reasons"])
    assert len(rows_of(RUN / "evolved.jsonl")) == 3


@pytest.mark.parametrize(
    ("setting", "status", "message"),
    [
        ("seed", 422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]}),
        ("seed", 400, {"error": {"message": "Unrecognized request argument supplied: seed"}}),
        (
            "temperature",
            400,
            {
                "error": {
                    "param": "temperature",
                    "code": "unsupported_value",
                    "message": "'temperature' does not support 0.7. Only the default (1) is.",
                }
            },
        ),
        (
            "max_tokens",
            400,
            {
                "error": {
                    "message": "'max_tokens' is not supported: use 'max_completion_tokens' instead"
                }
            },
        ),
    ],
)
def test_a_setting_that_the_model_refuses_is_left_out_and_said_once(
    setting: str, status: int, message: Any, run_on: RunOn
) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        return (status, message) if setting in request.body else (200, good_reply(request))

    result, server = run_on(respond, expected=0, concurrency=1)

    assert len(rows_of(RUN / "evolved.jsonl")) == 3
    assert len(server.requests) == 7, "three rows, evolved and answered, and one refusal"
    notes = [line for line in result.out.splitlines() if f"{setting}" in line and " takes " in line]
    assert len(notes) == 1, result.out
    if setting == "max_tokens":
        assert server.requests[-1].body["max_completion_tokens"] == 2048


def test_a_setting_in_params_is_the_users_to_mend(run_on: RunOn) -> None:
    refusal = (400, {"error": {"message": "top_k is not supported"}})
    result, _ = run_on(lambda _: refusal, params={"top_k": 5}, expected=2)
    assert "models.evolver.params.top_k" in result.err


def test_an_endpoint_that_only_streams_is_asked_for_a_stream(run_on: RunOn) -> None:
    def respond(request: ReceivedRequest) -> Answer | RawAnswer:
        if not request.body.get("stream"):
            return 400, {"error": {"message": "This model only supports streaming"}}
        text = good_reply(request)["choices"][0]["message"]["content"]
        events = ({"choices": [{"delta": {"content": f"{word} "}}]} for word in text.split(" "))
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        return RawAnswer(lines.encode(), headers={"Content-Type": "text/event-stream"})

    run_on(respond, expected=0)
    assert len(rows_of(RUN / "evolved.jsonl")) == 3


def test_the_system_turn_is_folded_into_the_users_on_demand(run_on: RunOn) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        if request.body["messages"][0]["role"] == "system":
            return 400, {"error": {"message": "Conversation roles must alternate"}}
        return 200, good_reply(request)

    refused, _ = run_on(respond, expected=2)
    assert "system_role: fold" in refused.err
    _, server = run_on(
        respond, expected=0, system_role="fold", sections={"output": {"dir": "runs/folded"}}
    )
    roles = [turn["role"] for turn in server.requests[0].body["messages"]]
    assert "system" not in roles


def test_a_field_without_text_is_asked_for_again(run_on: RunOn) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        if request.number % 2 == 0:
            return 200, openai_reply("[[ ## evolved_instruction ## ]]\n\n[[ ## completed ## ]]")
        marks = "[[ ## evolved_instruction ## ]]\n{}\n\n[[ ## completed ## ]]"
        return changed(request, marks.format)

    sections = {"evolve": {"methods": ["e0-direct"], "respond": False}}
    run_on(respond, expected=0, adapter="chat", concurrency=1, sections=sections)
    assert len(rows_of(RUN / "evolved.jsonl")) == 3
    assert summary_of(RUN)["faults"] == {"empty": 3}


@pytest.mark.parametrize(
    ("reply", "calls", "advice"),
    [
        (openai_reply("<think>\nHm, how could one", "length"), 3, "raise max_tokens"),
        (openai_reply("", "length"), 3, "raise max_tokens"),
        (openai_reply("", "content_filter"), 3, "filtered"),
        (openai_reply("<think>Hm.</think>"), 6, "only thought"),
        (openai_reply(""), 30, "reply"),
    ],
)
def test_a_certain_failure_is_not_paid_ten_times(
    reply: dict[str, Any], calls: int, advice: str, run_on: RunOn
) -> None:
    _, server = run_on(lambda _: (200, reply), expected=0)
    assert len(server.requests) == calls
    assert all(advice in str(row["reasons"]) for row in rows_of(RUN / "failures.jsonl"))


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, {"total_tokens": 0}])
def test_a_budget_binds_where_no_usage_is_sent(usage: Any, run_on: RunOn) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        return 200, {**good_reply(request), "usage": usage}

    sections = {"budget": {"tokens": 1000}}
    result, server = run_on(respond, rows=40, expected=3, sections=sections, concurrency=2)
    assert "budget.tokens" in result.err
    assert 2 <= len(server.requests) <= 20


def test_an_estimated_bill_is_called_one(run_on: RunOn) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        return 200, {**good_reply(request), "usage": None}

    result, _ = run_on(respond, expected=0, price={"input": 100, "output": 100})
    summary = summary_of(RUN)
    assert summary["calls_estimated"] == 6
    assert summary["cost_usd"] > 0
    assert "estimated" in result.out


def test_a_run_whose_every_row_is_unscored_can_be_resumed(run_on: RunOn) -> None:
    result, _ = run_on(lambda _: (500, "oops"), expected=3, attempts=1)
    assert "unscored" in result.err
    assert len(rows_of(RUN / "unscored.jsonl")) == 3


def test_a_proposed_method_holds_no_thinking(write_config: WriteConfig) -> None:
    thought = "<think>\nThe method lets the assistant answer the instruction.\n</think>\n\n"

    def respond(request: ReceivedRequest) -> Answer:
        system = request.body["messages"][0]["content"]
        if system.startswith("You improve a method"):
            proposal = "Rewrite the instruction so that it is harder, and never answer it."
            return 200, openai_reply(thought + proposal)
        if request.number % 3 and "never answer it" not in system:
            return 200, openai_reply("The Volga, the Danube and the Ural.")
        return 200, good_reply(request)

    with answering(respond) as server:
        model = {"model": "hosted_vllm/m", "api_base": server.url, "concurrency": 8}
        config = write_config(models={"evolver": model}, failure={"rules": ["strict"]})
        run_cli("run", str(config), expected=0)
    methods = [path.read_text("utf-8") for path in (RUN / "methods").glob("*.md")]
    assert any("never answer it" in method for method in methods)
    assert not any("think>" in text for text in (*methods, (RUN / "program.json").read_text()))


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("deflate", zlib.compress, id="deflate"),
        pytest.param("deflate", lambda data: zlib.compress(data)[2:-4], id="without its header"),
    ],
)
def test_a_compressed_reply_is_read(
    encoding: str, compress: Callable[[bytes], bytes], run_on: RunOn
) -> None:
    def respond(request: ReceivedRequest) -> RawAnswer:
        data = compress(json.dumps(good_reply(request)).encode())
        return RawAnswer(data, headers={"Content-Encoding": encoding})

    run_on(respond, expected=0)
    assert len(rows_of(RUN / "evolved.jsonl")) == 3


def test_a_servers_control_sequences_are_not_printed(run_on: RunOn) -> None:
    result, _ = run_on(lambda _: (400, '{"error": "\\u001b[2J\\u001b]0;x\\u0007no"}'), expected=2)
    assert not any(ord(c) < 32 and c != "\n" for c in result.out + result.err)


@pytest.mark.parametrize(
    "refusal", [(401, "no"), (400, {"error": {"message": "API key not valid"}})], ids=["401", "400"]
)
def test_a_judge_that_refuses_every_question_ends_the_scoring(
    refusal: Answer, write_config: WriteConfig
) -> None:
    with answering(lambda _: refusal) as server:
        judge = {"model": "openai/j", "api_base": server.url}
        config = write_config(
            1,
            models={"evolver": {"model": "scripted/world"}, "judge": judge},
            optimizer={"name": "none"},
            evolve={"methods": ["e0-direct"], "respond": False},
        )
        run_cli("run", str(config), expected=0)
        result = run_cli("score", str(RUN), "--scores", "difficulty", expected=2)
    assert "models.judge.api_key_env" in result.err
