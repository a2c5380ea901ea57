"""What the connections of the benchmark's endpoint share: its answers and its figures."""

import asyncio
import json
from typing import Any

from benchmarks.answers import Answer, Endpoint
from benchmarks.settings import Settings
from benchmarks.stats import Stats


class Desk:
    """What all connections share.

    Args:
        settings: To start with.
        loop: Whose time counts.
    """

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.endpoint = Endpoint(settings, loop.time())
        self.stats = Stats()

    def answer(self, method: bytes, path: bytes, body: bytes) -> Answer:
        """Return the answer to any request but a chat."""
        if (method, path) == (b"GET", b"/stats"):
            return in_json(self.stats.as_dict())
        if (method, path) == (b"GET", b"/v1/models") and self.endpoint.settings.serves:
            return in_json({"data": [{"id": self.endpoint.settings.serves}]})
        if (method, path) == (b"POST", b"/settings"):
            return self._change(body)
        if (method, path) == (b"POST", b"/reset"):
            now = self.loop.time()
            self.stats = self.stats.forget(now)
            self.endpoint.reset(now)
            return in_json({})
        return in_json(
            {"error": {"message": f"no {method.decode()} {path.decode('latin-1')} here"}}, 404
        )

    def _change(self, body: bytes) -> Answer:
        try:
            settings = self.endpoint.settings.changed(json.loads(body))
        except (ValueError, AttributeError) as error:
            return in_json({"error": {"message": str(error)}}, 400)
        self.endpoint.change(settings, self.loop.time())
        return in_json(settings.as_dict())


def in_json(content: dict[str, Any], status: int = 200) -> Answer:
    """Return an answer that is due at once."""
    return Answer(status, json.dumps(content).encode())
