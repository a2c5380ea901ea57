"""The endpoints of hosted models. Roles of one address share its admission and its dialect."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from autoevol.experiments.models.batches.anthropic import AnthropicBatches
from autoevol.experiments.models.batches.gemini import GeminiBatches
from autoevol.experiments.models.batches.litellm_batches import LitellmBatches
from autoevol.experiments.models.batches.own_api import OwnApi
from autoevol.experiments.models.batches.provider import BatchProvider
from autoevol.experiments.models.batches.queue import BatchQueue
from autoevol.experiments.models.batches.record import BatchRecord
from autoevol.experiments.models.batches.tools import BatchPlace, BatchTools
from autoevol.experiments.models.hosted.served import CheckedTransport, agreed_model
from autoevol.experiments.models.ledger import Ledger
from autoevol.experiments.models.limits.admission import AdmissionController
from autoevol.experiments.models.limits.circuit_breaker import CircuitBreaker
from autoevol.experiments.models.limits.gate import Gate
from autoevol.experiments.models.limits.pool import Endpoint, EndpointPool
from autoevol.experiments.models.limits.rate_limiter import Pace, RateLimiter
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.settings import (
    ModelSettings,
    addresses_of,
    bases_of,
    batch_provider_name,
    identity,
    members_of,
)
from autoevol.experiments.models.transports.dialect import AdaptingTransport, Dialect
from autoevol.experiments.models.transports.litellm import LitellmTransport
from autoevol.experiments.models.transports.litellm_rehearsal import RehearsedLitellm
from autoevol.experiments.models.transports.openai_http import HttpOptions, OpenAITransport
from autoevol.experiments.models.transports.protocol import Transport
from autoevol.experiments.models.transports.recorded import RecordedTransport
from autoevol.experiments.models.transports.scripted import SCRIPTS, ScriptedTransport
from autoevol.experiments.models.transports.secrets import Secret

Result = TypeVar("Result")
Say = Callable[[str], None]


class RunOnLoop(Protocol):
    """Runs a coroutine on the loop of the transports, and returns its result."""

    def __call__(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return the coroutine's result."""


class Admissions:
    """The admission controls of all endpoints; roles with the same limits share one.

    Args:
        stop_signal: Ends every wait.
    """

    def __init__(self, stop_signal: StopSignal) -> None:
        self._stop_signal = stop_signal
        self._admissions: dict[object, AdmissionController] = {}
        self._paces: dict[object, Pace] = {}

    def of(
        self, endpoint: object, settings: ModelSettings, group: object = None
    ) -> AdmissionController:
        """Return the admission control of an endpoint.

        Args:
            endpoint: Identified by anything hashable.
            settings: Of the endpoint.
            group: Identifies the endpoints that keep the hard limits together, so that one that is
                down leaves its part to the others; None: this one alone.
        """
        limits = (settings.requests_per_minute, settings.tokens_per_minute)
        together = (endpoint if group is None else group, *limits)
        key = (endpoint, settings.in_flight, together, settings.outage)
        if key not in self._admissions:
            name = bases_of(settings)[0] or settings.model
            pace = self._paces.setdefault(together, Pace(*limits))
            breaker = CircuitBreaker(settings.outage)
            gate = Gate(name, settings.in_flight, RateLimiter(pace), breaker)
            self._admissions[key] = AdmissionController(gate, self._stop_signal)
        return self._admissions[key]


class HostedModels:
    """Makes the endpoints of hosted models.

    Args:
        admissions: Of all endpoints.
        ledger: Remembers what servers serve.
        run: Asks them.
        stop_signal: Ends every wait.

    Attributes:
        transports: Of all endpoints so far.
    """

    def __init__(
        self, admissions: Admissions, ledger: Ledger, run: RunOnLoop, stop_signal: StopSignal
    ) -> None:
        self.transports: list[Transport] = []
        self._admissions, self._ledger, self._run = admissions, ledger, run
        self._stop_signal = stop_signal
        self._dialects: dict[object, Dialect] = {}
        self._served: dict[object, str] = {}

    def pool(self, settings: ModelSettings, say: Say) -> EndpointPool:
        """Return the endpoints of a model.

        Args:
            settings: Of the role, as the model accepts them.
            say: Takes a line for people.

        Raises:
            ConfigError: The addresses do not all serve this model, or none answers.
        """
        members = members_of(settings)
        transports = [_transport(member, self._dialect(member)) for member in members]
        self.transports.extend(transports)
        served = ""
        if addresses_of(settings):
            served = self._served_model(settings, transports, say)
            transports = [_checked(transport, settings, served, say) for transport in transports]
        group = (settings.model, *bases_of(settings))
        endpoints = [
            self._endpoint(member, transport, group, say)
            for member, transport in zip(members, transports, strict=True)
        ]
        return EndpointPool(identity(settings, None, served), endpoints, self._stop_signal)

    def batches(
        self, settings: ModelSettings, name: str, record: BatchRecord, say: Say
    ) -> BatchQueue | None:
        """Return where a role's calls of the bulk phases go; None: they are made one by one.

        Args:
            settings: Of the role, as the model accepts them.
            name: The model's identity in ledger keys.
            record: Of the run's batches.
            say: Takes a line for people.
        """
        if settings.batch is None:
            return None
        dialect = self._dialect(settings)
        provider = batch_provider_of(settings, dialect)
        if provider is None:
            return None
        place = BatchPlace(settings.role, settings.model, name, Secret(settings.api_key))
        tools = BatchTools(provider, dialect, record, self._stop_signal, say)
        return BatchQueue(place, settings.batch, tools)

    def _endpoint(
        self, member: ModelSettings, transport: Transport, group: object, say: Say
    ) -> Endpoint:
        adapting = AdaptingTransport(transport, self._dialect(member), say)
        admission = self._admissions.of((member.model, *bases_of(member)), member, group)
        # Where there is a single endpoint, the call itself says that it is down.
        note: Say = say if member.share else lambda _: None
        return Endpoint(adapting, admission, member.share or 1.0, note)

    def _served_model(
        self, settings: ModelSettings, transports: Sequence[Transport], say: Say
    ) -> str:
        """Return what the servers of a list of addresses call the model; they are asked once."""
        key = (settings.model, settings.api_base, settings.endpoint_id)
        if key not in self._served:
            direct = [one for one in transports if isinstance(one, OpenAITransport)]
            where = f"{settings.config_section or f'models.{settings.role}'}.api_base"
            name, change = agreed_model(settings, direct, self._ledger, self._run, where)
            self._served[key] = name
            if change:
                say(change)
        return self._served[key]

    def _dialect(self, member: ModelSettings) -> Dialect:
        """Return the dialect of an endpoint; its roles learn it together."""
        key = (member.model, *bases_of(member))
        if key not in self._dialects:
            renames = {"max_tokens": "max_completion_tokens"} if member.is_reasoning else {}
            self._dialects[key] = Dialect(renames)
        return self._dialects[key]


def http_options(settings: ModelSettings, api_key: str | None) -> HttpOptions:
    """Return how a server is called over plain HTTP."""
    return HttpOptions(
        api_key=api_key,
        timeout=settings.timeout,
        max_reply_bytes=settings.max_reply_bytes,
        params=dict(settings.params),
    )


def _checked(transport: Transport, settings: ModelSettings, served: str, say: Say) -> Transport:
    """Return a transport that makes sure of the model, where the server can tell it."""
    if not isinstance(transport, OpenAITransport):
        return transport
    return CheckedTransport(transport, settings.model.partition("/")[2], served, say)


def _transport(settings: ModelSettings, dialect: Dialect) -> Transport:
    if settings.kind == "scripted":
        name = settings.model.removeprefix("scripted/")
        script = SCRIPTS.get(name)
        return ScriptedTransport(script) if script else RecordedTransport(Path(name))
    (base,) = bases_of(settings)
    if settings.is_direct and base:
        return OpenAITransport(
            base,
            model=settings.model.partition("/")[2],
            options=http_options(settings, settings.api_key),
            dialect=dialect,
        )
    return LitellmTransport(
        settings.model,
        connection=_connection(settings, base),
        params=dict(settings.params),
        dialect=dialect,
        max_reply_bytes=settings.max_reply_bytes,
    )


def batch_provider_of(settings: ModelSettings, dialect: Dialect) -> BatchProvider | None:
    """Return what takes the batches of a model; None: its provider has none."""
    provider, bases = batch_provider_name(settings), bases_of(settings)
    if provider is None or len(bases) > 1:
        return None
    (base,) = bases
    if provider in OWN_BATCHES:
        return OWN_BATCHES[provider](_own_api(settings, base, dialect))
    return LitellmBatches(
        provider,
        model=settings.model.partition("/")[2],
        connection=_connection(settings, base),
        params=dict(settings.params),
        dialect=dialect,
    )


OWN_BATCHES: Mapping[str, Callable[[OwnApi], BatchProvider]] = {
    "anthropic": AnthropicBatches,
    "gemini": GeminiBatches,
}
"""By the name of the provider: interfaces for batches that litellm does not reach."""


def _own_api(settings: ModelSettings, base: str | None, dialect: Dialect) -> OwnApi:
    transport = RehearsedLitellm(
        settings.model,
        connection=_connection(settings, base),
        params=dict(settings.params),
        dialect=dialect,
        max_reply_bytes=settings.max_reply_bytes,
    )
    secret = Secret(settings.api_key)
    return OwnApi(settings.model, transport, secret=secret, timeout=settings.timeout)


def _connection(settings: ModelSettings, base: str | None) -> dict[str, Any]:
    """Return how litellm reaches an endpoint; what is not set is left to it."""
    connection = {
        "api_base": base,
        # Without a key of ours litellm would look for one in the environment.
        "api_key": settings.api_key or ("none" if settings.is_keyless else None),
        "timeout": settings.timeout,
    }
    return {name: value for name, value in connection.items() if value is not None}
