"""The request that each provider would get, as it arrives at a server on loopback."""

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest
from dspy.utils.exceptions import (
    ContextWindowExceededError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
)

from autoevol.experiments.models.settings import REASONING_FLOOR, ModelSettings, adjusted, fitted
from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.openai_http import OpenAITransport
from autoevol.experiments.models.transports.protocol import Request, Response, response_from_openai
from autoevol.program.errors import AccessError
from tests.support.loopback import Answer, Asked, loopback, openai_reply

CALL = Request(
    messages=({"role": "system", "content": "Rewrite."}, {"role": "user", "content": "Why?"}),
    temperature=0.4,
    top_p=0.9,
    max_tokens=160,
    seed=7,
)
ANTHROPIC = {
    "id": "x",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "fine"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 11, "output_tokens": 3},
}
OLLAMA = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": "fine"},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 11,
    "eval_count": 3,
}


def ask(model: str, answer: Any, *, suffix: str = "") -> tuple[Asked, Response]:
    """Send the call as a run would, and return what arrived and what came back."""
    settings = ModelSettings(model, role="evolver", temperature=0.4, top_p=0.9, max_tokens=160)
    taken, _ = adjusted(settings)
    call = fitted(replace(CALL, max_tokens=taken.max_tokens), taken)
    with loopback(lambda _: (200, answer)) as server:
        connection = {"api_base": server.url + suffix, "api_key": "test", "timeout": 20.0}
        transport = LitellmTransport(model, connection=connection, params={})
        reply = asyncio.run(transport.send(call))
        return server.asked[0], reply


def test_openai_gets_the_sampling_as_configured() -> None:
    asked, reply = ask("openai/gpt-4o-mini", openai_reply())

    assert asked.path.endswith("/chat/completions")
    assert asked.body["model"] == "gpt-4o-mini"
    assert asked.body["temperature"] == 0.4
    assert asked.body["top_p"] == 0.9
    assert asked.body["max_tokens"] == 160
    assert asked.body["seed"] == 7
    assert asked.body["messages"] == list(CALL.messages)
    assert (reply.text, reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (
        "fine",
        11,
        3,
        7,
    )


def test_a_reasoning_model_gets_no_sampling_and_room_to_think() -> None:
    asked, _ = ask("openai/gpt-5-mini", openai_reply())

    limit = asked.body.get("max_completion_tokens") or asked.body.get("max_tokens")
    assert asked.body["model"] == "gpt-5-mini"
    assert "temperature" not in asked.body
    assert "top_p" not in asked.body
    assert limit == REASONING_FLOOR


def test_anthropic_gets_its_own_form() -> None:
    asked, reply = ask("anthropic/claude-sonnet-4-5", ANTHROPIC)

    assert asked.path.endswith("/messages")
    assert asked.body["model"] == "claude-sonnet-4-5"
    assert asked.body["max_tokens"] == 160
    assert "Rewrite." in str(asked.body["system"])
    assert asked.body["messages"][0]["role"] == "user"
    assert asked.body["temperature"] == 0.4
    assert "top_p" not in asked.body
    assert "seed" not in asked.body
    assert reply.text == "fine"


def test_deepseek_is_asked_as_openai_is() -> None:
    asked, _ = ask("deepseek/deepseek-chat", openai_reply())

    assert asked.body["model"] == "deepseek-chat"
    assert asked.body["max_tokens"] == 160


def test_ollama_gets_its_options() -> None:
    asked, reply = ask("ollama_chat/qwen2.5:1.5b", OLLAMA)

    assert asked.path == "/api/chat"
    assert asked.body["model"] == "qwen2.5:1.5b"
    assert asked.body["options"]["temperature"] == 0.4
    assert asked.body["options"]["num_predict"] == 160
    assert reply.text == "fine"


def test_a_server_of_ones_own_is_asked_at_its_address() -> None:
    asked, _ = ask("hosted_vllm/my-model", openai_reply(), suffix="/v1")

    assert asked.path == "/v1/chat/completions"
    assert asked.body["model"] == "my-model"
    assert asked.body["seed"] == 7


def test_params_are_passed_through() -> None:
    with loopback(lambda _: (200, openai_reply())) as server:
        connection = {"api_base": server.url, "api_key": "test"}
        params = {"extra_body": {"top_k": 20}}
        transport = LitellmTransport("hosted_vllm/m", connection=connection, params=params)
        asyncio.run(transport.send(CALL))
        assert server.asked[0].body["top_k"] == 20


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param((401, {"error": {"message": "bad key"}}), AccessError, id="key"),
        pytest.param((402, {"error": {"message": "no credit"}}), AccessError, id="credit"),
        pytest.param((403, {"error": {"message": "no"}}), AccessError, id="permission"),
        pytest.param((404, {"error": {"message": "no such model"}}), AccessError, id="model"),
        pytest.param((429, {"error": {"message": "slow down"}}), LMRateLimitError, id="rate"),
        pytest.param((500, {"error": {"message": "oops"}}), LMServerError, id="server"),
        pytest.param(
            (400, {"error": {"message": "maximum context length exceeded"}}),
            ContextWindowExceededError,
            id="too long",
        ),
        pytest.param((400, {"error": {"message": "bad"}}), LMInvalidRequestError, id="request"),
    ],
)
@pytest.mark.parametrize("way", ["plain", "litellm"])
def test_errors_are_told_apart_by_who_must_act(
    way: str, answer: Answer, error: type[Exception]
) -> None:
    with loopback(lambda _: answer) as server:
        connection = {"api_base": server.url, "api_key": "test"}
        plain = OpenAITransport(server.url, model="m", api_key="k", timeout=5, params={})
        hosted = LitellmTransport("openai/m", connection=connection, params={})

        async def send() -> Response:
            try:
                return await (plain if way == "plain" else hosted).send(CALL)
            finally:
                await plain.close()

        with pytest.raises(error):
            asyncio.run(send())
        assert len(server.asked) == 1


def test_a_body_that_is_no_reply_can_be_asked_for_again() -> None:
    with loopback(lambda _: (200, '{"choices": [')) as server:
        transport = OpenAITransport(server.url, model="m", api_key=None, timeout=5, params={})

        async def send() -> None:
            try:
                await transport.send(CALL)
            finally:
                await transport.close()

        with pytest.raises(LMServerError):
            asyncio.run(send())


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param({"prompt_tokens": "11"}, id="a text"),
        pytest.param({"prompt_tokens": 2**70}, id="too large"),
        pytest.param({"prompt_tokens": -5}, id="negative"),
        pytest.param({"prompt_tokens": None, "prompt_tokens_details": None}, id="none"),
    ],
)
def test_a_usage_that_cannot_be_is_not_said(usage: dict[str, Any]) -> None:
    assert response_from_openai({**openai_reply(), "usage": usage}, 0.1).tokens_in == 0


@pytest.mark.parametrize("body", ["[" * 200_000, "null", '{"choices": 5}', '{"choices": [7]}'])
def test_a_body_of_any_shape_is_a_lost_call(body: str) -> None:
    with loopback(lambda _: (200, body)) as server:
        transport = OpenAITransport(server.url, model="m", api_key=None, timeout=5, params={})

        async def send() -> None:
            try:
                await transport.send(CALL)
            finally:
                await transport.close()

        with pytest.raises(LMServerError, match="malformed"):
            asyncio.run(send())


def test_params_may_replace_what_is_sent() -> None:
    with loopback(lambda _: (200, openai_reply())) as server:
        connection = {"api_base": server.url, "api_key": "test"}
        transport = LitellmTransport("openai/m", connection=connection, params={"max_tokens": 5})
        asyncio.run(transport.send(CALL))
        assert server.asked[0].body["max_tokens"] == 5


@pytest.mark.parametrize(
    ("logprobs", "confidence"),
    [
        (None, None),
        ({"content": None}, None),
        ({"content": [{"top_logprobs": [{"logprob": 0.0}]}]}, 1.0),
        (
            {
                "content": [
                    {"top_logprobs": [{"logprob": math.log(0.2)}, {"logprob": math.log(0.8)}]},
                    {"top_logprobs": [{"logprob": math.log(0.4)}]},
                ]
            },
            0.6,
        ),
        ({"content": [{"top_logprobs": [{"logprob": -0.1}]}, {"top_logprobs": []}]}, None),
        ({"content": [{"token": "a", "logprob": -0.1}]}, None),
        ({"content": [{"top_logprobs": [{"token": "a"}]}]}, None),
        ({"content": [{"top_logprobs": [{"logprob": 1e6}]}]}, None),
        ({"content": ["a"]}, None),
    ],
)
def test_confidence_is_the_mean_probability_of_the_likeliest_tokens(
    logprobs: Any, confidence: float | None
) -> None:
    reply = openai_reply()
    reply["choices"][0]["logprobs"] = logprobs
    assert response_from_openai(reply, 0.1).confidence == pytest.approx(confidence)
