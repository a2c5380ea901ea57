"""Bounds on litellm's connections, which follow every redirect and read a body of any size.

litellm has no setting for either, so what it makes its connections with is wrapped: the one
function that both of its HTTP clients take them from.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx
from dspy.utils.exceptions import LMError, LMServerError
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

from autoevol.experiments.models.transports.bounded_body import ENCODINGS, Inflate, inflater
from autoevol.experiments.models.transports.protocol import MOST_REPLY_BYTES
from autoevol.experiments.models.transports.redirects import is_followed, refusal
from autoevol.experiments.models.transports.secrets import NO_SECRET, Secret

_NOT_OURS = ("content-encoding", "content-length")
"""Headers that describe a body before it is decompressed."""


@dataclass(slots=True)
class BoundedCall:
    """A call of litellm's, and the bound that its reply broke.

    Attributes:
        model: Its name, for messages.
        most_bytes: Largest body, decompressed.
        secret: Concealed in messages.
        stand_in: Answers in the place of the endpoint; None: the endpoint does.
        problem: None: no bound is broken. litellm turns an error inside a connection into one of
            its own, without the words, so it is kept here.
    """

    model: str = ""
    most_bytes: int = MOST_REPLY_BYTES
    secret: Secret = NO_SECRET
    stand_in: Callable[[httpx.Request], httpx.Response] | None = None
    problem: LMError | None = None


_call: ContextVar[BoundedCall | None] = ContextVar("autoevol_litellm_call", default=None)


@contextmanager
def bounded(call: BoundedCall) -> Iterator[BoundedCall]:
    """Hold a call of litellm's to its bounds inside the block."""
    _wrap_connections()
    token = _call.set(call)
    try:
        yield call
    finally:
        _call.reset(token)


def _wrap_connections() -> None:
    """Wrap what litellm makes its connections with; those that it holds already stay."""
    make = AsyncHTTPHandler.create_async_transport
    if not isinstance(make, _Making):
        AsyncHTTPHandler.create_async_transport = _Making(make)


@dataclass(frozen=True)
class _Making:
    """Makes connections with bounds."""

    make: Callable[..., Any]

    def __call__(
        self, ssl_context: Any = None, ssl_verify: Any = None, shared_session: Any = None
    ) -> "BoundedConnections":
        connections = self.make(
            ssl_context=ssl_context, ssl_verify=ssl_verify, shared_session=shared_session
        )
        # None: with aiohttp switched off, httpx would make its own.
        trusted = ssl_context or (True if ssl_verify is None else ssl_verify)
        return BoundedConnections(connections or httpx.AsyncHTTPTransport(verify=trusted))


class BoundedConnections(httpx.AsyncBaseTransport):
    """Connections that follow no redirect to another host and read no body beyond its bound.

    Args:
        connections: litellm's.
    """

    def __init__(self, connections: httpx.AsyncBaseTransport) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.HTTPError: It failed; the call's `problem` says whether by a bound.
        """
        call = _call.get() or BoundedCall()
        if call.stand_in is not None:
            await request.aread()
            return call.stand_in(request)
        # Only what can be decompressed piece by piece.
        request.headers["accept-encoding"] = ENCODINGS
        response = await self._connections.handle_async_request(request)
        try:
            _check_redirect(response, str(request.url), call)
            return _bounded_response(response, call)
        except httpx.HTTPError:
            await response.aclose()
            raise

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()


def _check_redirect(response: httpx.Response, url: str, call: BoundedCall) -> None:
    status, location = response.status_code, response.headers.get("location")
    if 300 <= status < 400 and not is_followed(status, url, location):
        raise _broken(call, refusal(url, location, call.secret))


def _bounded_response(response: httpx.Response, call: BoundedCall) -> httpx.Response:
    encoding = response.headers.get("content-encoding", "identity")
    try:
        body = _BoundedBody(response.stream, inflater(encoding), call)
    except ValueError as error:
        raise httpx.DecodingError(str(error)) from None
    headers = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in _NOT_OURS]
    return httpx.Response(
        response.status_code, headers=headers, stream=body, extensions=response.extensions
    )


class _BoundedBody(httpx.AsyncByteStream):
    """A body, decompressed as it comes."""

    def __init__(self, body: Any, inflate: Inflate, call: BoundedCall) -> None:
        self._body = body
        self._inflate = inflate
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size, most = 0, self._call.most_bytes
        async for piece in self._body:
            for part in self._parts(piece):
                size += len(part)
                if size > most:
                    message = f"its reply has more than {most} bytes (max_reply_bytes)"
                    raise _broken(self._call, LMServerError(f"{self._call.model}: {message}"))
                yield part

    def _parts(self, piece: bytes) -> Iterator[bytes]:
        try:
            yield from self._inflate(piece)
        except ValueError as error:
            raise httpx.DecodingError(str(error)) from None

    async def aclose(self) -> None:
        await self._body.aclose()


def _broken(call: BoundedCall, problem: LMError) -> httpx.RemoteProtocolError:
    """Note which bound is broken, and return the error that ends the exchange."""
    call.problem = problem
    return httpx.RemoteProtocolError(str(problem))
