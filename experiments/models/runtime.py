"""All models of a run: servers, transports and the LM of each role, opened and closed together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.client import Endpoint, RoleClient
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.ledger import UNCLEAN, Ledger, LedgerSettings
from autoevol.experiments.models.limits.admission import AdmissionController
from autoevol.experiments.models.limits.circuit_breaker import CircuitBreaker
from autoevol.experiments.models.limits.open_files import need_open_files
from autoevol.experiments.models.limits.rate_limiter import RateLimiter
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.lm import RoleLM
from autoevol.experiments.models.local.llama_server import LlamaServer, LlamaSettings
from autoevol.experiments.models.local.weights import SHIPPED, OnPart, pull
from autoevol.experiments.models.settings import (
    DEFAULT_SLOTS,
    ModelSettings,
    adjusted,
    identity,
    local_path,
)
from autoevol.experiments.models.transports.dialect import AdaptingTransport, Dialect
from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.llama_slots import SlotPool, SlotTransport
from autoevol.experiments.models.transports.openai_http import HttpOptions, OpenAITransport
from autoevol.experiments.models.transports.protocol import Transport
from autoevol.experiments.models.transports.recorded import RecordedTransport
from autoevol.experiments.models.transports.scripted import SCRIPTS, ScriptedTransport

DEFAULT_CONTEXT = 4096
"""Of local models that are not shipped."""


_PROGRESS = {"stream_options": {"include_usage": True}, "return_progress": True}
"""llama.cpp reports the tokens of each piece, and how far it has read the prompt."""


@dataclass(frozen=True, slots=True)
class OpenModels:
    """The open models of a run.

    Attributes:
        engine: Answers their calls.
        lms: The LM of each role.
        clients: Behind the LMs, in the same order.
    """

    engine: Engine
    lms: Mapping[str, RoleLM]
    clients: Sequence[RoleClient] = ()

    def check_served(self) -> None:
        """Return, or raise where a role's requests were all refused for one setting.

        Raises:
            AccessError: Names the setting.
        """
        for client in self.clients:
            client.check_served()


def load_libraries(roles: Mapping[str, ModelSettings]) -> None:
    """Import what the models need and what must not be imported beside a second thread."""
    if any(settings.uses_litellm for settings in roles.values()):
        # These set environment variables, which other threads may be reading. litellm itself
        # loads them at its first call.
        from litellm import acompletion  # noqa: F401
        from litellm.litellm_core_utils import default_encoding  # noqa: F401


@contextmanager
def open_models(
    roles: Mapping[str, ModelSettings],
    *,
    ledger: LedgerSettings,
    budget: Budget,
    on_part: OnPart,
    say: Callable[[str], None],
) -> Iterator[OpenModels]:
    """Open the models of every role; local weights are fetched first, servers are shared.

    Args:
        roles: Settings by role.
        ledger: The run's ledger.
        budget: Caps of the run.
        on_part: Takes the progress of a download: the parts done, and the parts in all.
        say: Takes one line for people.

    Raises:
        ConfigError: The ledger cannot be used, or the system allows too few connections.
        WeightsError: A local model cannot be fetched or loaded.
    """
    need_open_files(_connections(roles))
    load_libraries(roles)
    opened_ledger, stop_signal = Ledger(ledger.path, ledger.lenders), StopSignal()
    if opened_ledger.is_unclean:
        say(f"{ledger.path}: {UNCLEAN}")
    engine = Engine(opened_ledger, budget, stop_signal, greedy_draws=ledger.greedy_draws)
    factory = _Factory(frozenset(engine.totals.calls), stop_signal, on_part, say)
    try:
        clients = {role: factory.client(settings) for role, settings in roles.items()}
        lms = {role: RoleLM(client, engine) for role, client in clients.items()}
        yield OpenModels(engine, lms, tuple(clients.values()))
    finally:
        # The servers last: calls in flight are answered first.
        try:
            engine.close(factory.transports)
        finally:
            for server in factory.servers.values():
                server.close()


def _connections(roles: Mapping[str, ModelSettings]) -> int:
    """Return the connections that may be open at once: each endpoint's, counted once."""
    hosted = [settings for settings in roles.values() if settings.kind == "hosted"]
    sizes = {(s.model, s.api_base, s.in_flight) for s in hosted}
    return sum(size for _, _, size in sizes)


class _Factory:
    """Makes clients. Equal local settings share a server; roles of one endpoint its admission.

    Args:
        served: Roles that got a reply in an earlier try of the run.
        stop_signal: Shared by all clients.
        on_part: Takes the progress of a download.
        say: Takes one line for people.

    Attributes:
        servers: Local servers that were started, by their settings.
        transports: Of all clients.
    """

    def __init__(
        self,
        served: frozenset[str],
        stop_signal: StopSignal,
        on_part: OnPart,
        say: Callable[[str], None],
    ) -> None:
        self.servers: dict[LlamaSettings, LlamaServer] = {}
        self.transports: list[Transport] = []
        self._admissions: dict[object, AdmissionController] = {}
        self._dialects: dict[object, Dialect] = {}
        self._pools: dict[LlamaServer, SlotPool] = {}
        self._served = served
        self._stop_signal = stop_signal
        self._on_part = on_part
        self._say = say

    def client(self, configured: ModelSettings) -> RoleClient:
        """Return the client of one role, and with it those of its fallbacks."""
        settings, notes = adjusted(configured)
        say = partial(self._note, settings)
        for note in notes:
            say(note)
        fallbacks = tuple(self.client(fallback) for fallback in settings.fallbacks)
        if settings.kind == "local":
            return self._local(settings, fallbacks)
        dialect = self._dialect(settings)
        inner = self._register(_transport(settings, dialect))
        transport = AdaptingTransport(inner, dialect, say)
        admission = self._admission((settings.model, settings.api_base), settings)
        endpoint = Endpoint(identity(settings, None), transport, admission)
        return self._client(settings, endpoint, fallbacks)

    def _local(self, configured: ModelSettings, fallbacks: tuple[RoleClient, ...]) -> RoleClient:
        name = configured.model.removeprefix("local/")
        shipped = SHIPPED.get(name)
        path = local_path(configured.model) or pull(SHIPPED[name], self._on_part)
        slots = shipped.slots if shipped else DEFAULT_SLOTS
        context = configured.context or (shipped.context if shipped else DEFAULT_CONTEXT)
        settings = replace(configured, context=context)
        server = self._server(LlamaSettings(path, slots, context))
        transport = OpenAITransport(
            server.base_url,
            model=name,
            options=replace(
                _http_options(settings, server.api_key),
                # A machine that is busy may take long for a reply; as long as it makes progress,
                # nothing of what it has computed is thrown away.
                idle_timeout=settings.timeout,
                params={**_PROGRESS, **settings.params},
            ),
            dialect=Dialect(is_streaming=True),
        )
        admission = self._admission((server,), settings)
        pinned = SlotTransport(transport, self._pool(server, slots))
        endpoint = Endpoint(identity(settings, path), self._register(pinned), admission)
        return self._client(settings, endpoint, fallbacks)

    def _client(
        self, settings: ModelSettings, endpoint: Endpoint, fallbacks: tuple[RoleClient, ...]
    ) -> RoleClient:
        return RoleClient(
            settings,
            endpoint,
            self._stop_signal,
            fallbacks=fallbacks,
            is_served=settings.role in self._served,
        )

    def _server(self, settings: LlamaSettings) -> LlamaServer:
        if settings not in self.servers:
            self._say(f"starting {settings.path.name} with {settings.slots} slots")
            self.servers[settings] = LlamaServer(settings)
        return self.servers[settings]

    def _pool(self, server: LlamaServer, slots: int) -> SlotPool:
        """Return the slots of a server, which all its roles share."""
        if server not in self._pools:
            folder = server.slot_folder
            self._pools[server] = SlotPool(slots, server.address, server.api_key, folder)
        return self._pools[server]

    def _admission(
        self, endpoint: tuple[object, ...], settings: ModelSettings
    ) -> AdmissionController:
        """Return the admission control of an endpoint; roles with the same limits share it."""
        limits = (settings.requests_per_minute, settings.tokens_per_minute)
        size = settings.in_flight
        key = (*endpoint, size, *limits, settings.outage)
        if key not in self._admissions:
            self._admissions[key] = AdmissionController(
                settings.api_base or settings.model,
                size,
                RateLimiter(*limits),
                CircuitBreaker(settings.outage),
                self._stop_signal,
            )
        return self._admissions[key]

    def _dialect(self, settings: ModelSettings) -> Dialect:
        """Return the dialect of an endpoint; its roles learn it together."""
        key = (settings.model, settings.api_base)
        if key not in self._dialects:
            renames = {"max_tokens": "max_completion_tokens"} if settings.is_reasoning else {}
            self._dialects[key] = Dialect(renames)
        return self._dialects[key]

    def _note(self, settings: ModelSettings, note: str) -> None:
        self._say(f"{settings.model} ({settings.role}) {note}")

    def _register(self, transport: Transport) -> Transport:
        self.transports.append(transport)
        return transport


def _transport(settings: ModelSettings, dialect: Dialect) -> Transport:
    if settings.kind == "scripted":
        name = settings.model.removeprefix("scripted/")
        script = SCRIPTS.get(name)
        return ScriptedTransport(script) if script else RecordedTransport(Path(name))
    if settings.is_direct and settings.api_base:
        return OpenAITransport(
            settings.api_base,
            model=settings.model.partition("/")[2],
            options=_http_options(settings, settings.api_key),
            dialect=dialect,
        )
    connection = {
        "api_base": settings.api_base,
        # Without a key of ours litellm would look for one in the environment.
        "api_key": settings.api_key or ("none" if settings.is_keyless else None),
        "timeout": settings.timeout,
    }
    present = {name: value for name, value in connection.items() if value is not None}
    return LitellmTransport(
        settings.model,
        connection=present,
        params=dict(settings.params),
        dialect=dialect,
        max_reply_bytes=settings.max_reply_bytes,
    )


def _http_options(settings: ModelSettings, api_key: str | None) -> HttpOptions:
    return HttpOptions(
        api_key=api_key,
        timeout=settings.timeout,
        max_reply_bytes=settings.max_reply_bytes,
        params=dict(settings.params),
    )
