"""Reading a body piece by piece, so that its size is bounded before it is in memory."""

import zlib
from collections.abc import Callable, Iterable, Iterator

import aiohttp

_PIECE = 1 << 16
"""Bytes of the body, and of its decompressed form, that are held at once beside the result."""

_DEFLATE = 15
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": _DEFLATE}
"""zlib's window by content encoding: 31 is 15 with gzip's header."""

ENCODINGS = "gzip, deflate"
"""What a request may accept: a body is decompressed piece by piece, so that it can be bounded."""

Inflate = Callable[[bytes], Iterable[bytes]]
"""Turns each piece of a body, as it comes, into small parts of the content."""


class TooLargeError(Exception):
    """A body is larger than its bound."""


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return a body, decompressed; the response must come from a session that does not do so.

    Raises:
        TooLargeError: It is larger than `limit` bytes.
        ValueError: Its compressed form is damaged, or unknown.
    """
    inflate = inflater(response.headers.get("Content-Encoding", "identity"))
    content = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        for part in inflate(piece):
            content += part
            if len(content) > limit:
                raise TooLargeError(f"its reply has more than {limit} bytes")
    return bytes(content)


def inflater(encoding: str) -> Inflate:
    """Return what decompresses a body of a content encoding.

    Raises:
        ValueError: The encoding is unknown.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda piece: (piece,)
    if name not in _WINDOWS:
        raise ValueError(f"unknown content encoding {name!r}")
    return _Inflater(_WINDOWS[name]).parts


class _Inflater:
    """Decompresses a body.

    Args:
        window: zlib's.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._decompressor = zlib.decompressobj(window)
        self._is_begun = False

    def parts(self, piece: bytes) -> Iterator[bytes]:
        """Yield the content of a piece, at most `_PIECE` bytes at once."""
        while piece:
            yield self._decompressed(piece)
            self._is_begun = True
            piece = self._decompressor.unconsumed_tail

    def _decompressed(self, piece: bytes) -> bytes:
        try:
            return self._decompressor.decompress(piece, _PIECE)
        except zlib.error as error:
            if self._window != _DEFLATE or self._is_begun:
                raise ValueError(f"damaged compression: {error}") from error
            # Some servers send "deflate" without zlib's header.
            self._window = -_DEFLATE
            self._decompressor = zlib.decompressobj(self._window)
            return self._decompressed(piece)
