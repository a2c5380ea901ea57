"""The server of the page: on loopback alone, one short request a connection."""

import errno
import os
import socketserver
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from autoevol.experiments.view.guard import HEADERS, Guard, RefusedError, Request, body_size
from autoevol.experiments.view.run_rows import RunRows
from autoevol.experiments.view.site import Reply, Site, problem
from autoevol.program.errors import ConfigError

HOST = "127.0.0.1"
_IDLE_S = 30.0
"""A connection on which nothing comes for so long is closed."""


class ViewServer(ThreadingHTTPServer):
    """Serves one run's page.

    Args:
        rows: Of the run.
        port: 0: any that is free.

    Raises:
        ConfigError: The port cannot be had.
    """

    # A request that hangs must not keep the process alive.
    daemon_threads = True
    # Elsewhere than on POSIX it would let two servers share a port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, rows: RunRows, port: int) -> None:
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise ConfigError(f"--port {port}", _why_not(error)) from error
        self.guard = Guard(self.server_address[1])
        self.site = Site(rows, self.guard)

    def server_bind(self) -> None:
        """Bind the address; its name is not looked up, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error of a request, unless the browser has just closed the connection."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Turns what comes over a connection into a `Request`, and a `Reply` into bytes."""

    server: ViewServer
    timeout = _IDLE_S
    server_version, sys_version = "AutoEvol", ""

    def do_GET(self) -> None:
        """Answer."""
        self._answer(b"")

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Read the body if it may be one, and answer."""
        request = Request("POST", self.path, self._headers())
        try:
            self.server.guard.admitted(request)
            size = body_size(request.headers)
        except RefusedError as refusal:
            self._send(problem(refusal.status, str(refusal)))
            return
        self._answer(self.rfile.read(size))

    def end_headers(self) -> None:
        """Add the headers of every reply, of those to malformed requests, too."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing: the addresses have the token in them."""

    def _answer(self, body: bytes) -> None:
        request = Request(self.command, self.path, self._headers(), body)
        try:
            reply = self.server.site.reply(request)
        except Exception:
            self._send(problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect; see the terminal"))
            raise
        self._send(reply)

    def _headers(self) -> Mapping[str, Sequence[str]]:
        names = {name.lower() for name in self.headers}
        return {name: self.headers.get_all(name, []) for name in names}

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)


def _why_not(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is in use by another program; choose another port, or leave --port out"
    return f"cannot be used: {error.strerror}; choose another port, or leave --port out"
