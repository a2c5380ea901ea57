"""Which model the servers of a list of addresses serve: all the same, or the run does not start.

Servers of OpenAI's protocol say it at `GET /models`. vLLM adds `root`, what the name stands for.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from dspy.utils.exceptions import LMError, LMTransportError

from autoevol.experiments.models.ledger import Ledger
from autoevol.experiments.models.settings import ModelSettings, bases_of
from autoevol.experiments.models.transports.errors import UnreachableError
from autoevol.experiments.models.transports.openai_http import OpenAITransport
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.program.errors import AccessError, ConfigError

PATIENCE_S, PAUSE_S = 15.0, 0.5
"""How long servers are waited for while none of them answers, and the pause between two tries."""

Listing = Mapping[str, str]
"""From the names of a server's models to what they stand for."""


class CheckedTransport:
    """Asks a server what it serves before its first request, and again after it was away.

    Args:
        inner: Sends the requests.
        name: Of the model at the server.
        served: What the name stands for at the other servers.
        say: Takes a line for people, once, if this one serves another model.
    """

    def __init__(
        self, inner: OpenAITransport, name: str, served: str, say: Callable[[str], None]
    ) -> None:
        self._inner = inner
        self._name, self._served = name, served
        self._say, self._has_said = say, False
        self._is_checked = False
        self._check_once = asyncio.Lock()

    async def send(self, request: Request) -> Response:
        """Return the reply.

        Raises:
            UnreachableError: The server serves another model by now, and gets no request.
            LMError: As the inner transport raises it.
        """
        async with self._check_once:
            if not self._is_checked:
                await self._check()
        try:
            return await self._inner.send(request)
        except LMTransportError:
            # It may be another process that answers next.
            self._is_checked = False
            raise

    async def close(self) -> None:
        """Close the inner transport."""
        await self._inner.close()

    async def _check(self) -> None:
        listing = await self._inner.models()
        if listing:
            served = _own(self._name, listing)
            # A bare name says nothing of the model behind it.
            is_same = served in (self._name, self._served) or self._served == self._name
            if not served or not is_same:
                raise self._other(served or ", ".join(listing))
        self._is_checked = True

    def _other(self, served: str) -> UnreachableError:
        problem = f"{self._inner.base_url} serves {served} by now, and gets no calls"
        if not self._has_said:
            self._say(problem)
        self._has_said = True
        return UnreachableError(problem)


def served_model(
    settings: ModelSettings, listings: Mapping[str, Listing | None], where: str
) -> str | None:
    """Return what the servers call the model, its own name if they say no more; None: none says.

    Args:
        settings: Of the role.
        listings: Of the servers that have answered, by address; None: it lists no models.
        where: The config's key.

    Raises:
        ConfigError: The servers serve different models, or one lacks the model.
    """
    name = settings.model.partition("/")[2]
    served = {}
    for address, listing in listings.items():
        if listing:
            served[address] = _own(name, listing)
            if not served[address]:
                raise ConfigError(where, f"{address} serves {', '.join(listing)}, not {name}")
    # A bare name says nothing of the model behind it.
    models = {model for model in served.values() if model != name}
    if len(models) > 1:
        texts = ", ".join(f"{address} serves {model}" for address, model in served.items())
        raise ConfigError(where, f"must all serve one model, and {texts}")
    return next(iter(models), name if served else None)


async def listings_of(
    transports: Sequence[OpenAITransport], patience: float
) -> dict[str, Listing | None]:
    """Return the listings of the servers that answer, by address; {}: none does in time."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        results = await asyncio.gather(
            *(transport.models() for transport in transports), return_exceptions=True
        )
        listings: dict[str, Listing | None] = {}
        for transport, result in zip(transports, results, strict=True):
            if isinstance(result, BaseException):
                if not isinstance(result, LMError):
                    raise result
            else:
                listings[transport.base_url] = result
        if listings or asyncio.get_running_loop().time() > deadline:
            return listings
        await asyncio.sleep(PAUSE_S)


def agreed_model(
    settings: ModelSettings,
    transports: Sequence[OpenAITransport],
    ledger: Ledger,
    run: Callable[[Coroutine[Any, Any, dict[str, Listing | None]]], dict[str, Listing | None]],
    where: str,
) -> tuple[str, str]:
    """Return what ledger keys call the model, and a line for people where it has changed.

    While no server answers, or none says what it serves, the name of an earlier try counts.

    Args:
        settings: Of the role.
        transports: To the servers that can be asked; none: the model's own name counts.
        ledger: Remembers the name.
        run: Runs a coroutine on the loop of the transports.
        where: The config's key.

    Raises:
        AccessError: No server answers, and the ledger knows no name.
        ConfigError: See `served_model`.
    """
    name = settings.model.partition("/")[2]
    if not transports:
        return name, ""
    key = f"{settings.model} {settings.endpoint_id or ''}"
    earlier = ledger.served(key)
    listings = run(listings_of(transports, 0.0 if earlier else PATIENCE_S))
    served = served_model(settings, listings, where)
    if not listings and earlier is None:
        addresses = ", ".join(str(base) for base in bases_of(settings))
        raise AccessError(where, f"nothing answers at {addresses}; check them and the servers")
    # Where one of the two says nothing of the model, it is taken for the same.
    is_same = served in (None, name) or earlier in (name, served)
    current = earlier if earlier and is_same else served or name
    if current == earlier:
        return current, ""
    ledger.served(key, current)
    return current, f"was {earlier} and is {current} now: calls are made anew" if earlier else ""


def _own(name: str, listing: Listing) -> str:
    """Return what a name stands for at a server; "": it serves several models, and not this one."""
    if name in listing:
        return listing[name]
    # A server of a single model answers to any name.
    return next(iter(listing.values())) if len(listing) == 1 else ""
