"""Just enough HTTP/1.1 to be fast: keep-alive, and bodies with a Content-Length."""

import asyncio
import re
from http import HTTPStatus
from typing import cast

from benchmarks.answers import DROPPED, Answer
from benchmarks.desk import Desk, in_json

CHAT = b"/v1/chat/completions"

_START = re.compile(rb"(GET|POST) ([^ ?\r]*)[^ \r]* HTTP/1\.[01](?:\r\n|$)")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Connection(asyncio.Protocol):
    """One client: its requests are answered one after the other.

    Args:
        desk: Answers them and counts.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._buffer = b""
        self._chat: bytes | None = None
        self._answer: Answer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; a reply counts as written once nothing of it is held back."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Answer what has come in as a whole."""
        self._buffer = self._buffer + data if self._buffer else data
        self._go_on()

    def resume_writing(self) -> None:
        """Count a long reply whose last byte has left."""
        if self._answer is not None:
            self._settle(self._answer)
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a client that left before its reply."""
        if self._timer is not None:
            self._timer.cancel()
        if self._chat is not None:
            self._desk.stats.lost(self._desk.loop.time())
            self._chat = None

    def _go_on(self) -> None:
        while self._answer is None and self._buffer and not self._transport.is_closing():
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0 or not self._took(self._buffer[:end], end + 4):
                return

    def _took(self, head: bytes, begin: int) -> bool:
        """Take a request off the buffer and answer it; tell whether it was complete."""
        start, length = _START.match(head), _LENGTH.search(head)
        if start is None or _CHUNKED.search(head):
            self._is_last = True
            self._begin(in_json({"error": {"message": "not spoken here"}}, 400))
            return True
        end = begin + (int(length[1]) if length else 0)
        if len(self._buffer) < end:
            return False
        body, self._buffer = self._buffer[begin:end], self._buffer[end:]
        self._is_last = _CLOSE.search(head) is not None
        if start[1] == b"POST" and start[2] == CHAT:
            self._begin_chat(body)
        else:
            self._begin(self._desk.answer(start[1], start[2], body))
        return True

    def _begin_chat(self, body: bytes) -> None:
        now = self._desk.loop.time()
        self._chat = body
        self._desk.stats.arrived(now)
        self._begin(self._desk.endpoint.answer(body, now))

    def _begin(self, answer: Answer) -> None:
        self._answer = answer
        if answer.delay:
            self._timer = self._desk.loop.call_later(answer.delay, self._due)
        else:
            self._write(answer)

    def _due(self) -> None:
        self._timer = None
        if self._answer is not None:
            self._write(self._answer)
            self._go_on()

    def _write(self, answer: Answer) -> None:
        if answer.status == DROPPED:
            self._is_last = True
        else:
            self._transport.write(_http(answer))
            if self._transport.is_closing() or self._transport.get_write_buffer_size():
                return
        self._settle(answer)

    def _settle(self, answer: Answer) -> None:
        """Count a reply that was written as a whole."""
        if self._chat is not None:
            good_for = self._chat if answer.is_good else None
            self._desk.stats.replied(self._desk.loop.time(), answer.status, good_for)
        self._chat = self._answer = None
        if self._is_last:
            self._transport.close()


def _http(answer: Answer) -> bytes:
    wait = "" if answer.retry_after is None else f"Retry-After: {answer.retry_after:g}\r\n"
    head = (
        f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, 'Other')}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(answer.body)}\r\n{wait}\r\n"
    )
    return head.encode() + answer.body
