"""A loopback HTTP server that keeps the requests and answers from a script."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]
"""A status and a body; a str body is sent as it is."""


@dataclass(frozen=True)
class RawAnswer:
    """An answer byte by byte, with its headers."""

    data: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class ReceivedRequest:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    number: int = 0


@dataclass
class Loopback:
    """The running server."""

    url: str
    requests: list[ReceivedRequest]
    server: ThreadingHTTPServer


def openai_reply(text: str = "fine", finish_reason: str = "stop") -> dict[str, Any]:
    """Return a chat completion."""
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 3,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 7},
        },
    }


def anthropic_reply(text: str = "fine") -> dict[str, Any]:
    """Return a message of Anthropic's."""
    return {
        "id": "x",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 11, "output_tokens": 3},
    }


def good_reply(request: ReceivedRequest) -> dict[str, Any]:
    """Return a sound rewrite of the row in a prompt that evolves, else an answer."""
    user = request.body["messages"][-1]["content"]
    # The plain adapter's form, and the chat adapter's.
    row = re.search(r"Instruction:\n(.*?)\n\n[^\n]*\Z", user, re.DOTALL) or re.search(
        r"\[\[ ## instruction ## \]\]\n(.*?)\n\nRespond", user, re.DOTALL
    )
    if row is None:
        return openai_reply("The Danube comes second, after the Volga; both are named in order.")
    added = "Then compare two of them by their discharge, and justify the comparison with figures."
    return openai_reply(f"{row[1]} {added}")


@contextmanager
def answering(
    answer: Callable[[ReceivedRequest], Answer | RawAnswer],
    *,
    serves: Mapping[str, str] | None = None,
    port: int = 0,
) -> Iterator[Loopback]:
    """Serve what `answer` returns for each request.

    Args:
        answer: To requests that post something.
        serves: The names of the models and what they stand for, at `GET /v1/models`; None: there is
            nothing at that address.
        port: 0: a free one.
    """
    requests: list[ReceivedRequest] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(size) or b"{}")
            with lock:
                request = ReceivedRequest(self.path, dict(self.headers), body, len(requests))
                requests.append(request)
            reply = _raw(answer(request))
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", **reply.headers}
            for name, value in {**headers, "Content-Length": str(len(reply.data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.data)

        def do_GET(self) -> None:
            data = [{"id": name, "root": root} for name, root in (serves or {}).items()]
            body = json.dumps({"object": "list", "data": data}).encode()
            self.send_response(404 if serves is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with _serving(Handler, port) as server:
        yield Loopback(f"http://127.0.0.1:{server.server_port}", requests, server)


@contextmanager
def dripping() -> Iterator[str]:
    """Serve bodies that come byte by byte and do not end; yield the address."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            while not stop.wait(0.05):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            return

    with _serving(Handler) as server:
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            stop.set()


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def loopback(answer: Callable[[int], Answer]) -> Iterator[Loopback]:
    """Serve `answer(number of the request, from 0)` on a free port."""
    with answering(lambda request: answer(request.number)) as server:
        yield server


def _raw(answer: Answer | RawAnswer) -> RawAnswer:
    if isinstance(answer, RawAnswer):
        return answer
    status, body = answer
    return RawAnswer((body if isinstance(body, str) else json.dumps(body)).encode(), status)
