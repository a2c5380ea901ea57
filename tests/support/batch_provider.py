"""A stand-in for a provider's files and batches in OpenAI's form, on loopback.

It also answers single calls, by the same script, so that a run in batches can be held against one
without. Batches take time, come back in disorder, and lose or refuse requests as it is told.
"""

import contextlib
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.models.transports.scripted import world
from tests.support.loopback import openai_reply

Script = Callable[[Sequence[Message], int], str]
Judge = Callable[[str, int], int | None]
"""From a request's id and how often it came: 200, the status of a refusal, or None: no result."""


def _fine(custom_id: str, times: int) -> int | None:
    return 200


@dataclass
class BatchProviderState:
    """What the stand-in holds, and how it behaves.

    Attributes:
        delay_s: Seconds from a batch's beginning to its end.
        judge: What becomes of each request.
        slow: Seconds until an answer comes after everything is done, by `METHOD what`.
        broken: How many of the next answers are 500 after everything is done, by `METHOD what`.
        problem: Why every batch fails as a whole; "": none does.
        script: Writes the answers.
        paid: How often each request was answered in a batch.
        single: Single calls that were answered.
        calls: Requests by `METHOD what`.
    """

    delay_s: float = 0.3
    judge: Judge = _fine
    slow: dict[str, float] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    script: Script = world
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    single: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def store(self, name: str, content: bytes) -> dict[str, Any]:
        with self.lock:
            number = f"file-{len(self.calls)}-{random.randrange(10**9)}"
            self.files[number] = (name, content)
        return self.file(number)

    def file(self, number: str) -> dict[str, Any]:
        name, content = self.files[number]
        return {
            "id": number,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": "batch",
            "status": "processed",
        }

    def begin(self, body: Mapping[str, Any]) -> dict[str, Any]:
        with self.lock:
            number = f"batch_{len(self.batches) + 1}"
            self.batches[number] = {
                "id": number,
                "object": "batch",
                "endpoint": body["endpoint"],
                "completion_window": "24h",
                "input_file_id": body["input_file_id"],
                "metadata": body.get("metadata"),
                "created_at": time.time(),
                "status": "in_progress",
                "output_file_id": None,
                "error_file_id": None,
                "errors": None,
            }
        return self.batch(number)

    def batch(self, number: str) -> dict[str, Any]:
        with self.lock:
            batch = self.batches[number]
            is_over = time.time() - batch["created_at"] >= self.delay_s
            if batch["status"] == "in_progress" and is_over:
                self._end(batch)
            return {**batch, "created_at": int(batch["created_at"])}

    def cancel(self, number: str) -> dict[str, Any]:
        with self.lock:
            self.batches[number]["status"] = "cancelled"
        return self.batch(number)

    def _end(self, batch: dict[str, Any]) -> None:
        if self.problem:
            batch.update(status="failed", errors={"data": [{"message": self.problem}]})
            return
        _, content = self.files[batch["input_file_id"]]
        requests = [json.loads(line) for line in content.splitlines()]
        random.Random(batch["id"]).shuffle(requests)
        lines: dict[bool, list[bytes]] = {True: [], False: []}
        for request in requests:
            custom_id = request["custom_id"]
            self.seen[custom_id] += 1
            status = self.judge(custom_id, self.seen[custom_id])
            if status is None:
                continue
            self.paid[custom_id] += status == 200
            lines[status == 200].append(json.dumps(_result(request, status, self.script)).encode())
        is_whole = len(lines[True]) + len(lines[False]) == len(requests)
        batch["status"] = "completed" if is_whole else "expired"
        for is_good, key in ((True, "output_file_id"), (False, "error_file_id")):
            if lines[is_good]:
                batch[key] = self.store(f"{batch['id']}-{key}", b"\n".join(lines[is_good]))["id"]


def _result(request: Mapping[str, Any], status: int, script: Script) -> dict[str, Any]:
    answer: Any = {"error": {"message": "refused", "code": status}}
    if status == 200:
        answer = answered(request["body"], script)
    return {
        "id": f"r-{request['custom_id']}",
        "custom_id": request["custom_id"],
        "response": {"status_code": status, "request_id": "x", "body": answer},
        "error": None,
    }


def answered(body: Mapping[str, Any], script: Script) -> dict[str, Any]:
    """Return the completion of a request."""
    return openai_reply(script(body["messages"], int(body.get("seed") or 0)))


class _Handler(BaseHTTPRequestHandler):
    state: BatchProviderState

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path.endswith("/files"):
            self._answer("files", self.state.store(*_upload(self.headers["Content-Type"], content)))
        elif path.endswith("/batches"):
            self._answer("batches", self.state.begin(json.loads(content)))
        elif path.endswith("/cancel"):
            self._answer("cancel", self.state.cancel(path.split("/")[-2]))
        else:
            self.state.single += 1
            self._answer("completions", answered(json.loads(content), self.state.script))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if match := re.search(r"/files/([^/]+)/content$", parts.path):
            self._answer("content", self.state.files[match[1]][1])
        elif parts.path.endswith("/files"):
            data = [self.state.file(number) for number in [*self.state.files]]
            self._answer("files", {"object": "list", "data": data, "has_more": False})
        elif parts.path.endswith("/batches"):
            after = parse_qs(parts.query).get("after", [""])[0]
            self._answer("batches", _page(self.state, after))
        else:
            self._answer("batch", self.state.batch(parts.path.rsplit("/", 1)[-1]))

    def do_DELETE(self) -> None:
        number = self.path.rsplit("/", 1)[-1]
        self.state.files.pop(number, None)
        self._answer("file", {"id": number, "object": "file", "deleted": True})

    def _answer(self, what: str, body: Any) -> None:
        write_answer(self, self.state, what, body)

    def log_message(self, *_: Any) -> None:
        return


def write_answer(
    handler: BaseHTTPRequestHandler, state: BatchProviderState, what: str, body: Any
) -> None:
    """Write an answer, as late or as broken as the stand-in is told to; everything is done."""
    kind = f"{handler.command} {what}"
    with state.lock:
        state.calls[kind] += 1
        is_broken = state.broken[kind] > 0
        state.broken[kind] -= is_broken
    time.sleep(state.slow.get(kind, 0.0))
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    # A client that was killed meanwhile reads no answer.
    with contextlib.suppress(OSError):
        handler.send_response(500 if is_broken else 200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)


@contextmanager
def batch_provider(**behaviour: Any) -> Iterator[BatchProviderState]:
    """Serve files, batches and single calls at `url`, which ends with `/v1`."""
    state = BatchProviderState(**behaviour)
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def _page(state: BatchProviderState, after: str) -> dict[str, Any]:
    """Return two batches, the newest first, as providers page."""
    numbers = [*state.batches][::-1]
    start = numbers.index(after) + 1 if after else 0
    page = numbers[start : start + 2]
    return {
        "object": "list",
        "data": [state.batch(number) for number in page],
        "has_more": start + 2 < len(numbers),
    }


def _upload(kind: str, content: bytes) -> tuple[str, bytes]:
    """Return name and content of the file in a form."""
    form = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\n\n" + content
    )
    for part in form.iter_parts():
        payload = part.get_payload(decode=True)
        if (name := part.get_filename()) and isinstance(payload, bytes):
            return name, payload
    raise ValueError("no file in the form")
