"""The models of an experiment's YAML: where each is, how it samples, how it may be asked."""

import re
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from autoevol.experiments.models.prices import Price
from autoevol.experiments.models.settings import ModelSettings
from autoevol.program.adapter import AdapterName

Count = Annotated[int, Field(ge=1)]
Temperature = Annotated[float, Field(ge=0, le=2)]
SECRET = re.compile(r"api[-_]?key|authorization|secret|password|access[-_]?token", re.IGNORECASE)


class Strict(BaseModel):
    """A part of the config: unknown keys are mistakes.

    Attributes:
        shorthands: Keys that stand for several of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    shorthands: ClassVar[tuple[str, ...]] = ()


class PriceConfig(Strict):
    """US dollars per million tokens; cached ones cost as much as others unless said."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached: Annotated[float, Field(ge=0)] | None = None


class EndpointConfig(Strict):
    """Where a model is and how it may be asked.

    Attributes:
        model: A litellm name, `local/NAME`, `local/PATH.gguf` or `local/hf:OWNER/REPO/FILE`.
        api_key_env: Name of the environment variable with the key; never the key itself.
        timeout: Seconds until a call counts as lost.
        concurrency: Calls in flight; null: 16, or a local model's slots.
        context: Tokens of a local model's context; null: as its catalogue entry says.
        attempts: Tries of a call whose reply is lost, empty or cut off.
        backoff: Seconds; the wait before a second try is random up to this, and doubles from there.
        backoff_max: Seconds; longest wait between two tries.
        hedge_after: Seconds after which a call is made a second time; 0: never; null: 4 times the
            95th percentile of the latencies seen, at least 10.
        outage: Seconds to wait for an endpoint that has gone before the run stops.
        price: Replaces the one that litellm knows.
        params: Passed through to the provider.
    """

    model: Annotated[str, Field(min_length=1)]
    api_base: str | None = None
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    timeout: Annotated[float, Field(gt=0)] = 300.0
    concurrency: Count | None = None
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    context: Annotated[int, Field(ge=256)] | None = None
    attempts: Count = 10
    backoff: Annotated[float, Field(gt=0)] = 0.05
    backoff_max: Annotated[float, Field(gt=0)] = 30.0
    hedge_after: Annotated[float, Field(ge=0)] | None = None
    outage: Annotated[float, Field(ge=0)] = 600.0
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


class ModelConfig(EndpointConfig):
    """A model in a role.

    Attributes:
        adapter: How its predictors write prompts; null: plain for one text output, else chat.
        fallbacks: Models that answer, in this order, when this one has spent its attempts; names,
            or endpoints with keys of their own. Sampling stays the role's, as far as they take it.
    """

    temperature: Temperature | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Count | None = 2048
    adapter: AdapterName | None = None
    fallbacks: list[EndpointConfig] = []

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, list):
            return given
        return [{"model": each} if isinstance(each, str) else each for each in given]


class ModelsConfig(Strict):
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
    """Return what the engine needs to know of a role's model."""
    fallbacks = tuple(
        ModelSettings(
            role=role,
            temperature=model.temperature,
            top_p=model.top_p,
            max_tokens=model.max_tokens,
            **_endpoint(fallback),
        )
        for fallback in model.fallbacks
    )
    return ModelSettings(role=role, fallbacks=fallbacks, **_endpoint(model))


def _endpoint(given: EndpointConfig) -> dict[str, Any]:
    """Return the keys of an endpoint, and of a model's sampling, as settings."""
    kept = given.model_dump(exclude={"adapter", "fallbacks", "price"})
    return {**kept, "prices": _price(given.price) if given.price else None}


def _price(given: PriceConfig) -> Price:
    cached = given.input if given.cached is None else given.cached
    return Price(given.input / 1e6, given.output / 1e6, cached / 1e6)
