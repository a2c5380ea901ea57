"""Transports that do as they are told, and lines on them."""

import asyncio
from collections.abc import Callable
from typing import Any

from autoevol.experiments.models.client import RoleClient
from autoevol.experiments.models.limits.admission import AdmissionController
from autoevol.experiments.models.limits.circuit_breaker import CircuitBreaker
from autoevol.experiments.models.limits.rate_limiter import RateLimiter
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.protocol import Request, Response, Transport

CALL = Request(({"role": "user", "content": "Why?"},), temperature=0.5, max_tokens=9, seed=7)
GOOD = Response("Because.", "stop", tokens_in=10, tokens_out=2, seconds=0.01)

Answer = Response | Exception
Script = Callable[[int], Answer]
"""From the number of the call, from 0, to what it gets."""


class Scripted:
    """Answers from a script, after a delay, and keeps what it was asked."""

    def __init__(self, script: Script, delay: Callable[[int], float] = lambda _: 0.0) -> None:
        self.calls: list[Request] = []
        self.cancelled = 0
        self._script = script
        self._delay = delay

    async def send(self, call: Request) -> Response:
        number = len(self.calls)
        self.calls.append(call)
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


async def kept(_: Response) -> None:
    """Keep nothing."""


def first(times: int, answer: Answer, then: Answer = GOOD) -> Script:
    """Answer so for the first calls, then well."""
    return lambda number: answer if number < times else then


def line_to(
    transport: Transport,
    *,
    halt: StopSignal | None = None,
    pace: RateLimiter | None = None,
    fallbacks: tuple[RoleClient, ...] = (),
    size: int = 8,
    **settings: Any,
) -> RoleClient:
    """Return a line of the evolver, without long waits."""
    defaults = {"model": "hosted_vllm/m", "role": "evolver", "backoff": 0.001}
    given = ModelSettings(**{**defaults, **settings})
    halt = halt or StopSignal()
    gate = AdmissionController(
        "http://here", size, pace or RateLimiter(), CircuitBreaker(given.outage), halt
    )
    return RoleClient(given, "here", transport, gate, halt, fallbacks=fallbacks)
