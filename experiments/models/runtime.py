"""All models of a run: servers, transports and the LM of each role, opened and closed together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.client import RoleClient
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.ledger import UNCLEAN, Ledger
from autoevol.experiments.models.limits.admission import AdmissionController
from autoevol.experiments.models.limits.circuit_breaker import CircuitBreaker
from autoevol.experiments.models.limits.rate_limiter import RateLimiter
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.lm import RoleLM
from autoevol.experiments.models.local.llama_server import LlamaServer, LlamaSettings
from autoevol.experiments.models.local.weights import SHIPPED, OnPart, pull
from autoevol.experiments.models.settings import ModelSettings, adjusted, identity, local_path
from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.openai_http import OpenAITransport
from autoevol.experiments.models.transports.protocol import Transport
from autoevol.experiments.models.transports.scripted import SCRIPTS, ScriptedTransport

HOSTED_CONCURRENCY = 16
DEFAULT_SLOTS = 4
DEFAULT_CONTEXT = 4096


@dataclass(frozen=True, slots=True)
class OpenModels:
    """The open models of a run."""

    engine: Engine
    lms: Mapping[str, RoleLM]


@contextmanager
def open_models(
    roles: Mapping[str, ModelSettings],
    *,
    ledger: Path,
    budget: Budget,
    on_part: OnPart,
    say: Callable[[str], None],
) -> Iterator[OpenModels]:
    """Open the models of every role; local weights are fetched first, servers are shared.

    Args:
        roles: Settings by role.
        ledger: The run's ledger file.
        budget: Caps of the run.
        on_part: Hears of downloaded parts.
        say: Takes one line for people.
    """
    kept, halt = Ledger(ledger), StopSignal()
    if kept.is_unclean:
        say(f"{ledger}: {UNCLEAN}")
    engine = Engine(kept, budget, halt)
    harbour = _Factory(frozenset(engine.totals.calls), halt, on_part, say)
    try:
        lines = {role: harbour.line(settings) for role, settings in roles.items()}
        yield OpenModels(engine, {role: RoleLM(line, engine) for role, line in lines.items()})
    finally:
        try:
            engine.close(harbour.transports)
        finally:
            for server in harbour.servers.values():
                server.close()


class _Factory:
    """Makes lines; equal local settings share one server, lines of one endpoint one gate.

    Args:
        served: Roles that were served in an earlier try of the run.
    """

    def __init__(
        self, served: frozenset[str], halt: StopSignal, on_part: OnPart, say: Callable[[str], None]
    ) -> None:
        self.servers: dict[LlamaSettings, LlamaServer] = {}
        self.transports: list[Transport] = []
        self._gates: dict[object, AdmissionController] = {}
        self._served = served
        self._halt = halt
        self._on_part = on_part
        self._say = say

    def line(self, given: ModelSettings) -> RoleClient:
        """Return the line of one role, and with it those of its fallbacks."""
        line = self._line(given)
        line.is_served = given.role in self._served
        return line

    def _line(self, given: ModelSettings) -> RoleClient:
        settings, notes = adjusted(given)
        for note in notes:
            self._say(f"{settings.model} ({settings.role}) {note}")
        fallbacks = tuple(self.line(fallback) for fallback in settings.fallbacks)
        if settings.kind == "local":
            return self._local(settings, fallbacks)
        transport = self._keep(_transport(settings))
        size = settings.concurrency or HOSTED_CONCURRENCY
        return RoleClient(
            settings,
            identity(settings, None),
            transport,
            self._gate((settings.model, settings.api_base), settings, size),
            self._halt,
            fallbacks=fallbacks,
        )

    def _local(self, given: ModelSettings, fallbacks: tuple[RoleClient, ...]) -> RoleClient:
        name = given.model.removeprefix("local/")
        shipped = SHIPPED.get(name)
        path = local_path(given.model) or pull(SHIPPED[name], self._on_part)
        slots = shipped.slots if shipped else DEFAULT_SLOTS
        context = given.context or (shipped.context if shipped else DEFAULT_CONTEXT)
        settings = replace(given, context=context)
        server = self._server(LlamaSettings(path, slots, context))
        transport = OpenAITransport(
            server.base_url,
            model=name,
            api_key=server.api_key,
            timeout=settings.timeout,
            params=dict(settings.params),
        )
        return RoleClient(
            settings,
            identity(settings, path),
            self._keep(transport),
            self._gate((server,), settings, min(given.concurrency or slots, slots)),
            self._halt,
            fallbacks=fallbacks,
        )

    def _server(self, settings: LlamaSettings) -> LlamaServer:
        if settings not in self.servers:
            self._say(f"starting {settings.path.name} with {settings.slots} slots")
            self.servers[settings] = LlamaServer(settings)
        return self.servers[settings]

    def _gate(
        self, endpoint: tuple[object, ...], settings: ModelSettings, size: int
    ) -> AdmissionController:
        """Return the way to an endpoint; roles that bound it alike share it."""
        limits = (settings.requests_per_minute, settings.tokens_per_minute)
        key = (*endpoint, size, *limits, settings.outage)
        if key not in self._gates:
            name = settings.api_base or settings.model
            pace, outage = RateLimiter(*limits), CircuitBreaker(settings.outage)
            self._gates[key] = AdmissionController(name, size, pace, outage, self._halt)
        return self._gates[key]

    def _keep(self, transport: Transport) -> Transport:
        self.transports.append(transport)
        return transport


def _transport(settings: ModelSettings) -> Transport:
    if settings.kind == "scripted":
        return ScriptedTransport(SCRIPTS[settings.model.removeprefix("scripted/")])
    if settings.is_openai_compatible and settings.api_base:
        return OpenAITransport(
            settings.api_base,
            model=settings.model.partition("/")[2],
            api_key=settings.api_key,
            timeout=settings.timeout,
            params=dict(settings.params),
        )
    connection = {
        "api_base": settings.api_base,
        "api_key": settings.api_key,
        "timeout": settings.timeout,
    }
    present = {name: value for name, value in connection.items() if value is not None}
    return LitellmTransport(settings.model, connection=present, params=dict(settings.params))
