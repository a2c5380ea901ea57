"""Transports that do as they are told, and lines on them."""

import asyncio
from collections.abc import Callable
from typing import Any

from autoevol.experiments.models.client import Line
from autoevol.experiments.models.limits.admission import Gate
from autoevol.experiments.models.limits.circuit_breaker import Outage
from autoevol.experiments.models.limits.rate_limiter import Pace
from autoevol.experiments.models.limits.stop import Halt
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.protocol import Reply, Transport, WireCall

CALL = WireCall(({"role": "user", "content": "Why?"},), temperature=0.5, max_tokens=9, seed=7)
GOOD = Reply("Because.", "stop", tokens_in=10, tokens_out=2, seconds=0.01)

Answer = Reply | Exception
Script = Callable[[int], Answer]
"""From the number of the call, from 0, to what it gets."""


class Scripted:
    """Answers from a script, after a delay, and keeps what it was asked."""

    def __init__(self, script: Script, delay: Callable[[int], float] = lambda _: 0.0) -> None:
        self.calls: list[WireCall] = []
        self.cancelled = 0
        self._script = script
        self._delay = delay

    async def send(self, call: WireCall) -> Reply:
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


async def kept(_: Reply) -> None:
    """Keep nothing."""


def first(times: int, answer: Answer, then: Answer = GOOD) -> Script:
    """Answer so for the first calls, then well."""
    return lambda number: answer if number < times else then


def line_to(
    transport: Transport,
    *,
    halt: Halt | None = None,
    pace: Pace | None = None,
    fallbacks: tuple[Line, ...] = (),
    size: int = 8,
    **settings: Any,
) -> Line:
    """Return a line of the evolver, without long waits."""
    defaults = {"model": "hosted_vllm/m", "role": "evolver", "backoff": 0.001}
    given = ModelSettings(**{**defaults, **settings})
    halt = halt or Halt()
    gate = Gate("http://here", size, pace or Pace(), Outage(given.outage), halt)
    return Line(given, "here", transport, gate, halt, fallbacks=fallbacks)
