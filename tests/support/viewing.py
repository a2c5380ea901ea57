"""A run's folder as a run leaves it, and the server of `autoevol view` on it."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from autoevol.experiments.artifacts.identity import RunIdentity
from autoevol.experiments.view.run_rows import RunRows
from autoevol.experiments.view.server import ViewServer
from autoevol.metrics import Reason, Stage
from autoevol.program.records import Outcome, Row

FILES = {"kept": "evolved.jsonl", "failed": "failures.jsonl", "unscored": "unscored.jsonl"}


def outcome(
    number: int, status: Any = "kept", reasons: Iterable[Reason] = (), **more: Any
) -> Outcome:
    """Return the outcome of a row of the first round, whose fields may be replaced."""
    seed = Row(id=f"seed-{number}", seed_id=f"seed-{number}", instruction=f"Name {number} trees.")
    row = {
        "id": f"seed-{number}.1",
        "seed_id": seed.id,
        "parent_id": seed.id,
        "round": 1,
        "method": "weak",
        "instruction": f"Name {number} trees, and say where each of them grows.",
        "response": "" if status == "unscored" else f"Oak, number {number}: in Europe.",
        "origin": seed.instruction,
        "model_evolve": "scripted/world",
        **more,
    }
    reasons = tuple(reasons)
    at: Stage | None = "evolve" if status == "failed" else None
    return Outcome(seed, Row(**row), status, at, reasons)


def write_run(folder: Path, outcomes: Iterable[Outcome]) -> Path:
    """Write the files of a run that `autoevol view` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    RunIdentity("key", datetime.now(UTC)).write(folder)
    for name in ("evolved.jsonl", "failures.jsonl"):
        (folder / name).touch()
    for result in outcomes:
        add_row(folder, result)
    return folder


def add_row(folder: Path, result: Outcome) -> None:
    """Append a row, as a live run does."""
    with (folder / FILES[result.status]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(result.as_dict()) + "\n")


@dataclass(frozen=True)
class Answer:
    """What the server replied."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def tree(self) -> Any:
        """The body as JSON data."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Sends requests as any program on this machine could."""

    address: str

    @property
    def host(self) -> str:
        """Name and port of the server."""
        return urlsplit(self.address).netloc

    @property
    def token(self) -> str:
        """The secret of the server."""
        return urlsplit(self.address).path.strip("/")

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request; `path` begins at the server's root, headers are written with `_`."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, names)
            reply = connection.getresponse()
            return Answer(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def get(self, path: str = "", **query: Any) -> Answer:
        """Get a path behind the token."""
        tail = f"?{urlencode(query)}" if query else ""
        return self.send("GET", f"/{self.token}/{path}{tail}")

    def post(self, tree: Any, **headers: str) -> Answer:
        """Post a mark."""
        body = json.dumps(tree).encode()
        types = {"Content_Type": "application/json", **headers}
        return self.send("POST", f"/{self.token}/labels", body, **types)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Client]:
    """Serve the page of a run on a free port."""
    with ViewServer(RunRows(folder), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Client(server.guard.address)
        finally:
            server.shutdown()
            thread.join()
