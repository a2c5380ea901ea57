"""The models of an experiment's YAML: where each is, how it samples, how it may be asked."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from autoevol.experiments.config.section import Section, settings_from, values_of
from autoevol.experiments.models.prices import Price
from autoevol.experiments.models.settings import EndpointOptions, ModelOptions, ModelSettings
from autoevol.program.adapter import AdapterName
from autoevol.program.bounds import NonNegative

SECRET = re.compile(r"api[-_]?key|authorization|secret|password|access[-_]?token", re.IGNORECASE)


class PriceConfig(Section):
    """US dollars per million tokens; cached ones cost as much as others unless said."""

    input: NonNegative
    output: NonNegative
    cached: NonNegative | None = None


class EndpointConfig(Section, EndpointOptions):
    """Where a model is and how it may be called; `EndpointOptions` explains the other keys.

    Attributes:
        price: Replaces the one that litellm knows.
        params: Passed through to the provider.
    """

    price: PriceConfig | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @field_validator("api_base")
    @classmethod
    def _open(cls, given: str | None) -> str | None:
        if given and urlsplit(given).username:
            raise ValueError("holds a password; keys come from the environment (api_key_env)")
        return given

    @field_validator("params")
    @classmethod
    def _keyless(cls, given: dict[str, Any]) -> dict[str, Any]:
        if key := _secret_key(given):
            raise ValueError(f"{key} holds a key; keys come from the environment (api_key_env)")
        return given


class ModelConfig(EndpointConfig, ModelOptions):
    """A model in a role; `ModelOptions` explains the other keys.

    Attributes:
        adapter: How its predictors write prompts; null: plain for one text output, else chat.
        fallbacks: Models that answer, in this order, when this one has spent its attempts; names,
            or endpoints with keys of their own. Sampling stays the role's, as far as they take it.
    """

    adapter: AdapterName | None = None
    fallbacks: list[EndpointConfig] = Field(default=[])

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, list):
            return given
        return [{"model": each} if isinstance(each, str) else each for each in given]


class ModelsConfig(Section):
    """Models by role. A role without a `model` of its own is served by the one it falls back to.

    The responder falls back to the evolver; the optimizer to the evolver with the default
    `max_tokens` and the paper's sampling (temperature 0.6, top-p 0.95); the judge to the optimizer
    at temperature 0. Solvers fall back to nobody.

    Attributes:
        solver: Tries the rows, for the score `solver`; null: that score cannot be made.
        strong_solver: A better one, for the gap between the two; null: there is no gap.
    """

    evolver: ModelConfig
    responder: ModelConfig
    optimizer: ModelConfig
    judge: ModelConfig
    solver: ModelConfig | None = None
    strong_solver: ModelConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _fall_back(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("evolver"), dict):
            return given
        evolver = {"temperature": 0.0, **given["evolver"]}
        paper = {"temperature": 0.6, "top_p": 0.95}
        responder = _role(given.get("responder"), evolver, {})
        roomy = {key: value for key, value in evolver.items() if key != "max_tokens"}
        optimizer = _role(given.get("optimizer"), roomy, paper)
        sober = {"temperature": 0.0, "top_p": None, "adapter": None}
        judge = _role(given.get("judge"), optimizer, sober)
        return {
            **given,
            "evolver": evolver,
            "responder": responder,
            "optimizer": optimizer,
            "judge": judge,
        }


def _role(given: Any, base: dict[str, Any], sampling: dict[str, Any]) -> Any:
    if given is None:
        return {**base, **sampling}
    if not isinstance(given, dict):
        return given
    return {**sampling, **given} if "model" in given else {**base, **sampling, **given}


def _secret_key(tree: Any) -> str | None:
    """Return the first key of a tree whose name says that its value is a secret."""
    if not isinstance(tree, dict):
        return None
    own = (str(key) for key in tree if SECRET.search(str(key)))
    deeper = (found for value in tree.values() if (found := _secret_key(value)))
    return next(own, None) or next(deeper, None)


def settings_of(role: str, model: ModelConfig) -> ModelSettings:
    """Return what the engine needs to know of a role's model; its fallbacks sample as it does."""
    own = settings_from(model, ModelSettings, role=role, prices=_price(model.price), fallbacks=())
    fallbacks = tuple(
        replace(own, **values_of(fallback, EndpointOptions), prices=_price(fallback.price))
        for fallback in model.fallbacks
    )
    return replace(own, fallbacks=fallbacks)


def _price(config: PriceConfig | None) -> Price | None:
    if config is None:
        return None
    cached = config.input if config.cached is None else config.cached
    return Price(config.input / 1e6, config.output / 1e6, cached / 1e6)
