"""The transport of OpenAI-compatible servers: plain HTTP, without litellm."""

import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import certifi
from dspy.utils.exceptions import LMError, LMServerError, LMTimeoutError, LMTransportError

from autoevol.experiments.models.transports.bounded_body import ENCODINGS, TooLargeError, read_body
from autoevol.experiments.models.transports.dialect import Dialect
from autoevol.experiments.models.transports.errors import (
    SettingError,
    UnreachableError,
    error_for,
    quoted,
)
from autoevol.experiments.models.transports.protocol import MOST_REPLY_BYTES, Request, Response
from autoevol.experiments.models.transports.redirects import (
    MOST_REDIRECTS,
    is_followed,
    refusal,
)
from autoevol.experiments.models.transports.replies.bodies import decoded, is_html, parsed
from autoevol.experiments.models.transports.replies.reading import MALFORMED, read_reply
from autoevol.experiments.models.transports.secrets import Secret
from autoevol.program.errors import ConfigError

CONNECT_S = 10.0
"""Longest wait for a connection; shorter than a request's timeout, to notice a dead address."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts never reached through a proxy that the environment names."""


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How a server is called.

    Attributes:
        api_key: Sent as bearer token; None: no key.
        timeout: Seconds until a request counts as lost.
        idle_timeout: Seconds without a byte until a request counts as lost; None: `timeout` bounds
            the whole request instead.
        max_reply_bytes: Largest body, decompressed.
        params: Passed through in every body; `extra_body` and `extra_headers` as litellm has them.
    """

    api_key: str | None = None
    timeout: float = 300.0
    idle_timeout: float | None = None
    max_reply_bytes: int = MOST_REPLY_BYTES
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """What every body holds beside the request."""
        extra = {**self.params, **self.params.get("extra_body", {})}
        return {k: v for k, v in extra.items() if k not in ("extra_body", "extra_headers")}

    @property
    def headers(self) -> dict[str, str]:
        """What every request sends beside the body."""
        key = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        fixed = {"Content-Type": "application/json", "Accept-Encoding": ENCODINGS}
        return {**fixed, **key, **self.params.get("extra_headers", {})}

    @property
    def client_timeout(self) -> aiohttp.ClientTimeout:
        """The two timeouts as aiohttp has them."""
        if self.idle_timeout is None:
            return aiohttp.ClientTimeout(total=self.timeout, sock_connect=CONNECT_S)
        return aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_S, sock_read=self.idle_timeout
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came over the wire, of whatever status."""

    status: int
    text: str
    retry_after: str | None = None
    location: str | None = None


class OpenAITransport:
    """Posts chat completions to `base_url`.

    Attributes:
        base_url: Ends before `/chat/completions`.

    Args:
        base_url: See above.
        model: Its name at the server; sent with every request.
        options: Key, timeouts, bounds, and what is passed through.
        dialect: The form in which the endpoint takes requests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        options: HttpOptions | None = None,
        dialect: Dialect | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._url = f"{self.base_url}/chat/completions"
        self._model = model
        self._options = options or HttpOptions()
        self._dialect = dialect or Dialect()
        self._secret = Secret(self._options.api_key)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request, extra: Mapping[str, Any] | None = None) -> Response:
        """Post one request and read its reply.

        Args:
            request: To be sent.
            extra: Added to its body, over everything else.
        """
        started = time.monotonic()
        answer = await self._post(request, extra or {})
        if answer.status != 200:
            raise self._refusal(answer)
        try:
            body = parsed(answer.text)
        except MALFORMED as error:
            raise self._unreadable(answer.text) from error
        seconds = time.monotonic() - started
        return read_reply(body, request, model=self._model, secret=self._secret, seconds=seconds)

    async def models(self) -> dict[str, str] | None:
        """Return the names of the server's models and what they stand for; None: it does not say.

        Raises:
            LMError: The server does not answer.
        """
        url = f"{self.base_url}/models"
        answer = await self._exchange("GET", url, None, aiohttp.ClientTimeout(total=CONNECT_S))
        # 501: the server has no such address.
        if answer.status >= 500 and answer.status != 501:
            raise self._refusal(answer)
        try:
            entries = parsed(answer.text)["data"] if answer.status == 200 else []
            names = {str(entry["id"]): str(entry.get("root") or entry["id"]) for entry in entries}
        except MALFORMED:
            return None
        return names or None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, request: Request, extra: Mapping[str, Any]) -> _Answer:
        """Return the answer at the end of the redirects that stay on the server."""
        # The user's params come last: they may replace any setting.
        stream = {"stream": True} if self._dialect.is_streaming else {}
        own = {"model": self._model, **self._dialect.body(request), **stream}
        body = {**own, **self._options.body, **extra}
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        url = self._url
        for _ in range(MOST_REDIRECTS):
            answer = await self._exchange("POST", url, data, self._options.client_timeout)
            if not is_followed(answer.status, self._url, answer.location):
                return answer
            url = urljoin(url, str(answer.location))
        return answer

    async def _exchange(
        self, method: str, url: str, data: bytes | None, timeout: aiohttp.ClientTimeout
    ) -> _Answer:
        try:
            # Redirects are followed by hand: key and headers go to no other host.
            async with self._open().request(
                method, url, data=data, timeout=timeout, allow_redirects=False
            ) as response:
                content = await read_body(response, self._options.max_reply_bytes)
                headers = response.headers
                return _Answer(
                    response.status,
                    decoded(content, headers.get("Content-Type", "")),
                    headers.get("Retry-After"),
                    headers.get("Location"),
                )
        except TooLargeError as error:
            raise LMServerError(f"{self._model}: {error} (max_reply_bytes)") from None
        except aiohttp.ClientSSLError as error:
            raise self._distrusted(error) from None
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(f"{self._url} cannot be reached: {error.os_error}") from error
        except TimeoutError as error:
            raise LMTimeoutError(f"{self._model}: no reply in time") from error
        except (aiohttp.ClientError, ValueError) as error:
            # Not chained: the error's own form would show the request's headers, and so the key.
            problem = f"{type(error).__name__} {quoted(str(error), self._secret)}"
            raise LMTransportError(f"{self._model}: connection lost: {problem}") from None

    def _open(self) -> aiohttp.ClientSession:
        """Return the session; aiohttp wants it made on the loop that uses it."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._options.headers,
                timeout=self._options.client_timeout,
                # No limit here (aiohttp's default is 100): admission control has one.
                connector=aiohttp.TCPConnector(limit=0, ssl=_certificates()),
                trust_env=urlsplit(self._url).hostname not in LOOPBACK,
                auto_decompress=False,
            )
        return self._session

    def _refusal(self, answer: _Answer) -> LMError:
        if 300 <= answer.status < 400:
            return refusal(self._url, answer.location, self._secret)
        return error_for(
            answer.status,
            answer.text,
            self._model,
            secret=self._secret,
            retry_after=answer.retry_after,
        )

    def _unreadable(self, text: str) -> LMError:
        shown = quoted(text, self._secret)
        if is_html(text):
            message = f"{self._url} answered with a page of HTML: {shown[:80]}"
            return SettingError(message, "address")
        return LMServerError(f"{self._model}: malformed reply: {shown[:200]!r}")

    def _distrusted(self, error: aiohttp.ClientSSLError) -> LMError:
        problem = quoted(str(getattr(error, "os_error", error)), self._secret)
        message = (
            f"{self._url}: its certificate is not trusted ({problem}); set SSL_CERT_FILE to a file "
            "with the certificate of its authority"
        )
        return SettingError(message, "certificate", is_certain=True)


def _certificates() -> ssl.SSLContext:
    """Return the certificate authorities to trust: those of SSL_CERT_FILE, else certifi's."""
    named = os.environ.get("SSL_CERT_FILE")
    if named and not Path(named).is_file():
        raise ConfigError(
            "SSL_CERT_FILE", f"names no file: {named}; set the path of a file, or unset it"
        )
    return ssl.create_default_context(cafile=named or certifi.where())
