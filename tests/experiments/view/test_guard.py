"""Who may ask the server: by Host, Origin and token."""

from collections.abc import Sequence

import pytest

from autoevol.experiments.view.guard import (
    HEADERS,
    MOST_BYTES,
    Guard,
    RefusedError,
    Request,
    body_size,
)

GUARD = Guard(8000)
HERE = "127.0.0.1:8000"


def admitted(path: str, method: str = "GET", **headers: Sequence[str]) -> str:
    return GUARD.admitted(Request(method, path, headers))


def test_a_request_of_the_page_itself_is_admitted() -> None:
    assert GUARD.address == f"http://{HERE}/{GUARD.token}/"
    assert admitted(f"/{GUARD.token}/", host=[HERE]) == ""
    assert admitted(f"/{GUARD.token}/rows?round=1", host=["localhost:8000"]) == "rows?round=1"
    assert admitted(f"/{GUARD.token}/", host=[HERE], origin=[f"http://{HERE}"]) == ""


@pytest.mark.parametrize(
    "host",
    [
        [],
        ["127.0.0.1"],
        ["127.0.0.1:8001"],
        ["rebound.example:8000"],
        ["127.0.0.1:8000.rebound.example"],
        ["[::1]:8000"],
        ["LOCALHOST:8000"],
        ["127.0.0.1:8000", "rebound.example"],
    ],
    ids=str,
)
def test_a_host_of_another_name_is_refused(host: Sequence[str]) -> None:
    with pytest.raises(RefusedError, match="Host") as refusal:
        admitted(f"/{GUARD.token}/", host=host)
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    "origin",
    [
        ["null"],
        [""],
        ["http://evil.example"],
        ["http://localhost:8000"],
        ["https://127.0.0.1:8000"],
        ["http://127.0.0.1:8000.evil.example"],
        [f"http://{HERE}", f"http://{HERE}"],
    ],
    ids=str,
)
def test_a_request_that_another_site_sends_is_refused(origin: Sequence[str]) -> None:
    with pytest.raises(RefusedError, match="another site") as refusal:
        admitted(f"/{GUARD.token}/rows", host=[HERE], origin=origin)
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    "path",
    ["/", "", "//", "/rows", "/x/", "/ü/", "/{token}", "/{token}x/", "//{token}/", "/x/{token}/"],
)
def test_without_the_token_nothing_is_told(path: str) -> None:
    with pytest.raises(RefusedError, match="autoevol view") as refusal:
        admitted(path.format(token=GUARD.token), host=[HERE])
    assert refusal.value.status == 403


def test_each_server_has_a_token_of_its_own() -> None:
    tokens = {Guard(8000).token for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 43


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": ["9"]}, 415),
        ({"content-type": ["text/plain"], "content-length": ["9"]}, 415),
        ({"content-type": ["application/x-www-form-urlencoded"], "content-length": ["9"]}, 415),
        ({"content-type": ["application/json"]}, 411),
        ({"content-type": ["application/json"], "content-length": ["-1"]}, 411),
        ({"content-type": ["application/json"], "content-length": ["1", "2"]}, 411),
        (
            {
                "content-type": ["application/json"],
                "content-length": ["9"],
                "transfer-encoding": ["chunked"],
            },
            411,
        ),
        ({"content-type": ["application/json"], "content-length": [str(MOST_BYTES + 1)]}, 413),
        ({"content-type": ["application/json"], "content-length": ["9" * 400]}, 413),
    ],
)
def test_a_body_that_is_no_mark_is_refused_unread(
    headers: dict[str, Sequence[str]], status: int
) -> None:
    with pytest.raises(RefusedError) as refusal:
        body_size(headers)
    assert refusal.value.status == status


def test_a_body_of_json_may_name_its_encoding() -> None:
    headers = {"content-type": ["application/json; charset=utf-8"], "content-length": ["12"]}
    assert body_size(headers) == 12


def test_no_inline_script_runs_and_no_other_page_shows_this_one() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert HEADERS["X-Content-Type-Options"] == "nosniff"
    assert HEADERS["Referrer-Policy"] == "no-referrer"
    assert HEADERS["Cache-Control"] == "no-store"
