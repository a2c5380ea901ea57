"""All models of a run: servers, transports and the LM of each role, opened and closed together."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from autoevol.experiments.models.batches.queue import BatchQueue
from autoevol.experiments.models.batches.record import BATCHES, BatchRecord
from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.client import RoleClient
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.hosted.endpoints import Admissions, HostedModels, http_options
from autoevol.experiments.models.ledger import UNCLEAN, Ledger, LedgerSettings
from autoevol.experiments.models.limits.open_files import FILES_OF_A_LEDGER, need_open_files
from autoevol.experiments.models.limits.pool import Endpoint, EndpointPool
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.lm import RoleLM
from autoevol.experiments.models.local.llama_server import LlamaServer, LlamaSettings
from autoevol.experiments.models.local.weights import SHIPPED, OnPart, pull
from autoevol.experiments.models.settings import (
    DEFAULT_SLOTS,
    ModelSettings,
    adjusted,
    bases_of,
    identity,
    local_path,
    members_of,
)
from autoevol.experiments.models.transports.dialect import Dialect
from autoevol.experiments.models.transports.llama_slots import SlotPool, SlotTransport
from autoevol.experiments.models.transports.openai_http import OpenAITransport
from autoevol.experiments.models.transports.protocol import Transport

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

    @contextmanager
    def in_batches(self) -> Iterator[None]:
        """Send the calls of roles that have batches as these, while the block runs."""
        queues = [client.batches for client in self.clients if client.batches is not None]
        for queue in queues:
            queue.is_open = True
        try:
            yield
        finally:
            for queue in queues:
                queue.is_open = False

    @property
    def most_waiting(self) -> int:
        """Calls that fill a batch, of the role whose batches are largest; 0: no role has any."""
        options = [c.settings.batch for c in self.clients if c.settings.batch is not None]
        return max((one.max_requests for one in options), default=0)

    def check_served(self) -> None:
        """Return, or raise where a role's requests were all refused for one setting.

        Raises:
            AccessError: Names the setting.
        """
        for client in self.clients:
            client.check_served()


def load_libraries(roles: Mapping[str, ModelSettings]) -> None:
    """Import what the models need and what must not be imported beside a second thread."""
    if any(settings.uses_litellm or settings.batch for settings in roles.values()):
        # These set environment variables, which other threads may be reading. litellm itself
        # loads them at its first call.
        with warnings.catch_warnings():
            # Pydantic warns of litellm's types when they are built: at the first reply.
            warnings.simplefilter("ignore")
            from litellm import ModelResponse, acompletion  # noqa: F401
            from litellm.litellm_core_utils import default_encoding  # noqa: F401

            ModelResponse()


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
    files = FILES_OF_A_LEDGER * (len(ledger.lenders) + len(ledger.further))
    need_open_files(_connections(roles), files)
    load_libraries(roles)
    opened_ledger = Ledger(ledger.path, ledger.lenders, ledger.parts, ledger.further)
    stop_signal = StopSignal()
    if opened_ledger.is_unclean:
        say(f"{ledger.path}: {UNCLEAN}")
    engine = Engine(opened_ledger, budget, stop_signal, greedy_draws=ledger.greedy_draws)
    admissions = Admissions(stop_signal)
    hosted = HostedModels(admissions, opened_ledger, engine.run, stop_signal)
    local = _LocalModels(admissions, stop_signal, on_part, say)
    record = BatchRecord(ledger.path.with_name(BATCHES))
    factory = _Factory(hosted, local, record, frozenset(engine.totals.calls), stop_signal, say)
    try:
        clients = {role: factory.client(settings) for role, settings in roles.items()}
        lms = {role: RoleLM(client, engine) for role, client in clients.items()}
        yield OpenModels(engine, lms, tuple(clients.values()))
    finally:
        # The servers last: calls in flight are answered first.
        try:
            engine.close([*hosted.transports, *local.transports, *factory.queues])
        finally:
            local.close()
            record.close()
        for queue in factory.queues:
            if queue.batches:
                say(
                    f"{len(queue.batches)} batches go on at {queue.batches.provider}; "
                    "the same command fetches them"
                )


def _connections(roles: Mapping[str, ModelSettings]) -> int:
    """Return the connections that may be open at once: each endpoint's, counted once."""
    hosted = [settings for settings in roles.values() if settings.kind == "hosted"]
    members = [member for settings in hosted for member in members_of(settings)]
    sizes = {(member.model, bases_of(member), member.in_flight) for member in members}
    return sum(size for _, _, size in sizes)


class _Factory:
    """Makes the clients of roles.

    Args:
        hosted: Makes the endpoints of hosted models.
        local: Makes those of local ones.
        record: Of the run's batches.
        served: Roles that got a reply in an earlier try of the run.
        stop_signal: Shared by all clients.
        say: Takes one line for people.

    Attributes:
        queues: Of the roles that have batches.
    """

    def __init__(
        self,
        hosted: HostedModels,
        local: "_LocalModels",
        record: BatchRecord,
        served: frozenset[str],
        stop_signal: StopSignal,
        say: Callable[[str], None],
    ) -> None:
        self._hosted, self._local, self._record = hosted, local, record
        self.queues: list[BatchQueue] = []
        self._served = served
        self._stop_signal = stop_signal
        self._say = say

    def client(self, configured: ModelSettings) -> RoleClient:
        """Return the client of one role, and with it those of its fallbacks."""
        settings, notes = adjusted(configured)
        say = partial(self._note, settings)
        for note in notes:
            say(note)
        if settings.kind == "local":
            settings, pool = self._local.pool(settings)
        else:
            pool = self._hosted.pool(settings, say)
        batches = self._hosted.batches(settings, pool.identity, self._record, say)
        self.queues += [batches] if batches else []
        return RoleClient(
            settings,
            pool,
            self._stop_signal,
            fallbacks=tuple(self.client(fallback) for fallback in settings.fallbacks),
            is_served=settings.role in self._served,
            batches=batches,
        )

    def _note(self, settings: ModelSettings, note: str) -> None:
        self._say(f"{settings.model} ({settings.role}) {note}")


class _LocalModels:
    """Makes the endpoints of local models; equal settings share a server.

    Args:
        admissions: Of all endpoints.
        stop_signal: Ends every wait.
        on_part: Takes the progress of a download.
        say: Takes one line for people.

    Attributes:
        transports: Of all endpoints so far.
    """

    def __init__(
        self,
        admissions: Admissions,
        stop_signal: StopSignal,
        on_part: OnPart,
        say: Callable[[str], None],
    ) -> None:
        self.transports: list[Transport] = []
        self._servers: dict[LlamaSettings, LlamaServer] = {}
        self._slots: dict[LlamaServer, SlotPool] = {}
        self._admissions, self._stop_signal = admissions, stop_signal
        self._on_part, self._say = on_part, say

    def pool(self, configured: ModelSettings) -> tuple[ModelSettings, EndpointPool]:
        """Return the settings with the model's context, and its endpoint; the server runs then.

        Raises:
            WeightsError: The model cannot be fetched or loaded.
        """
        name = configured.model.removeprefix("local/")
        shipped = SHIPPED.get(name)
        path = local_path(configured.model) or pull(SHIPPED[name], self._on_part)
        slots = shipped.slots if shipped else DEFAULT_SLOTS
        context = configured.context or (shipped.context if shipped else DEFAULT_CONTEXT)
        settings = replace(configured, context=context)
        server = self._server(LlamaSettings(path, slots, context))
        transport = SlotTransport(_transport(name, server, settings), self._pool(server, slots))
        self.transports.append(transport)
        endpoint = Endpoint(transport, self._admissions.of(server, settings))
        return settings, EndpointPool(identity(settings, path), [endpoint], self._stop_signal)

    def close(self) -> None:
        """End all servers."""
        for server in self._servers.values():
            server.close()

    def _server(self, settings: LlamaSettings) -> LlamaServer:
        if settings not in self._servers:
            self._say(f"starting {settings.path.name} with {settings.slots} slots")
            self._servers[settings] = LlamaServer(settings)
        return self._servers[settings]

    def _pool(self, server: LlamaServer, slots: int) -> SlotPool:
        """Return the slots of a server, which all its roles share."""
        if server not in self._slots:
            folder = server.slot_folder
            self._slots[server] = SlotPool(slots, server.address, server.api_key, folder)
        return self._slots[server]


def _transport(name: str, server: LlamaServer, settings: ModelSettings) -> OpenAITransport:
    """Return the transport to a local server."""
    options = replace(
        http_options(settings, server.api_key),
        # A machine that is busy may take long for a reply; as long as it makes progress, nothing of
        # what it has computed is thrown away.
        idle_timeout=settings.timeout,
        params={**_PROGRESS, **settings.params},
    )
    dialect = Dialect(is_streaming=True)
    return OpenAITransport(server.base_url, model=name, options=options, dialect=dialect)
