"""The section `models`: a model for each role, its endpoint, its sampling, its fallbacks."""

import json
import re
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from autoevol.experiments.config.errors import FORMS
from autoevol.experiments.config.section import Section, settings_from, values_of
from autoevol.experiments.files.paths import name_problem
from autoevol.experiments.models.batch_options import BatchOptions
from autoevol.experiments.models.prices import Price
from autoevol.experiments.models.settings import (
    Address,
    EndpointOptions,
    ModelOptions,
    ModelSettings,
)
from autoevol.program.adapter import AdapterName
from autoevol.program.bounds import NonNegative
from autoevol.program.errors import ConfigError

# No bare `token`: `max_tokens` and its like are no secrets.
SECRET = re.compile(r"api[-_]?key|authorization|secret|password|access[-_]?token", re.IGNORECASE)
"""Names whose values are secrets; a config may be shared and is copied into the run's folder."""


_LOCAL = "local/"
_LONGEST_NAME = 300
_MOST_CALLS = 10_000
_SECONDS = ("timeout", "backoff", "backoff_max", "hedge_after", "outage")
_MOST_SECONDS = 10_000_000
"""Almost four months."""


class PriceConfig(Section):
    """US dollars per million tokens.

    Attributes:
        input: Of the prompt.
        output: Of the reply.
        cached: Of prompt tokens from the provider's prefix cache; null: as `input`.
    """

    input: NonNegative
    output: NonNegative
    cached: NonNegative | None = None


class AddressConfig(Section, Address):
    """One of several endpoints that serve the same model; `Address` explains the keys."""

    @field_validator("url")
    @classmethod
    def _http_without_password(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("concurrency")
    @classmethod
    def _startable(cls, count: int | None) -> int | None:
        return _checked_count(count)


_ApiBase = Annotated[
    Annotated[str, Tag(FORMS[0])] | Annotated[tuple[AddressConfig, ...], Tag(FORMS[1])],
    Discriminator(lambda base: FORMS[isinstance(base, list | tuple)]),
]


class EndpointConfig(Section, EndpointOptions):
    """Where a model is and how it may be called; `EndpointOptions` explains the other keys.

    Attributes:
        price: Replaces the one that litellm knows.
        params: Passed through to the provider.
    """

    api_base: _ApiBase | None = None
    price: PriceConfig | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @field_validator("model")
    @classmethod
    def _possible_name(cls, name: str) -> str:
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise ValueError(f"must be a name of at most {_LONGEST_NAME} printable characters")
        if name.startswith(_LOCAL) and (problem := name_problem(name.removeprefix(_LOCAL))):
            raise ValueError(problem)
        return name

    @field_validator("concurrency", "attempts")
    @classmethod
    def _startable(cls, count: int | None) -> int | None:
        return _checked_count(count)

    @field_validator(*_SECONDS)
    @classmethod
    def _bearable(cls, seconds: float | None) -> float | None:
        return None if seconds is None else _checked_seconds(seconds)

    @field_validator("api_base", mode="before")
    @classmethod
    def _bare_addresses(cls, base: Any) -> Any:
        if base is None or isinstance(base, str | tuple):
            return base
        if not isinstance(base, list):
            raise ValueError("must be an address, or a list of addresses")
        if not base:
            raise ValueError("is an empty list; name an address, or leave the key out")
        return [{"url": item} if isinstance(item, str) else item for item in base]

    @field_validator("api_base")
    @classmethod
    def _each_address_once(
        cls, base: str | tuple[AddressConfig, ...] | None
    ) -> str | tuple[AddressConfig, ...] | None:
        if isinstance(base, str):
            return checked_url(base)
        urls = [address.url.rstrip("/") for address in base or ()]
        if len({*urls}) < len(urls):
            raise ValueError("names an address twice; set its concurrency or weight instead")
        return base

    @field_validator("params")
    @classmethod
    def _without_keys(cls, params: dict[str, Any]) -> dict[str, Any]:
        if key := _secret_key(params):
            raise ValueError(f"{key} holds a key; keys come from the environment (api_key_env)")
        try:
            json.dumps(params, allow_nan=False)
        except ValueError as error:
            raise ValueError("holds an infinite number, which JSON has no word for") from error
        return params


def checked_url(url: str) -> str:
    """Return an address of an endpoint.

    Raises:
        ValueError: It is none, or holds a password.
    """
    parts = urlsplit(url)
    if parts.username:
        raise ValueError("holds a password; keys come from the environment (api_key_env)")
    # Reading `port` raises a ValueError where it is no number.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("must be an address such as http://localhost:8000/v1")
    return url


def _checked_seconds(seconds: float) -> float:
    # The event loop takes no larger number of seconds than fits its clock.
    if seconds > _MOST_SECONDS:
        raise ValueError(f"must be at most {_MOST_SECONDS:,} seconds")
    return seconds


def _checked_count(count: int | None) -> int | None:
    # Each is a task or a try of its own: a slip of the keyboard would fill the memory.
    if count is not None and count > _MOST_CALLS:
        raise ValueError(f"must be at most {_MOST_CALLS:,}")
    return count


class BatchConfig(Section, BatchOptions):
    """How calls of the bulk phases go to the provider as batches; `BatchOptions` has the keys."""

    @field_validator("max_wait", "poll")
    @classmethod
    def _bearable(cls, seconds: float) -> float:
        return _checked_seconds(seconds)


class ModelConfig(EndpointConfig, ModelOptions):
    """A model in a role; `ModelOptions` explains the other keys.

    Attributes:
        batch: The calls of the bulk phases go as the provider's batches; null: one by one.
        adapter: How its predictors write prompts; null: plain for one text output, else chat.
        fallbacks: Models called in this order once this one has used up its attempts; names, or
            endpoints with keys of their own. They sample as the role does, as far as they can.
    """

    adapter: AdapterName | None = None
    batch: BatchConfig | None = None
    fallbacks: list[EndpointConfig] = Field(default=[])

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _bare_names(cls, fallbacks: Any) -> Any:
        if not isinstance(fallbacks, list):
            return fallbacks
        return [_spelled_out(item) for item in fallbacks]


class ModelsConfig(Section):
    """Models by role. A role without a `model` of its own is served by the one it falls back to.

    The responder falls back to the evolver; the optimizer to the evolver with the default
    `max_tokens` and the paper's sampling (temperature 0.6, top-p 0.95); the judge to the optimizer
    at temperature 0. Solvers have no model to fall back to.

    Attributes:
        evolver: Rewrites instructions.
        responder: Answers them.
        optimizer: Analyses failures and writes new methods, in a search.
        judge: Decides what no rule can, and gives scores.
        solver: Tries the rows, for the score `solver`; null: that score cannot be computed.
        strong_solver: A better model, for the gap between the two, and as the solver of F; null:
            there is no gap, and F's rules `unsolvable` and `same_answer` ask the responder.
    """

    evolver: ModelConfig
    responder: ModelConfig
    optimizer: ModelConfig
    judge: ModelConfig
    solver: ModelConfig | None = None
    strong_solver: ModelConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _fall_back(cls, tree: Any) -> Any:
        """Fill in the keys of roles that name no model; what is no mapping is left to pydantic."""
        if not isinstance(tree, dict):
            return tree
        # A name alone is that of the model, as in the list of fallbacks.
        tree = {role: _spelled_out(entry) for role, entry in tree.items()}
        if not isinstance(tree.get("evolver"), dict):
            return tree
        # Temperature 0 to evolve, 0.6 and top-p 0.95 to optimise: arXiv 2406.00770, F.2.
        evolver = {"temperature": 0.0, **tree["evolver"]}
        responder = _role(tree.get("responder"), evolver, {})
        unlimited = {key: value for key, value in evolver.items() if key != "max_tokens"}
        optimizer = _role(tree.get("optimizer"), unlimited, {"temperature": 0.6, "top_p": 0.95})
        # A judge's signature has several fields, which the evolver's `plain` adapter cannot carry.
        greedy = {"temperature": 0.0, "top_p": None, "adapter": None}
        judge = _role(tree.get("judge"), optimizer, greedy)
        roles = {"evolver": evolver, "responder": responder, "optimizer": optimizer, "judge": judge}
        return {**tree, **roles}


def _spelled_out(entry: Any) -> Any:
    """Return a model's name as the mapping that it stands for; anything else as it is."""
    return {"model": entry} if isinstance(entry, str) else entry


def _role(tree: Any, base: Any, sampling: dict[str, Any]) -> Any:
    """Return a role's keys over `sampling`, and over `base` if the role names no model."""
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        return tree
    # Another role that is no mapping is pydantic's to refuse, where it was written.
    base = base if isinstance(base, dict) else {}
    # A role with a model of its own takes nothing from `base`: the other's address, key and limits
    # would go to a model that they do not belong to.
    if "model" in tree:
        return {**sampling, **tree}
    # Nor do key and headers go to another address.
    is_elsewhere = "api_base" in tree and tree["api_base"] != base.get("api_base")
    return {**(_without_key(base) if is_elsewhere else base), **sampling, **tree}


def _without_key(base: dict[str, Any]) -> dict[str, Any]:
    """Return a role's keys without what identifies the user to its endpoint."""
    params = base.get("params")
    if isinstance(params, dict):
        params = {name: value for name, value in params.items() if name != "extra_headers"}
    kept = {key: value for key, value in base.items() if key not in ("api_key_env", "params")}
    return {**kept, "params": params} if params else kept


def _secret_key(tree: Any) -> str | None:
    """Return the first key of a tree whose name says that its value is a secret."""
    if not isinstance(tree, dict):
        return None
    own = (str(key) for key in tree if SECRET.search(str(key)))
    nested = (key for value in tree.values() if (key := _secret_key(value)))
    return next(own, None) or next(nested, None)


def model_settings(role: str, model: ModelConfig) -> ModelSettings:
    """Return what the engine needs to know of a role's model; its fallbacks sample as it does."""
    own = settings_from(
        model,
        ModelSettings,
        role=role,
        config_section="",
        prices=_price(model.price),
        fallbacks=(),
        share=0.0,
        batch=settings_from(model.batch, BatchOptions) if model.batch else None,
    )
    fallbacks = tuple(
        replace(
            own,
            **values_of(fallback, EndpointOptions),
            prices=_price(fallback.price),
            batch=None,
        )
        for fallback in model.fallbacks
    )
    return replace(own, fallbacks=fallbacks)


def _price(config: PriceConfig | None) -> Price | None:
    if config is None:
        return None
    cached = config.input if config.cached is None else config.cached
    return Price(config.input / 1e6, config.output / 1e6, cached / 1e6)


def check_solvers(models: ModelsConfig, where: str, *, need: str, gap: str = "") -> None:
    """Check that there are the solvers that something needs, and that their samples can differ.

    Args:
        models: Of a config.
        where: The config's file, for messages.
        need: Says what needs the solver.
        gap: Says what needs the strong solver, and what to do without one; "": nothing does.

    Raises:
        ConfigError: Names the key.
    """
    if models.solver is None:
        raise ConfigError(f"{where}: models.solver", f"must be set: {need}")
    if gap and models.strong_solver is None:
        raise ConfigError(f"{where}: models.strong_solver", f"must be set: {gap}")
    if models.solver == models.strong_solver:
        raise ConfigError(
            f"{where}: models.strong_solver", "is the same as models.solver, so there is no gap"
        )
    for role in ("solver", "strong_solver"):
        model = getattr(models, role)
        if model and model.temperature == 0:
            raise ConfigError(
                f"{where}: models.{role}.temperature",
                "is 0, so all its samples would be equal; set it above 0",
            )
