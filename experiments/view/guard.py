"""Who may ask the page's server: the browser of the person who started it, through its own page.

Other pages in the same browser can send requests here, too. They do not have the token, a name that
they had pointed to 127.0.0.1 is refused as a Host, and their own address as an Origin.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_BYTES = 16 << 10
"""Of a request's body; a mark has about a hundred."""

JSON = "application/json"
TOKEN_BYTES = 32

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every reply. The rows hold texts of models: no script may stand in the page, and no other
page may show or read it."""


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        status: Of the reply.
        problem: A line for the person who reads it.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came.

    Attributes:
        path: With the query.
        headers: All values of each header, by its name in small letters.
    """

    method: str
    path: str
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: bytes = b""


class Guard:
    """Decides which requests are answered.

    Args:
        port: That the server listens on.

    Attributes:
        token: A secret of this server, a part of its address.
    """

    def __init__(self, port: int) -> None:
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self.token = secrets.token_urlsafe(TOKEN_BYTES)

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{self._hosts[0]}/{self.token}/"

    def admitted(self, request: Request) -> str:
        """Return what a request asks for: its path behind the token, with the query.

        Raises:
            RefusedError: It comes from somewhere else, or has no token.
        """
        host = _only(request, "host")
        if host not in self._hosts:
            raise RefusedError(403, "the Host header does not name this server")
        if "origin" in request.headers and _only(request, "origin") != f"http://{host}":
            raise RefusedError(403, "another site has sent this")
        token, slash, rest = request.path.removeprefix("/").partition("/")
        # In bytes: texts that are not ASCII cannot be compared in constant time.
        if not slash or not secrets.compare_digest(token.encode(), self.token.encode()):
            raise RefusedError(403, "open the address that `autoevol view` has printed")
        return rest


def body_size(headers: Mapping[str, Sequence[str]]) -> int:
    """Return how long the body of a POST is, before any of it is read.

    Raises:
        RefusedError: It is too long, says nothing of its length, or is no JSON.
    """
    request = Request("POST", "", headers)
    if _only(request, "content-type").partition(";")[0].strip().lower() != JSON:
        raise RefusedError(415, f"a mark must be sent as {JSON}")
    length = _only(request, "content-length")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
        raise RefusedError(411, "a mark must say how long it is")
    if len(length) > 9 or int(length) > MOST_BYTES:
        raise RefusedError(413, f"a mark must be no longer than {MOST_BYTES} bytes")
    return int(length)


def _only(request: Request, name: str) -> str:
    """Return the one value of a header; "" where there are none or several."""
    values = request.headers.get(name, ())
    return values[0] if len(values) == 1 else ""
