"""The request that each provider would get, as it arrives at a server on loopback."""

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest
from dspy.utils.exceptions import (
    LMServerError,
)

from autoevol.experiments.models.settings import REASONING_FLOOR, ModelSettings, adjusted, fitted
from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.openai_http import HttpOptions, OpenAITransport
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.experiments.models.transports.replies.reading import read_reply
from autoevol.experiments.models.transports.secrets import NO_SECRET
from tests.support.loopback import ReceivedRequest, anthropic_reply, loopback, openai_reply

REQUEST = Request(
    messages=({"role": "system", "content": "Rewrite."}, {"role": "user", "content": "Why?"}),
    temperature=0.4,
    top_p=0.9,
    max_tokens=160,
    seed=7,
)
OLLAMA = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": "fine"},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 11,
    "eval_count": 3,
}


def read(body: dict[str, Any]) -> Response:
    return read_reply(body, REQUEST, model="m", secret=NO_SECRET, seconds=0.1)


def ask(model: str, answer: Any, *, suffix: str = "") -> tuple[ReceivedRequest, Response]:
    """Send the request as a run would; return it as it arrived, and the reply."""
    settings = ModelSettings(model, role="evolver", temperature=0.4, top_p=0.9, max_tokens=160)
    accepted, _ = adjusted(settings)
    request = fitted(replace(REQUEST, max_tokens=accepted.max_tokens), accepted)
    with loopback(lambda _: (200, answer)) as server:
        connection = {"api_base": server.url + suffix, "api_key": "test", "timeout": 20.0}
        transport = LitellmTransport(model, connection=connection, params={})
        reply = asyncio.run(transport.send(request))
        return server.requests[0], reply


def test_openai_gets_the_sampling_as_configured() -> None:
    received, reply = ask("openai/gpt-4o-mini", openai_reply())

    assert received.path.endswith("/chat/completions")
    assert received.body["model"] == "gpt-4o-mini"
    assert received.body["temperature"] == 0.4
    assert received.body["top_p"] == 0.9
    assert received.body["max_tokens"] == 160
    assert received.body["seed"] == 7
    assert received.body["messages"] == list(REQUEST.messages)
    assert (reply.text, reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (
        "fine",
        11,
        3,
        7,
    )


def test_a_reasoning_model_gets_no_sampling_and_room_to_think() -> None:
    received, _ = ask("openai/gpt-5-mini", openai_reply())

    limit = received.body.get("max_completion_tokens") or received.body.get("max_tokens")
    assert received.body["model"] == "gpt-5-mini"
    assert "temperature" not in received.body
    assert "top_p" not in received.body
    assert limit == REASONING_FLOOR


def test_anthropic_gets_its_own_form() -> None:
    received, reply = ask("anthropic/claude-sonnet-4-5", anthropic_reply())

    assert received.path.endswith("/messages")
    assert received.body["model"] == "claude-sonnet-4-5"
    assert received.body["max_tokens"] == 160
    assert "Rewrite." in str(received.body["system"])
    assert received.body["messages"][0]["role"] == "user"
    assert received.body["temperature"] == 0.4
    assert "top_p" not in received.body
    assert "seed" not in received.body
    assert reply.text == "fine"


def test_deepseek_is_asked_as_openai_is() -> None:
    received, _ = ask("deepseek/deepseek-chat", openai_reply())

    assert received.body["model"] == "deepseek-chat"
    assert received.body["max_tokens"] == 160


def test_ollama_gets_its_options() -> None:
    received, reply = ask("ollama_chat/qwen2.5:1.5b", OLLAMA)

    assert received.path == "/api/chat"
    assert received.body["model"] == "qwen2.5:1.5b"
    assert received.body["options"]["temperature"] == 0.4
    assert received.body["options"]["num_predict"] == 160
    assert reply.text == "fine"


def test_a_server_of_ones_own_is_asked_at_its_address() -> None:
    received, _ = ask("hosted_vllm/my-model", openai_reply(), suffix="/v1")

    assert received.path == "/v1/chat/completions"
    assert received.body["model"] == "my-model"
    assert received.body["seed"] == 7


def test_params_are_passed_through() -> None:
    with loopback(lambda _: (200, openai_reply())) as server:
        connection = {"api_base": server.url, "api_key": "test"}
        params = {"extra_body": {"top_k": 20}}
        transport = LitellmTransport("hosted_vllm/m", connection=connection, params=params)
        asyncio.run(transport.send(REQUEST))
        assert server.requests[0].body["top_k"] == 20


def test_a_body_that_is_no_reply_can_be_asked_for_again() -> None:
    with loopback(lambda _: (200, '{"choices": [')) as server:
        transport = OpenAITransport(server.url, model="m", options=HttpOptions(timeout=5))

        async def send() -> None:
            try:
                await transport.send(REQUEST)
            finally:
                await transport.close()

        with pytest.raises(LMServerError):
            asyncio.run(send())


@pytest.mark.parametrize("body", ["[" * 200_000, "null", '{"choices": 5}', '{"choices": [7]}'])
def test_a_body_of_any_shape_is_a_lost_call(body: str) -> None:
    with loopback(lambda _: (200, body)) as server:
        transport = OpenAITransport(server.url, model="m", options=HttpOptions(timeout=5))

        async def send() -> None:
            try:
                await transport.send(REQUEST)
            finally:
                await transport.close()

        with pytest.raises(LMServerError, match="malformed"):
            asyncio.run(send())


def test_params_may_replace_what_is_sent() -> None:
    with loopback(lambda _: (200, openai_reply())) as server:
        connection = {"api_base": server.url, "api_key": "test"}
        transport = LitellmTransport("openai/m", connection=connection, params={"max_tokens": 5})
        asyncio.run(transport.send(REQUEST))
        assert server.requests[0].body["max_tokens"] == 5


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
    assert read(reply).confidence == pytest.approx(confidence)
