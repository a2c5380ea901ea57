"""Stand-ins for the batch interfaces of Anthropic and Gemini on loopback.

They behave as that of `tests.support.batch_provider` does and is told to; requests lie in the call
that begins a batch, so there are no files.
"""

import json
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from autoevol.experiments.models.transports.scripted import world
from tests.support.batch_provider import BatchProviderState, write_answer

_PAGE = 2
_GRPC = {400: 3, 403: 7, 429: 8, 500: 13}
"""Codes of gRPC by status."""


class OwnProviderState(BatchProviderState):
    """What a stand-in holds; see `BatchProviderState`."""

    def begin_batch(self, number: str, requests: Mapping[str, Any], name: str = "") -> Any:
        """Take a batch of requests by their ids."""
        with self.lock:
            self.batches[number] = {
                "id": number,
                "name": name,
                "at": time.time(),
                "status": "running",
                "requests": dict(requests),
                "results": {},
            }
        return self.looked_at(number)

    def looked_at(self, number: str) -> Any:
        """Return a batch, ended if its time has come."""
        with self.lock:
            batch = self.batches[number]
            if batch["status"] == "running" and time.time() - batch["at"] >= self.delay_s:
                batch["status"] = "failed" if self.problem else "ended"
                if not self.problem:
                    self._finish(batch)
            return batch

    def _finish(self, batch: dict[str, Any]) -> None:
        names = [*batch["requests"]]
        random.Random(batch["id"]).shuffle(names)
        for name in names:
            # Anthropic's ids have a part of the batch's token behind them.
            own = name.partition("-")[0]
            self.seen[own] += 1
            status = self.judge(own, self.seen[own])
            self.paid[own] += status == 200
            batch["results"][name] = status

    def newest(self) -> list[Any]:
        with self.lock:
            return [self.looked_at(number) for number in [*self.batches][::-1]]


class _Handler(BaseHTTPRequestHandler):
    state: OwnProviderState

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._take(json.loads(content) if content else {})

    def do_GET(self) -> None:
        self._take({})

    def do_DELETE(self) -> None:
        self._take({})

    def _take(self, body: dict[str, Any]) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        what, answer = self._answered(parts.path, body, query)
        write_answer(self, self.state, what, answer)

    def _answered(self, path: str, body: Any, query: Mapping[str, str]) -> tuple[str, Any]:
        raise NotImplementedError

    def log_message(self, *_: Any) -> None:
        return


class _Anthropic(_Handler):
    def _answered(self, path: str, body: Any, query: Mapping[str, str]) -> tuple[str, Any]:
        assert self.headers["x-api-key"], "a call without the key"
        state = self.state
        if path.endswith("/messages"):
            state.single += 1
            return "completions", _message(body)
        if self.command == "POST" and path.endswith("/batches"):
            requests = {one["custom_id"]: one["params"] for one in body["requests"]}
            number = f"msgbatch_{len(state.batches) + 1}"
            return "batches", _anthropic(state.begin_batch(number, requests))
        if path.endswith("/batches"):
            return "batches", _anthropic_page(state, query.get("after_id", ""))
        number = re.findall(r"msgbatch_\d+", path)[0]
        if path.endswith("/results"):
            return "content", _anthropic_results(state.batches[number])
        if self.command == "DELETE":
            state.files.pop(number, None)
            return "batch", {"id": number, "type": "message_batch_deleted"}
        if path.endswith("/cancel"):
            state.batches[number]["status"] = "ended"
            return "cancel", _anthropic(state.batches[number])
        return "batch", _anthropic(state.looked_at(number))


def _message(body: Mapping[str, Any]) -> dict[str, Any]:
    system = [{"role": "system", "content": part["text"]} for part in body.get("system", ())]
    turns = [
        {"role": turn["role"], "content": "".join(part["text"] for part in turn["content"])}
        for turn in body["messages"]
    ]
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": world([*system, *turns], 0)}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 12, "output_tokens": 8},
    }


def _anthropic(batch: Mapping[str, Any]) -> dict[str, Any]:
    is_ended = batch["status"] != "running"
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(batch["at"]))
    return {
        "id": batch["id"],
        "type": "message_batch",
        "processing_status": "ended" if is_ended else "in_progress",
        "created_at": f"{at}.123456Z",
        "request_counts": {
            "processing": 0 if is_ended else len(batch["requests"]),
            "succeeded": len(batch["requests"]) if is_ended else 0,
            **dict.fromkeys(("errored", "canceled", "expired"), 0),
        },
        "results_url": f"/v1/messages/batches/{batch['id']}/results" if is_ended else None,
    }


def _anthropic_page(state: OwnProviderState, after: str) -> dict[str, Any]:
    batches = state.newest()
    start = [batch["id"] for batch in batches].index(after) + 1 if after else 0
    page = batches[start : start + _PAGE]
    return {"data": [*map(_anthropic, page)], "has_more": start + _PAGE < len(batches)}


def _anthropic_results(batch: Mapping[str, Any]) -> bytes:
    lines = []
    # A cancelled batch has a line for each request, too.
    for name, params in batch["requests"].items():
        status = batch["results"].get(name)
        result: dict[str, Any] = {"type": "expired"}
        if status == 200:
            result = {"type": "succeeded", "message": _message(params)}
        elif status is not None:
            kind = {429: "rate_limit_error", 400: "invalid_request_error"}.get(status, "api_error")
            error = {"type": kind, "message": "refused"}
            result = {"type": "errored", "error": {"type": "error", "error": error}}
        lines.append(json.dumps({"custom_id": name, "result": result}).encode())
    return b"\n".join(lines)


class _Gemini(_Handler):
    def _answered(self, path: str, body: Any, query: Mapping[str, str]) -> tuple[str, Any]:
        assert self.headers["x-goog-api-key"], "a call without the key"
        state = self.state
        if path.endswith(":generateContent"):
            state.single += 1
            return "completions", _content(body)
        if path.endswith(":batchGenerateContent"):
            requests = body["batch"]["input_config"]["requests"]["requests"]
            by_key = {one["metadata"]["key"]: one["request"] for one in requests}
            number = f"batches/{len(state.batches) + 1}"
            name = body["batch"]["display_name"]
            return "batches", _gemini(state.begin_batch(number, by_key, name))
        if path.endswith("/batches"):
            return "batches", _gemini_page(state, int(query.get("pageToken", 0)))
        number = re.findall(r"batches/\d+", path)[0]
        if self.command == "DELETE":
            return "batch", {}
        if path.endswith(":cancel"):
            state.batches[number]["status"] = "cancelled"
            return "cancel", {}
        return "batch", _gemini(state.looked_at(number))


def _content(body: Mapping[str, Any]) -> dict[str, Any]:
    def text(turn: Mapping[str, Any]) -> str:
        return "".join(part["text"] for part in turn["parts"])

    system = body.get("system_instruction")
    turns = [{"role": "system", "content": text(system)}] if system else []
    roles = {"model": "assistant"}
    turns += [
        {"role": roles.get(turn["role"], turn["role"]), "content": text(turn)}
        for turn in body["contents"]
    ]
    return {
        "candidates": [
            {
                "content": {"parts": [{"text": world(turns, 0)}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": 8,
            "totalTokenCount": 20,
        },
        "modelVersion": "m",
    }


def _gemini(batch: Mapping[str, Any]) -> dict[str, Any]:
    states = {"ended": "SUCCEEDED", "failed": "FAILED", "cancelled": "CANCELLED"}
    operation: dict[str, Any] = {
        "name": batch["id"],
        "metadata": {
            "displayName": batch["name"],
            "state": f"BATCH_STATE_{states.get(batch['status'], 'RUNNING')}",
        },
        "done": batch["status"] != "running",
    }
    if batch["status"] == "failed":
        return operation | {"error": {"code": 3, "message": "too many tokens are waiting"}}
    if batch["status"] == "ended":
        results = [_gemini_result(batch, name) for name in batch["results"]]
        responses = {"inlinedResponses": [one for one in results if one]}
        operation["response"] = {"inlinedResponses": responses}
    return operation


def _gemini_result(batch: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    status, metadata = batch["results"][name], {"key": name}
    if status is None:
        return None
    if status == 200:
        return {"response": _content(batch["requests"][name]), "metadata": metadata}
    return {"error": {"code": _GRPC[status], "message": "refused"}, "metadata": metadata}


def _gemini_page(state: OwnProviderState, start: int) -> dict[str, Any]:
    batches = state.newest()
    page: dict[str, Any] = {"operations": [*map(_gemini, batches[start : start + _PAGE])]}
    if start + _PAGE < len(batches):
        page["nextPageToken"] = str(start + _PAGE)
    return page


_HANDLERS = {"anthropic": _Anthropic, "gemini": _Gemini}


@contextmanager
def own_batch_provider(kind: str, **behaviour: Any) -> Iterator[OwnProviderState]:
    """Serve batches and single calls at `url`, in the form of `anthropic` or `gemini`."""
    state = OwnProviderState(**behaviour)
    handler = type("Handler", (_HANDLERS[kind],), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
