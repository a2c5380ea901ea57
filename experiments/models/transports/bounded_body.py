"""Reading a body piece by piece, so that its size is bounded before it is in memory."""

import zlib

import aiohttp

_PIECE = 1 << 16
"""Bytes of the body, and of its decompressed form, that are held at once beside the result."""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""zlib's window by content encoding: 31 is 15 with gzip's header."""


class TooLargeError(Exception):
    """A body is larger than its bound."""


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return a body, decompressed; the response must come from a session that does not do so.

    Raises:
        TooLargeError: It is larger than `limit` bytes.
        ValueError: Its compressed form is damaged, or unknown.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    body = _BoundedBody(encoding, limit)
    async for piece in response.content.iter_chunked(_PIECE):
        body.add(piece)
    return body.content()


class _BoundedBody:
    def __init__(self, encoding: str, limit: int) -> None:
        if encoding not in ("identity", "", *_WINDOWS):
            raise ValueError(f"unknown content encoding {encoding!r}")
        window = _WINDOWS.get(encoding)
        self._decompressor = zlib.decompressobj(window) if window else None
        self._is_raw_tried = encoding != "deflate"
        self._limit = limit
        self._content = bytearray()

    def add(self, piece: bytes) -> None:
        """Add a piece as it came over the wire."""
        if self._decompressor is None:
            self._extend(piece)
            return
        while piece:
            self._extend(self._inflate(piece))
            piece = self._decompressor.unconsumed_tail

    def content(self) -> bytes:
        """Return the whole body."""
        return bytes(self._content)

    def _inflate(self, piece: bytes) -> bytes:
        assert self._decompressor is not None
        try:
            return self._decompressor.decompress(piece, _PIECE)
        except zlib.error as error:
            if self._is_raw_tried or self._content:
                raise ValueError(f"damaged compression: {error}") from error
            # Some servers send "deflate" without zlib's header.
            self._is_raw_tried = True
            self._decompressor = zlib.decompressobj(-15)
            return self._inflate(piece)

    def _extend(self, data: bytes) -> None:
        self._content += data
        if len(self._content) > self._limit:
            raise TooLargeError(f"its reply has more than {self._limit} bytes")
