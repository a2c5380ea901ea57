"""The benchmark's endpoint as a process of its own, started and ended by its user."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.settings import as_options

ROOT = Path(__file__).resolve().parent.parent
ENDING_S = 10.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running endpoint.

    Attributes:
        url: Its base, for `api_base`.
    """

    url: str

    def stats(self) -> dict[str, Any]:
        """Return what it has seen since the last reset."""
        return self._ask("GET", "/stats")

    def reset(self) -> None:
        """Zero its stats, and start its draws, cap and numbers of requests anew."""
        self._ask("POST", "/reset")

    def change(self, **changes: Any) -> dict[str, Any]:
        """Change settings and return all of them."""
        return self._ask("POST", "/settings", json.dumps(changes))

    def _ask(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=ENDING_S)
        try:
            connection.request(method, path, body.encode())
            reply = connection.getresponse()
            found: dict[str, Any] = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(found["error"]["message"])
        return found


@contextmanager
def serving(**settings: Any) -> Iterator[ServerProcess]:
    """Serve with these `benchmarks.settings.Settings` until the block is left."""
    command = [sys.executable, "-m", "benchmarks.server", "--die-with-parent"]
    process = subprocess.Popen(
        [*command, *as_options(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    with process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the server has no pipes")
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the server did not start")
            yield ServerProcess(json.loads(line)["url"])
        finally:
            process.stdin.close()
            _ended(process)


def _ended(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
