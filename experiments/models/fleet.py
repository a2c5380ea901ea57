"""All models of a run: servers, transports and the LM of each role, opened and closed together."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.models.endpoints import ModelSettings, adjusted, identity, local_path
from experiments.models.engine import Engine
from experiments.models.ledger import Ledger
from experiments.models.line import Line
from experiments.models.litellm_wire import LitellmTransport
from experiments.models.llama import LlamaServer, LlamaSettings
from experiments.models.lm import RoleLM
from experiments.models.meter import Budget
from experiments.models.openai_http import OpenAITransport
from experiments.models.scripted import SCRIPTS, ScriptedTransport
from experiments.models.weights import SHIPPED, OnPart, pull
from experiments.models.wire import Transport

HOSTED_CONCURRENCY = 16
DEFAULT_SLOTS = 4
DEFAULT_CONTEXT = 4096


@dataclass(frozen=True, slots=True)
class Fleet:
    """The open models of a run."""

    engine: Engine
    lms: Mapping[str, RoleLM]


@contextmanager
def open_fleet(
    roles: Mapping[str, ModelSettings],
    *,
    ledger: Path,
    budget: Budget,
    on_part: OnPart,
    say: Callable[[str], None],
) -> Iterator[Fleet]:
    """Open the models of every role; local weights are fetched first, servers are shared.

    Args:
        roles: Settings by role.
        ledger: The run's ledger file.
        budget: Caps of the run.
        on_part: Hears of downloaded parts.
        say: Takes one line for people.
    """
    harbour = _Harbour(on_part, say)
    engine = Engine(Ledger(ledger), budget)
    try:
        lines = {role: harbour.line(settings) for role, settings in roles.items()}
        yield Fleet(engine, {role: RoleLM(line, engine) for role, line in lines.items()})
    finally:
        engine.close(harbour.transports)
        for server in harbour.servers.values():
            server.close()


class _Harbour:
    """Makes lines; equal local settings share one server and its gate."""

    def __init__(self, on_part: OnPart, say: Callable[[str], None]) -> None:
        self.servers: dict[LlamaSettings, LlamaServer] = {}
        self.gates: dict[object, asyncio.Semaphore] = {}
        self.transports: list[Transport] = []
        self._on_part = on_part
        self._say = say

    def line(self, given: ModelSettings) -> Line:
        """Return the line of one role."""
        settings, notes = adjusted(given)
        for note in notes:
            self._say(f"{settings.model} ({settings.role}) {note}")
        if settings.kind == "local":
            return self._local(settings)
        transport = self._keep(_transport(settings))
        size = settings.concurrency or HOSTED_CONCURRENCY
        gate = self._gate((settings.model, settings.api_base, size), size)
        pace = 60 / settings.requests_per_minute if settings.requests_per_minute else 0.0
        return Line(settings, identity(settings, None), transport, gate, pace)

    def _local(self, given: ModelSettings) -> Line:
        name = given.model.removeprefix("local/")
        shipped = SHIPPED.get(name)
        path = local_path(given.model) or pull(SHIPPED[name], self._on_part)
        slots = shipped.slots if shipped else DEFAULT_SLOTS
        context = given.context or (shipped.context if shipped else DEFAULT_CONTEXT)
        size = min(given.concurrency or slots, slots)
        settings = replace(given, context=context)
        server = self._server(LlamaSettings(path, slots, context))
        transport = OpenAITransport(
            server.base_url,
            model=name,
            api_key=server.api_key,
            timeout=settings.timeout,
            params=dict(settings.params),
        )
        return Line(
            settings,
            identity(settings, path),
            self._keep(transport),
            self._gate((server, size), size),
        )

    def _server(self, settings: LlamaSettings) -> LlamaServer:
        if settings not in self.servers:
            self._say(f"starting {settings.path.name} with {settings.slots} slots")
            self.servers[settings] = LlamaServer(settings)
        return self.servers[settings]

    def _gate(self, key: object, size: int) -> asyncio.Semaphore:
        return self.gates.setdefault(key, asyncio.Semaphore(size))

    def _keep(self, transport: Transport) -> Transport:
        self.transports.append(transport)
        return transport


def _transport(settings: ModelSettings) -> Transport:
    if settings.kind == "scripted":
        return ScriptedTransport(SCRIPTS[settings.model.removeprefix("scripted/")])
    connection = {
        "api_base": settings.api_base,
        "api_key": settings.api_key,
        "timeout": settings.timeout,
    }
    present = {name: value for name, value in connection.items() if value is not None}
    return LitellmTransport(settings.model, connection=present, params=dict(settings.params))
