"""A model's settings: how it is reached, what it accepts, and its identity in the ledger."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, MinLen, Predicate

from autoevol.experiments.models.batch_options import BatchOptions
from autoevol.experiments.models.keys import (
    OWN_CREDENTIALS,
    is_foreign,
    key_variable_of,
    withheld_variable,
)
from autoevol.experiments.models.local.weights import SHIPPED, digest_of, from_hub
from autoevol.experiments.models.prices import Price, price_of
from autoevol.experiments.models.transports.protocol import MOST_REPLY_BYTES, Message, Request
from autoevol.program.bounds import Count, NonNegative, Positive, Share, Temperature

ModelKind = Literal["local", "scripted", "hosted"]
SystemRole = Literal["system", "fold"]

NEEDS_BASE = ("hosted_vllm", "openai_like", "llamafile", "lm_studio", "vllm")
"""Prefixes of servers of one's own: they have no default address."""

SPEAKS_OPENAI = (*NEEDS_BASE, "openai", "custom_openai")
"""Prefixes whose `api_base` is called directly over HTTP; litellm costs milliseconds a call."""

HAVE_BATCHES = ("anthropic", "azure", "gemini")
"""Prefixes of further providers whose batches litellm can send, list and delete."""

HOSTED_CONCURRENCY = 16
"""Requests on the wire to a hosted model whose settings name no number."""

DEFAULT_SLOTS = 4
"""Of local models that are not shipped."""

# OpenAI's o series and gpt-5; the chat variants of gpt-5 do take sampling settings.
_REASONING = re.compile(r"^(?:o[1345](?:-|$)|gpt-5(?!.*-chat))")
REASONING_FLOOR = 16_000
"""Least `max_tokens` of a reasoning model: its hidden tokens may use up a smaller limit."""


def _is_variable_name(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None


@dataclass(frozen=True)
class Address:
    """One of several endpoints that serve the same model.

    Attributes:
        url: Such as `http://localhost:8000/v1`.
        concurrency: Calls in flight there; None: the role's `concurrency`.
        weight: Its part of the calls against the others'; None: its `concurrency`.
    """

    url: str
    concurrency: Count | None = None
    weight: Positive | None = None


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class EndpointOptions:
    """Where a model is and how it may be called, as a config's `models` names it.

    Attributes:
        model: A litellm name, `local/NAME`, `local/PATH.gguf` or `local/hf:OWNER/REPO/FILE`.
        api_base: Address of an endpoint, such as `http://localhost:8000/v1`, or a list of
            addresses that serve the same model and share its calls; None: the provider's.
        endpoint_id: Name of the model behind the addresses, where the servers' own names do not
            tell it from another, such as a version; calls under another name are made anew.
        api_key_env: Name of the environment variable with the key; never the key itself.
        timeout: Seconds until a call counts as lost.
        concurrency: Calls in flight at an address; None: 16, or a local model's slots.
        requests_per_minute: Most calls a minute, at all addresses together; others wait. None: no
            limit of ours.
        tokens_per_minute: Most tokens a minute, in and out, at all addresses together; others wait.
            None: no limit of ours.
        context: Tokens of a local model's context; None: as its catalogue entry says.
        attempts: Tries of a call whose reply is lost, empty or cut off.
        backoff: Seconds; the wait before a second try is random up to this, and doubles from there.
        backoff_max: Seconds; longest wait between two tries.
        hedge_after: Seconds after which a call is made a second time; 0: never; None: 4 times the
            95th percentile of the latencies seen, at least 10.
        outage: Seconds to wait for an endpoint that has gone before the run stops.
        max_reply_bytes: Largest reply, decompressed; a longer one counts as lost.
        system_role: "fold" puts the system turn before the first user turn, for models without
            system turns.
        params: Passed through to the provider.
    """

    model: Annotated[str, MinLen(1)]
    api_base: str | tuple[Address, ...] | None = None
    endpoint_id: Annotated[str, MinLen(1)] | None = None
    api_key_env: Annotated[str, Predicate(_is_variable_name)] | None = None
    timeout: Positive = 300.0
    concurrency: Count | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    context: Annotated[int, Ge(256)] | None = None
    attempts: Count = 10
    backoff: Positive = 0.05
    backoff_max: Positive = 30.0
    hedge_after: NonNegative | None = None
    outage: NonNegative = 600.0
    max_reply_bytes: Annotated[int, Ge(1024)] = MOST_REPLY_BYTES
    system_role: SystemRole = "system"
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelOptions(EndpointOptions):
    """An endpoint with the sampling of a role; None leaves a setting to the provider.

    Attributes:
        temperature: Of the sampling; 0: always the likeliest token. None: the provider's default,
            but 0 for evolver, responder and judge, and 0.6 for the optimizer.
        top_p: Share of probability that is sampled from. None: the provider's default, but 0.95 for
            the optimizer.
        max_tokens: Of a reply; None: as many as the provider allows.
        batch: The calls of the bulk phases go as the provider's batches; None: one by one.
    """

    temperature: Temperature | None = None
    top_p: Share | None = None
    max_tokens: Count | None = 2048
    batch: BatchOptions | None = None


@dataclass(frozen=True)
class ModelSettings(ModelOptions):
    """A model as configured for a role.

    Attributes:
        prices: Replaces the price that litellm knows.
        fallbacks: Models that answer, in this order, when this one has spent its attempts.
        share: Its part of the calls against the other endpoints of a list; 0: it is the only one.
        config_section: Where a config has the model's keys; "": `models.ROLE`.
    """

    role: str = field(kw_only=True)
    config_section: str = field(default="", kw_only=True)
    prices: Price | None = None
    fallbacks: "tuple[ModelSettings, ...]" = ()
    share: float = 0.0

    @property
    def kind(self) -> ModelKind:
        """Whether the model is served in this process, scripted, or reached over the network."""
        prefix = self.model.partition("/")[0]
        return "local" if prefix == "local" else "scripted" if prefix == "scripted" else "hosted"

    @property
    def in_flight(self) -> int:
        """Calls that may be under way at once, at all endpoints together."""
        if addresses := addresses_of(self):
            return sum(_slots_of(self, address) for address in addresses)
        if self.kind != "local":
            return self.concurrency or HOSTED_CONCURRENCY
        shipped = SHIPPED.get(self.model.removeprefix("local/"))
        slots = shipped.slots if shipped else DEFAULT_SLOTS
        return min(self.concurrency or slots, slots)

    @property
    def is_reasoning(self) -> bool:
        """Whether the model refuses sampling settings and needs room for hidden tokens."""
        name = self.model.rsplit("/", 1)[-1].lower()
        return self.kind == "hosted" and bool(_REASONING.match(name))

    @property
    def is_claude(self) -> bool:
        """Whether the model refuses temperature and top_p together."""
        return self.kind == "hosted" and "claude" in self.model.lower()

    @property
    def is_direct(self) -> bool:
        """Whether the model is called over plain HTTP: it speaks OpenAI's form at `api_base`."""
        return self.model.partition("/")[0] in SPEAKS_OPENAI and bool(self.api_base)

    @property
    def uses_litellm(self) -> bool:
        """Whether the model, or one of its fallbacks, is reached through litellm."""
        own = self.kind == "hosted" and not self.is_direct
        return own or any(fallback.uses_litellm for fallback in self.fallbacks)

    @property
    def price(self) -> Price | None:
        """As configured, or as litellm lists it; None: unknown. Models in this process are free."""
        if self.prices is not None:
            return self.prices
        return price_of(self.model) if self.kind == "hosted" else Price(0.0, 0.0, 0.0)

    @property
    def key_variable(self) -> str | None:
        """The environment variable that holds the key; None: unknown, or no key belongs there."""
        variables = {key_variable_of(self.model, base) for base in bases_of(self)}
        return self.api_key_env or (variables.pop() if len(variables) == 1 else None)

    @property
    def api_key(self) -> str | None:
        """The key from the environment; None without one."""
        return (os.environ.get(self.key_variable) or None) if self.key_variable else None

    @property
    def is_keyless(self) -> bool:
        """Whether no address is the provider's own, and no key is named for them."""
        provider = self.model.partition("/")[0]
        is_foreign_host = all(is_foreign(self.model, base) for base in bases_of(self))
        return is_foreign_host and not self.api_key_env and provider not in OWN_CREDENTIALS


def addresses_of(settings: EndpointOptions) -> tuple[Address, ...]:
    """Return the addresses of a list; none: there is one endpoint."""
    return settings.api_base if isinstance(settings.api_base, tuple) else ()


def batch_provider_name(settings: EndpointOptions) -> str | None:
    """Return where a model's batches go, as litellm calls it; None: nowhere."""
    prefix = settings.model.partition("/")[0]
    if prefix in SPEAKS_OPENAI:
        return "openai"
    return prefix if prefix in HAVE_BATCHES else None


def bases_of(settings: EndpointOptions) -> tuple[str | None, ...]:
    """Return the address of each endpoint; None: the provider's own."""
    if isinstance(settings.api_base, tuple):
        return tuple(address.url for address in settings.api_base)
    return (settings.api_base,)


def members_of(settings: ModelSettings) -> tuple[ModelSettings, ...]:
    """Return the settings for each endpoint alone: one address and its slots.

    The limits of a minute stay those of all together.
    """
    addresses = addresses_of(settings)
    weights = [address.weight or _slots_of(settings, address) for address in addresses]
    return tuple(
        replace(
            settings,
            api_base=address.url,
            concurrency=_slots_of(settings, address),
            fallbacks=(),
            share=weight,
        )
        for address, weight in zip(addresses, weights, strict=True)
    ) or (settings,)


def _slots_of(settings: EndpointOptions, address: Address) -> int:
    return address.concurrency or settings.concurrency or HOSTED_CONCURRENCY


def adjusted(settings: ModelSettings) -> tuple[ModelSettings, list[str]]:
    """Return settings that the model accepts, and a note for the user on each change."""
    notes = []
    variable = withheld_variable(settings.model)
    if settings.is_keyless and variable and os.environ.get(variable):
        bases = ", ".join(map(str, bases_of(settings)))
        notes.append(f"is at {bases}, which gets no {variable}; set api_key_env")
    if settings.is_claude and settings.temperature is not None and settings.top_p is not None:
        notes.append("takes temperature or top_p, not both: top_p dropped")
        return replace(settings, top_p=None), notes
    if not settings.is_reasoning:
        return settings, notes
    if settings.temperature is not None or settings.top_p is not None:
        notes.append("takes no temperature or top_p: dropped")
    tokens = settings.max_tokens
    if tokens is not None and tokens < REASONING_FLOOR:
        notes.append(f"max_tokens raised from {tokens} to {REASONING_FLOOR}: it thinks first")
        tokens = REASONING_FLOOR
    return replace(settings, temperature=None, top_p=None, max_tokens=tokens), notes


def fitted(request: Request, settings: ModelSettings) -> Request:
    """Return a request that the model accepts.

    `adjusted` does the same for the settings of a role. Here it is done for each request as well,
    because a predictor or a DSPy optimiser may set a temperature of its own.
    """
    if settings.system_role == "fold":
        request = replace(request, messages=_folded(request.messages))
    if settings.is_reasoning:
        limit = request.max_tokens
        tokens = None if limit is None else max(limit, REASONING_FLOOR)
        return replace(request, temperature=None, top_p=None, max_tokens=tokens)
    if settings.is_claude and request.temperature is not None:
        return replace(request, top_p=None)
    return request


def _folded(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the turns with the system turn's text before that of the first user turn."""
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return messages
    content = f"{messages[0]['content']}\n\n{messages[1]['content']}"
    return ({"role": "user", "content": content}, *messages[2:])


def local_path(model: str) -> Path | None:
    """Return the file of a `local/` model that is not shipped; None for a shipped one."""
    name = model.removeprefix("local/")
    if name in SHIPPED:
        return None
    return from_hub(name.removeprefix("hf:")) if name.startswith("hf:") else Path(name).expanduser()


def identity(settings: ModelSettings, path: Path | None, served: str = "") -> str:
    """Return the identity of the model in ledger keys: never a port, never an API key.

    Args:
        settings: Of the role.
        path: Of a local model's file.
        served: What the servers of a list of addresses call the model.
    """
    # The port of a local server changes at every start, so its weights are its identity.
    if settings.kind != "local":
        version = f" version {settings.endpoint_id}" if settings.endpoint_id else ""
        # Addresses may come and go: they are no part of it.
        place = f"as {served}" if addresses_of(settings) else f"at {settings.api_base or 'default'}"
        return f"{settings.model} {place}{version}"
    name = settings.model.removeprefix("local/")
    digest = SHIPPED[name].sha256 if name in SHIPPED else digest_of(path or Path(name))
    return f"sha256:{digest} context:{settings.context}"
