"""A key goes to the host it belongs to, and a stranger's reply does no harm."""

import datetime
import json
import ssl
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import rows_of, run_cli
from tests.support.loopback import (
    Answer,
    Loopback,
    RawAnswer,
    ReceivedRequest,
    answering,
    dripping,
    good_reply,
)

WriteConfig = Callable[..., Path]
CANARY = "sk-canary-0123456789abcdef"
RUN = Path("runs/test")


def respond(request: ReceivedRequest) -> Answer:
    return 200, good_reply(request)


def evolve_only(write_config: WriteConfig, **models: Any) -> str:
    return str(
        write_config(
            3, models=models, optimizer={"name": "none"}, evolve={"methods": ["e0-direct"]}
        )
    )


def keys_at(server: Loopback) -> set[str]:
    """Return every header value that may hold a key."""
    headers = [{k.lower(): v for k, v in one.headers.items()} for one in server.requests]
    names = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
    return {header[name] for header in headers for name in names if name in header}


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/my-model", "OPENAI_API_KEY"),
        ("deepseek/deepseek-chat", "DEEPSEEK_API_KEY"),
        ("mistral/mistral-small-latest", "MISTRAL_API_KEY"),
        ("azure/gpt-4o", "AZURE_API_KEY"),
        ("together_ai/m", "TOGETHERAI_API_KEY"),
    ],
)
def test_a_providers_key_does_not_go_to_another_address(
    model: str, variable: str, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, CANARY)
    monkeypatch.setenv("AZURE_API_VERSION", "2025-04-01-preview")
    with answering(respond) as server:
        config = evolve_only(write_config, evolver={"model": model, "api_base": server.url})
        result = run_cli("run", config, "--yes", expected=0)
        assert not any(CANARY in key for key in keys_at(server))
        assert all(CANARY not in json.dumps(request.body) for request in server.requests)
    assert variable in result.out.replace("\n", "")
    assert "api_key_env" in result.out


def test_a_named_key_goes_where_it_is_named(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", CANARY)
    with answering(respond) as server:
        evolver = {"model": "openai/m", "api_base": server.url, "api_key_env": "MY_KEY"}
        run_cli("run", evolve_only(write_config, evolver=evolver), "--yes", expected=0)
        assert keys_at(server) == {f"Bearer {CANARY}"}


def test_neither_a_fallback_nor_another_role_inherits_a_key(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", CANARY)
    with answering(lambda _: (500, "oops")) as own, answering(respond) as other:
        evolver = {
            "model": "openai/m",
            "api_base": own.url,
            "api_key_env": "MY_KEY",
            "params": {"extra_headers": {"X-Team": CANARY}},
            "attempts": 1,
            "backoff": 0.01,
            "fallbacks": [{"model": "openai/m", "api_base": other.url}],
        }
        config = evolve_only(write_config, evolver=evolver, responder={"api_base": other.url})
        run_cli("run", config, "--yes", expected=0)
        assert keys_at(own) == {f"Bearer {CANARY}"}
        assert other.requests
        assert not any(CANARY in str(request.headers) for request in other.requests)


@pytest.mark.parametrize("model", ["openai/m", "deepseek/deepseek-chat"])  # HTTP, and litellm
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_is_refused_by_name(
    status: int, model: str, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", CANARY)
    with answering(respond) as stranger:
        target = stranger.url.replace("127.0.0.1", "localhost")
        with answering(lambda _: RawAnswer(b"", status, {"Location": f"{target}/v1"})) as server:
            evolver = {"model": model, "api_base": server.url, "api_key_env": "MY_KEY"}
            result = run_cli("run", evolve_only(write_config, evolver=evolver), expected=2)
        assert stranger.requests == []
    assert target in result.err
    assert "models.evolver.api_base" in result.err


def test_a_redirect_on_the_same_host_is_followed(write_config: WriteConfig) -> None:
    def moved(request: ReceivedRequest) -> Answer | RawAnswer:
        if request.path.startswith("/old"):
            return RawAnswer(b"", 307, {"Location": "/new/chat/completions"})
        return respond(request)

    with answering(moved) as server:
        evolver = {"model": "openai/m", "api_base": f"{server.url}/old"}
        run_cli("run", evolve_only(write_config, evolver=evolver), "--yes", expected=0)
    assert len(rows_of(RUN / "evolved.jsonl")) == 3


def test_a_reply_beyond_its_bound_is_an_error_of_its_call(write_config: WriteConfig) -> None:
    def long(request: ReceivedRequest) -> Answer:
        reply = good_reply(request)
        if "2 largest" in str(request.body):
            reply["choices"][0]["message"]["content"] = "x" * 5000
        return 200, reply

    with answering(long) as server:
        evolver = {"model": "openai/m", "api_base": server.url, "attempts": 2}
        bounded = {**evolver, "max_reply_bytes": 4096, "backoff": 0.01}
        run_cli("run", evolve_only(write_config, evolver=bounded), "--yes", expected=0)
    (unscored,) = rows_of(RUN / "unscored.jsonl")
    assert "max_reply_bytes" in str(unscored["reasons"])
    assert len(rows_of(RUN / "evolved.jsonl")) == 2


BOMB = """
import asyncio, resource, sys
import litellm
from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.openai_http import HttpOptions, OpenAITransport
from autoevol.experiments.models.transports.protocol import Request
from dspy.utils.exceptions import LMServerError

def transport_to(kind, url):
    if kind == "http":
        return OpenAITransport(url, model="m", options=HttpOptions(timeout=60))
    connection = {"api_base": url, "api_key": "test", "timeout": 60}
    return LitellmTransport(kind, connection=connection, params={})

async def main():
    transport = transport_to(*sys.argv[1:])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        await transport.send(Request(({"role": "user", "content": "Why?"},)))
    except LMServerError as error:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
    await transport.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["http", "anthropic/claude-sonnet-4-5", "deepseek/deepseek-chat"])
def test_a_compressed_bomb_takes_no_memory(kind: str) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    data = b"".join(packer.compress(zeros) for _ in range(700)) + packer.flush()
    with answering(lambda _: RawAnswer(data, headers={"Content-Encoding": "gzip"})) as server:
        command = [sys.executable, "-c", BOMB, kind, server.url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, _, message = done.stdout.partition(" ")
    assert "more than 16777216 bytes" in message
    assert int(grown) < 64 * 1024, "kB of resident memory"


def test_a_body_that_comes_byte_by_byte_ends_by_the_timeout(write_config: WriteConfig) -> None:
    with dripping() as address:
        evolver = {"model": "openai/m", "api_base": address, "timeout": 0.5, "attempts": 1}
        run_cli("run", evolve_only(write_config, evolver=evolver), "--yes", expected=3)
    assert all("in time" in str(row["reasons"]) for row in rows_of(RUN / "unscored.jsonl"))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and a certificate that it signed itself."""
    x509 = pytest.importorskip("cryptography.x509", reason="makes the certificate")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "both.pem"
    file.write_bytes(private + signed.public_bytes(pem))
    return file


def test_a_certificate_of_ones_own_is_named_and_can_be_trusted(
    certificate: Path, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with answering(respond) as server:
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        address = server.url.replace("http://127.0.0.1", "https://localhost")
        config = evolve_only(write_config, evolver={"model": "openai/m", "api_base": address})
        refused = run_cli("run", config, "--yes", expected=2)
        assert "certificate is not trusted" in refused.err
        assert "SSL_CERT_FILE" in refused.err
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        run_cli("run", config, "--yes", expected=0)


def test_too_few_open_files_are_said_with_both_numbers(write_config: WriteConfig) -> None:
    evolver = {"model": "openai/m", "api_base": "http://127.0.0.1:9/v1", "concurrency": 500}
    config = evolve_only(write_config, evolver=evolver)
    command = f"ulimit -n 512 && exec {sys.executable} -m autoevol run {config} --yes"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "500 calls at once need 628 open files, and the system allows 512" in done.stderr
    assert not list(Path("runs").rglob("*.jsonl"))
