"""The server over a real connection: what it serves, and all that it refuses."""

import errno
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoevol.experiments.view.guard import HEADERS, MOST_BYTES
from autoevol.experiments.view.run_rows import RunRows
from autoevol.experiments.view.server import ViewServer
from autoevol.metrics import Reason
from autoevol.program.errors import ConfigError
from tests.support.command_line import rows_of
from tests.support.html_pages import _Reader
from tests.support.viewing import Client, outcome, serving, write_run

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hostile = outcome(2, instruction=f"Name {SCRIPT} trees", response=SCRIPT)
    failed = outcome(3, "failed", [Reason("unchanged", SCRIPT)])
    (tmp_path / "secret.txt").write_text("secret")
    folder = write_run(tmp_path / SCRIPT.replace("/", ""), [outcome(1), hostile, failed])
    (folder / "ledger.sqlite").write_text("secret")
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    with serving(folder) as client:
        yield client


def test_the_page_and_its_parts_come_with_headers_that_keep_scripts_out(client: Client) -> None:
    kinds = {"": "text/html", "view.css": "text/css", "view.js": "text/javascript"}
    for path, kind in {**kinds, "rows": "application/json"}.items():
        answer = client.get(path)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert int(answer.headers["Content-Length"]) == len(answer.body) > 100


def test_the_page_has_no_inline_script_style_or_handler(client: Client, folder: Path) -> None:
    text = client.get().body.decode()
    reader = _Reader()
    reader.feed(text)
    page = reader.open[0]
    [script] = page.all("script")
    assert (script.attributes["src"], script.text) == ("view.js", "")
    assert not page.all("style")
    assert SCRIPT.replace("/", "") not in text
    assert not [
        a for node in page._nodes() for a in node.attributes if a == "style" or a[:2] == "on"
    ]
    code = client.get("view.js").body.decode()
    assert not [
        word
        for word in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", "document.write")
        if word in code
    ]


def test_a_mark_is_in_the_file_when_the_reply_comes(client: Client, folder: Path) -> None:
    [first, *_] = client.get("rows").tree["rows"]
    answer = client.post({"key": first["key"], "label": "bad", "kinds": ["easier"]})
    assert (answer.status, answer.tree["label"], answer.tree["kinds"]) == (200, "bad", ["easier"])
    assert [row["label"] for row in rows_of(folder / "labels.jsonl")] == ["bad"]
    assert client.get("row", key=first["key"]).tree["label"] == "bad"
    undone = client.post({"key": first["key"], "label": None})
    assert undone.tree["label"] is None
    assert undone.tree["counts"]["mark"]["marked"] == 0
    assert len(rows_of(folder / "labels.jsonl")) == 2


def test_what_the_page_sends_does_not_get_into_the_file(client: Client, folder: Path) -> None:
    [first, *_] = client.get("rows").tree["rows"]
    client.post({"key": first["key"], "label": "good", "seed": SCRIPT, "id": SCRIPT, "time": 1})
    assert SCRIPT not in (folder / "labels.jsonl").read_text()


def test_another_site_marks_nothing(client: Client, folder: Path) -> None:
    [first, *_] = client.get("rows").tree["rows"]
    tree = {"key": first["key"], "label": "good"}
    path, body = f"/{client.token}/labels", json.dumps(tree).encode()
    json_type = {"Content_Type": "application/json"}
    refused = [
        client.post(tree, Origin="http://evil.example"),
        client.post(tree, Origin="null"),
        client.post(tree, Host="rebound.example"),
        client.post(tree, Host="rebound.example", Origin="http://rebound.example"),
        client.send("POST", "/labels", body, **json_type),
        client.send("POST", f"/{'x' * 43}/labels", body, **json_type),
        # What a form can send without asking first.
        client.send("POST", path, body, Content_Type="text/plain"),
        client.send("POST", path, body, Content_Type="multipart/form-data"),
    ]
    assert [answer.status for answer in refused] == [403] * 6 + [415] * 2
    assert all({name: a.headers[name] for name in HEADERS} == HEADERS for a in refused)
    assert not (folder / "labels.jsonl").exists()
    same = client.post(tree, Origin=f"http://{client.host}", Host=client.host)
    assert same.status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_rows_are_read_by_nobody_else(method: str, client: Client) -> None:
    for path in ("/", "/rows", "/view.js", "/favicon.ico", f"/{'x' * 43}/rows"):
        answer = client.send(method, path)
        assert answer.status == 403
        assert b"trees" not in answer.body
    assert client.send(method, f"/{client.token}/rows", Host="rebound.example").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "ledger.sqlite",
        "evolved.jsonl",
        "labels.jsonl",
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "static/view.js",
        "/etc/passwd",
        "//etc/passwd",
        "view.js/",
        "view.js%00",
        "rows/../view.js",
        "./view.js",
        "..\\secret.txt",
    ],
)
def test_nothing_else_is_served(path: str, client: Client) -> None:
    answer = client.send("GET", f"/{client.token}/{path}")
    assert answer.status == 404
    assert b"secret" not in answer.body


def test_a_key_is_no_path(client: Client) -> None:
    for key in ("", "../secret.txt", "ledger.sqlite", "0" * 16, "\x00"):
        assert client.get("row", key=key).status == 404


def test_a_method_that_an_address_does_not_take_is_refused(client: Client) -> None:
    assert client.send("GET", f"/{client.token}/labels").status == 405
    body = {"Content_Type": "application/json"}
    assert client.send("POST", f"/{client.token}/rows", b"{}", **body).status == 405
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        answer = client.send(method, f"/{client.token}/rows")
        assert answer.status == 501
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.send("HEAD", f"/{client.token}/").body == b""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 10_000, 400),
        (b'{"key": "x", "label": "good"}', 404),
        (b'{"key": "x", "label": "good", "kinds": {}}', 404),
        (b" " * (MOST_BYTES + 1), 413),
    ],
)
def test_a_body_that_is_no_mark_is_refused(body: bytes, status: int, client: Client) -> None:
    types = {"Content_Type": "application/json"}
    answer = client.send("POST", f"/{client.token}/labels", body, **types)
    assert answer.status == status
    assert answer.tree["problem"]


def test_an_odd_filter_is_named(client: Client) -> None:
    answer = client.get("rows", status="x")
    assert (answer.status, answer.tree["problem"]) == (
        400,
        "status must be one of kept, failed, suspected, unscored",
    )
    assert client.get("rows", text="%" * 5000).tree["total"] == 0
    assert client.send("GET", f"/{client.token}/rows?text=%ff%fe&&=&x").status == 200


def test_a_connection_that_says_nothing_of_http_hurts_nobody(client: Client) -> None:
    name, _, port = client.host.partition(":")
    for start in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b""):
        with socket.create_connection((name, int(port))) as other:
            other.sendall(start)
    assert client.get("rows").status == 200


def test_it_listens_on_loopback_alone(folder: Path) -> None:
    with ViewServer(RunRows(folder), 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_in_use_is_refused_in_a_line(folder: Path) -> None:
    with ViewServer(RunRows(folder), 0) as server:
        port = server.server_address[1]
        with pytest.raises(ConfigError, match=rf"^--port {port}: is in use by another program"):
            ViewServer(RunRows(folder), port)


def test_a_file_that_cannot_be_read_is_said_and_the_page_goes_on(
    client: Client, folder: Path
) -> None:
    (folder / "evolved.jsonl").rename(folder / "away")
    (folder / "evolved.jsonl").mkdir()
    answer = client.get("rows")
    assert (answer.status, "a folder" in answer.tree["problem"]) == (500, True)
    (folder / "evolved.jsonl").rmdir()
    (folder / "away").rename(folder / "evolved.jsonl")
    assert client.get("rows").tree["total"] == 3


def test_a_mark_that_cannot_be_written_is_said(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk takes nothing, or a part of the line; the next mark is whole again."""
    [first, second, *_] = client.get("rows").tree["rows"]

    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def nearly_full(handle: int, data: bytes) -> int:
        return write(handle, data[: len(data) // 2])

    write = os.write
    for broken in (full, nearly_full):
        monkeypatch.setattr("autoevol.experiments.artifacts.labels.file.os.write", broken)
        answer = client.post({"key": first["key"], "label": "good"})
        assert answer.status == 500
        assert "labels.jsonl: cannot be written: No space left" in answer.tree["problem"]
    monkeypatch.setattr("autoevol.experiments.artifacts.labels.file.os.write", write)
    answer = client.post({"key": second["key"], "label": "bad"})
    assert (answer.status, answer.tree["counts"]["mark"]["marked"]) == (200, 1)
