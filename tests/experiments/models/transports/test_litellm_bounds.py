"""What litellm's connections take: no redirect to a stranger, no body beyond its bound."""

import asyncio
import gzip
import json
from typing import Any

import pytest
from dspy.utils.exceptions import LMError, LMServerError, LMTimeoutError

from autoevol.experiments.models.transports.errors import SettingError
from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.protocol import Request, Response
from tests.support.loopback import (
    Answer,
    RawAnswer,
    ReceivedRequest,
    answering,
    anthropic_reply,
    dripping,
    openai_reply,
)

CANARY = "sk-canary-0123456789abcdef"
REQUEST = Request(({"role": "user", "content": "Why?"},), max_tokens=16)
# One of each of litellm's clients: its own, and OpenAI's.
MODELS = {
    "anthropic/claude-sonnet-4-5": anthropic_reply(),
    "deepseek/deepseek-chat": openai_reply(),
}


def sent(model: str, url: str, *, timeout: float = 20.0, **options: Any) -> Response:
    connection = {"api_base": url, "api_key": CANARY, "timeout": timeout}

    async def send() -> Response:
        transport = LitellmTransport(model, connection=connection, params={}, **options)
        try:
            return await transport.send(REQUEST)
        finally:
            await transport.close()

    return asyncio.run(send())


def stranger(url: str) -> str:
    """Return the server's address under another name."""
    return url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("model", MODELS)
def test_a_redirect_to_another_host_is_refused_by_name(model: str, status: int) -> None:
    with answering(lambda _: (200, MODELS[model])) as other:
        target = f"{stranger(other.url)}/x"
        with (
            answering(lambda _: RawAnswer(b"", status, {"Location": target})) as server,
            pytest.raises(SettingError, match="redirects to") as raised,
        ):
            sent(model, server.url)
        assert other.requests == []
    assert target in str(raised.value)
    assert raised.value.is_certain
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize("model", MODELS)
def test_a_redirect_on_the_same_host_is_followed(model: str) -> None:
    def moved(request: ReceivedRequest) -> Answer | RawAnswer:
        if request.path.startswith("/old"):
            return RawAnswer(b"", 307, {"Location": "/new" + request.path.removeprefix("/old")})
        return 200, MODELS[model]

    with answering(moved) as server:
        assert sent(model, f"{server.url}/old").text == "fine"


@pytest.mark.parametrize("model", MODELS)
def test_a_body_beyond_its_bound_is_an_error_of_its_call(model: str) -> None:
    with (
        answering(lambda _: (200, {**MODELS[model], "padding": "x" * 9000})) as server,
        pytest.raises(LMServerError, match="more than 8192 bytes"),
    ):
        sent(model, server.url, max_reply_bytes=8192)


@pytest.mark.parametrize("model", MODELS)
def test_a_compressed_body_is_read(model: str) -> None:
    data = gzip.compress(json.dumps(MODELS[model]).encode())
    with answering(lambda _: RawAnswer(data, headers={"Content-Encoding": "gzip"})) as server:
        assert sent(model, server.url).text == "fine"
        accepted = {k.lower(): v for k, v in server.requests[0].headers.items()}
        assert accepted["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
@pytest.mark.parametrize("model", MODELS)
def test_a_body_in_a_wrong_encoding_is_an_error_of_its_call(model: str, encoding: str) -> None:
    answer = RawAnswer(b"no such form", headers={"Content-Encoding": encoding})
    with answering(lambda _: answer) as server, pytest.raises(LMError):
        sent(model, server.url)


@pytest.mark.parametrize("model", MODELS)
def test_a_body_that_comes_byte_by_byte_ends_by_the_timeout(model: str) -> None:
    with dripping() as url, pytest.raises(LMTimeoutError):
        sent(model, url, timeout=1.0)
