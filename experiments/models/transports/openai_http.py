"""The transport of OpenAI-compatible servers: plain HTTP, without litellm."""

import json
import os
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import certifi
from dspy.utils.exceptions import LMServerError, LMTimeoutError, LMTransportError

from autoevol.experiments.models.transports.errors import UnreachableError, concealed, error_for
from autoevol.experiments.models.transports.protocol import (
    MALFORMED,
    Request,
    Response,
    response_from_openai,
)
from autoevol.program.errors import ConfigError

CONNECT_S = 10.0
"""Longest wait for a connection; shorter than a request's timeout, to notice a dead address."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts never reached through a proxy that the environment names."""


class OpenAITransport:
    """Posts chat completions to `base_url`.

    Args:
        base_url: Ends before `/chat/completions`.
        model: Its name at the server; sent with every request.
        api_key: Sent as bearer token; None: no key.
        timeout: Seconds until a request counts as lost.
        params: Passed through in every body; `extra_body` and `extra_headers` as litellm has them.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        api_key: str | None,
        timeout: float,
        params: dict[str, Any],
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._api_key = api_key
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_S)
        self._model = model
        self._params = {**params, **params.get("extra_body", {})}
        self._headers = self._params.pop("extra_headers", {})
        self._params.pop("extra_body", None)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response:
        """Post one request and read its reply."""
        started = time.monotonic()
        status, retry_after, data = await self._post(request)
        if status != 200:
            text = data.decode("utf-8", "replace")
            raise error_for(
                status, text, self._model, secret=self._api_key, retry_after=retry_after
            )
        try:
            return response_from_openai(json.loads(data), time.monotonic() - started)
        except MALFORMED as error:
            shown = concealed(data.decode("utf-8", "replace"), self._api_key)[:200]
            raise LMServerError(f"malformed reply: {shown!r}") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, request: Request) -> tuple[int, str | None, bytes]:
        """Return status, the header Retry-After, and the body."""
        # The user's params come last: they may replace any setting.
        body = {"model": self._model, **request.body(), **self._params}
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            async with self._open().post(self._url, data=data) as response:
                return response.status, response.headers.get("Retry-After"), await response.read()
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(f"{self._url} cannot be reached: {error.os_error}") from error
        except TimeoutError as error:
            raise LMTimeoutError(f"{self._model}: no reply in time") from error
        except aiohttp.ClientError as error:
            # Not chained: the error's own form would show the request's headers, and so the key.
            problem = concealed(str(error), self._api_key)
            raise LMTransportError(
                f"{self._model}: connection lost: {type(error).__name__} {problem}"
            ) from None

    def _open(self) -> aiohttp.ClientSession:
        """Return the session; aiohttp wants it made on the loop that uses it."""
        if self._session is None:
            key = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
            self._session = aiohttp.ClientSession(
                headers={"Content-Type": "application/json", **key, **self._headers},
                timeout=self._timeout,
                # No limit here (aiohttp's default is 100): admission control has one.
                connector=aiohttp.TCPConnector(limit=0, ssl=_certificates()),
                trust_env=urlsplit(self._url).hostname not in LOOPBACK,
            )
        return self._session


def _certificates() -> ssl.SSLContext:
    """Return the certificate authorities to trust: those of SSL_CERT_FILE, else certifi's."""
    named = os.environ.get("SSL_CERT_FILE")
    if named and not Path(named).is_file():
        raise ConfigError(
            "SSL_CERT_FILE", f"names no file: {named}; set the path of a file, or unset it"
        )
    return ssl.create_default_context(cafile=named or certifi.where())
