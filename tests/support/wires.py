"""Scripted transports, and clients on them."""

import asyncio
from collections.abc import Callable
from typing import Any

from autoevol.experiments.models.client import RoleClient
from autoevol.experiments.models.limits.admission import AdmissionController
from autoevol.experiments.models.limits.circuit_breaker import CircuitBreaker
from autoevol.experiments.models.limits.gate import Gate
from autoevol.experiments.models.limits.pool import Endpoint, EndpointPool
from autoevol.experiments.models.limits.rate_limiter import RateLimiter
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.protocol import Request, Response, Transport

REQUEST = Request(({"role": "user", "content": "Why?"},), temperature=0.5, max_tokens=9, seed=7)
GOOD = Response("Because.", "stop", tokens_in=10, tokens_out=2, seconds=0.01)

Answer = Response | Exception
Script = Callable[[int], Answer]
"""From the number of the request, from 0, to its answer."""


class Scripted:
    """Answers from a script, after a delay, and keeps the requests."""

    def __init__(self, script: Script, delay: Callable[[int], float] = lambda _: 0.0) -> None:
        self.requests: list[Request] = []
        self.cancelled = 0
        self._script = script
        self._delay = delay

    async def send(self, request: Request) -> Response:
        number = len(self.requests)
        self.requests.append(request)
        try:
            await asyncio.sleep(self._delay(number))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        answer = self._script(number)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        return


async def discard(_: Response) -> None:
    """Store nothing."""


def first(times: int, answer: Answer, then: Answer = GOOD) -> Script:
    """Return a script that answers so for the first requests, then well."""
    return lambda number: answer if number < times else then


def client_of(
    transport: Transport,
    *,
    stop_signal: StopSignal | None = None,
    rate_limiter: RateLimiter | None = None,
    fallbacks: tuple[RoleClient, ...] = (),
    is_served: bool = False,
    size: int = 8,
    **settings: Any,
) -> RoleClient:
    """Return a client of the evolver, without long waits."""
    defaults = {"model": "hosted_vllm/m", "role": "evolver", "backoff": 0.001}
    role = ModelSettings(**{**defaults, **settings})
    stop_signal = stop_signal or StopSignal()
    gate = Gate("http://here", size, rate_limiter or RateLimiter(), CircuitBreaker(role.outage))
    admission = AdmissionController(gate, stop_signal)
    pool = EndpointPool("here", [Endpoint(transport, admission)], stop_signal)
    return RoleClient(role, pool, stop_signal, fallbacks=fallbacks, is_served=is_served)
