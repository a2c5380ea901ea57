"""Everything that can be checked before the first model call."""

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config import ROLES, ExperimentConfig
from experiments.data import Splits, load_seeds, split
from experiments.model_config import EndpointConfig, ModelConfig, PriceConfig
from experiments.models.endpoints import ModelSettings, check
from experiments.models.prices import Price
from metrics import RULE_SETS, RULES, Rule, Stage, check_thresholds, compose
from program.adapter import is_plain
from program.errors import ConfigError
from signatures import Method, from_markdown, shipped_methods


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked config with its seeds, methods and models.

    Attributes:
        where: The config's file, for messages.
        methods: What the bulk phase applies unless a search replaces it.
        start: Where the search starts; None without a search.
        models: Settings of the roles that the run needs.
    """

    config: ExperimentConfig
    where: str
    splits: Splits
    methods: list[Method]
    start: Method | None
    models: dict[str, ModelSettings]

    @property
    def content(self) -> str:
        """Fingerprint of what the config points to: seeds and methods, whatever their names."""
        rows = [[row.id, row.instruction, row.input] for row in self.splits.seeds]
        start = [self.start] if self.start else []
        methods = [[(method.id, method.kind) for method in each] for each in (self.methods, start)]
        parts = [rows, *methods]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def make_plan(config: ExperimentConfig, where: str) -> Plan:
    """Check everything that needs no model and return what the run will use.

    Raises:
        ConfigError: Names the file and the key, or the data file and the row.
    """
    methods = [find_method(name, f"{where}: evolve.methods") for name in config.evolve.methods]
    start = _start(config, methods, where)
    models = _models(config, where)
    _check_adapter(config, [*methods, *([start] if start else [])], where)
    seeds = load_seeds(config, where)
    return Plan(config, where, split(seeds, config, where), methods, start, models)


def find_method(name: str, where: str) -> Method:
    """Return a shipped method, or the one in a file.

    Raises:
        ConfigError: There is neither, or the file is no method.
    """
    shipped = shipped_methods()
    if name in shipped:
        return shipped[name]
    path = Path(name).expanduser()
    if not path.is_file():
        near = difflib.get_close_matches(name, shipped, n=1, cutoff=0.5)
        meant = f"; did you mean {near[0]}?" if near else ";"
        raise ConfigError(where, f"unknown method {name!r}{meant} `autoevol methods list` has them")
    try:
        return from_markdown(path.read_text(encoding="utf-8"), name=path.stem)
    except (ValueError, OSError) as error:
        raise ConfigError(str(path), f"is no method: {error}") from error


def _start(config: ExperimentConfig, methods: Sequence[Method], where: str) -> Method | None:
    if not config.is_search:
        return None
    if len(methods) != 1:
        raise ConfigError(
            f"{where}: evolve.methods",
            f"a search starts from one method and replaces it, {len(methods)} are given; "
            "name one, or set optimizer.name: none",
        )
    if config.optimizer.initial_method:
        return find_method(config.optimizer.initial_method, f"{where}: optimizer.initial_method")
    return methods[0]


def _models(config: ExperimentConfig, where: str) -> dict[str, ModelSettings]:
    found = {}
    for role in _roles_needed(config, where):
        model: ModelConfig = getattr(config.models, role)
        settings = _settings(role, model)
        check(settings, f"{where}: models.{role}")
        for number, fallback in enumerate(settings.fallbacks):
            check(fallback, f"{where}: models.{role}.fallbacks.{number}")
        for each in (settings, *settings.fallbacks):
            if config.budget.usd is not None and each.price is None:
                raise ConfigError(
                    f"{where}: budget.usd",
                    f"the price of {each.model} is unknown; set models.{role}.price, "
                    "or use budget.calls or budget.tokens",
                )
        found[role] = settings
    return found


def _settings(role: str, model: ModelConfig) -> ModelSettings:
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


def _roles_needed(config: ExperimentConfig, where: str) -> list[str]:
    rules = [*_rules(config, "evolve", where), *_rules(config, "respond", where)]
    needed = {
        "evolver": True,
        "responder": config.evolve.respond,
        "optimizer": config.is_search,
        "judge": any(rule.detect is None for rule in rules),
    }
    return [role for role in ROLES if needed[role]]


def _rules(config: ExperimentConfig, stage: Stage, where: str) -> tuple[Rule, ...]:
    failure = config.failure
    try:
        check_thresholds(failure.thresholds)
    except ValueError as error:
        raise ConfigError(f"{where}: failure.thresholds", str(error)) from error
    try:
        return compose(getattr(failure, stage), stage, failure.thresholds)
    except KeyError as error:
        close = difflib.get_close_matches(str(error.args[0]), [*RULE_SETS, *RULES], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; there is {', '.join(RULE_SETS)}"
        raise ConfigError(
            f"{where}: failure.{stage}", f"unknown rule or rule set {error}{hint}"
        ) from error


def _check_adapter(config: ExperimentConfig, methods: Sequence[Method], where: str) -> None:
    if config.models.judge.adapter == "plain":
        raise ConfigError(
            f"{where}: models.judge.adapter", "plain takes text; use chat, json or xml"
        )
    clash = next((m for m in methods if not is_plain(m.signature)), None)
    if clash and config.models.evolver.adapter == "plain":
        raise ConfigError(
            f"{where}: models.evolver.adapter",
            f"plain takes one output field, method {clash.name} thinks in a field of its own; "
            "use chat, json or xml",
        )
