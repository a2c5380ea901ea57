"""An upload to the hub, against a server on loopback that answers as the hub does."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pyarrow.parquet
import pytest
import yaml

from autoevol.experiments.data.formats.rows import new_row
from tests.support.command_line import Result, run_cli


@dataclass
class Hub:
    """A hub that records its requests, with or without the data set.

    Attributes:
        private: Visibility of the data set; None: the hub does not have it.
    """

    private: bool | None = None
    url: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Return status and body of one request."""
        if path.startswith("/api/datasets/me/trial/preupload"):
            files = json.loads(body)["files"]
            entries = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files
            ]
            return 200, {"files": entries}
        if path.startswith("/api/datasets/me/trial/commit"):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            return 200, {"commitUrl": f"{self.url}/datasets/me/trial/commit/1", "commitOid": "1"}
        if path.startswith("/api/repos/create"):
            self.created.append(json.loads(body))
            return 200, {"url": f"{self.url}/datasets/me/trial"}
        if path.startswith("/api/datasets/me/trial") and self.private is not None:
            return 200, {"id": "me/trial", "private": self.private, "siblings": [], "tags": []}
        return (404, {"error": "not found"}) if "datasets" in path else (200, {})


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve a hub on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.tokens.add(self.headers.get("Authorization") or "")
            status, reply = hub.answer(self.path, body)
            sent = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            if status == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            self.wfile.write(sent)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def run_folder(workplace: Path) -> Path:
    """Return a run's folder with one row."""
    folder = workplace / "run"
    folder.mkdir()
    models = {"evolver": {"model": "scripted/world"}}
    tree = {"name": "trial", "models": models, "data": {"path": "x"}, "optimizer": {"name": "none"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(tree))
    row = new_row("Why?", id="a", seed_id="a", round=1, response="So.")
    (folder / "evolved.jsonl").write_text(json.dumps(row) + "\n")
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a hub, and point the client to it."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with serving(Hub()) as server:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.url)
        yield server


def push(folder: Path, *options: str) -> Result:
    return run_cli("export", str(folder), "--push-to-hub", "me/trial", *options)


@pytest.mark.parametrize(("options", "visibility"), [([], "private"), (["--public"], "public")])
def test_an_upload_is_private_by_default(
    run_folder: Path, hub: Hub, options: list[str], visibility: str
) -> None:
    done = push(run_folder, *options)
    assert done.code == 0, done.err
    assert [request["visibility"] for request in hub.created] == [visibility]
    assert "Bearer hf_secret" in hub.tokens
    assert set(hub.files) == {"README.md", "data/train-00000-of-00001.parquet"}
    assert hub.files["README.md"] == (run_folder / "exports/hf/README.md").read_bytes()
    rows = pyarrow.parquet.read_table(io.BytesIO(hub.files["data/train-00000-of-00001.parquet"]))
    assert rows["instruction"].to_pylist() == ["Why?"]
    assert f"{visibility}: {hub.url}/datasets/me/trial/commit/1" in done.out
    assert "hf_secret" not in done.out + done.err


@pytest.mark.parametrize(
    ("private", "options", "needle"),
    [
        pytest.param(True, [], "exists on the hub; --overwrite", id="there"),
        pytest.param(False, ["--overwrite"], "is public on the hub", id="public"),
        pytest.param(True, ["--overwrite", "--public"], "is private on the hub", id="private"),
    ],
)
def test_an_existing_data_set_is_not_changed_by_accident(
    run_folder: Path, hub: Hub, private: bool, options: list[str], needle: str
) -> None:
    hub.private = private
    refused = push(run_folder, *options)
    assert refused.code == 2
    assert needle in refused.err
    assert not hub.files
    assert not hub.created


def test_another_commit_needs_the_same_visibility(run_folder: Path, hub: Hub) -> None:
    hub.private = True
    assert push(run_folder, "--overwrite").code == 0
    assert "README.md" in hub.files
    assert not hub.created


def test_an_unreachable_hub_loses_nothing(
    run_folder: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:1")
    refused = push(run_folder)
    assert refused.code == 2
    assert "exports/hf is complete" in refused.err
    assert (run_folder / "exports/hf/dataset_dict.json").is_file()
