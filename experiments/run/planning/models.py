"""The models of a plan, and the rules of F that ask them."""

import difflib
from collections.abc import Sequence

from autoevol.experiments.config.errors import shown
from autoevol.experiments.config.experiment import ROLES, ExperimentConfig
from autoevol.experiments.config.models import ModelConfig, check_solvers, model_settings
from autoevol.experiments.config.scoring.scores import SOLVER_NEED
from autoevol.experiments.models.checks import check
from autoevol.experiments.models.settings import ModelSettings
from autoevol.metrics import RULE_SETS, RULES, Rule, Stage, check_thresholds, compose
from autoevol.program.errors import ConfigError

_NEED_STRONG = ("too_hard", "no_gap")
"""Rules of F that compare with a strong solver."""


def models_of(config: ExperimentConfig, where: str) -> dict[str, ModelSettings]:
    """Return the settings of the models that the run needs, by role.

    Raises:
        ConfigError: Names the file and the key.
    """
    _check_solvers(config, where)
    return {role: _model(role, config, where) for role in _roles_needed(config, where)}


def _model(role: str, config: ExperimentConfig, where: str) -> ModelSettings:
    settings = checked_settings(role, getattr(config.models, role), f"{where}: models.{role}")
    if config.budget.usd is not None:
        hint = f"set models.{role}.price, or use budget.calls or budget.tokens"
        check_prices(settings, f"{where}: budget.usd", hint)
    return settings


def checked_settings(role: str, model: ModelConfig, where: str) -> ModelSettings:
    """Return the settings of a role's model.

    Args:
        role: Of the model.
        model: As configured.
        where: File and key, for messages.

    Raises:
        ConfigError: The model, or a fallback, is unknown or cannot be reached.
    """
    settings = model_settings(role, model)
    check(settings, where)
    for number, fallback in enumerate(settings.fallbacks):
        check(fallback, f"{where}.fallbacks.{number}")
    return settings


def check_prices(settings: ModelSettings, where: str, hint: str) -> None:
    """Refuse a cap in USD where the price of a model or of a fallback is unknown.

    Raises:
        ConfigError: A price is unknown; `hint` says what to do.
    """
    for entry in (settings, *settings.fallbacks):
        if entry.price is None:
            raise ConfigError(where, f"the price of {entry.model} is unknown; {hint}")


def _roles_needed(config: ExperimentConfig, where: str) -> list[str]:
    rules = _rules(config, "evolve", where)
    _rules(config, "respond", where)
    taught = _rules(config, "teach", where)
    tries = any(rule.witness == "solvers" for rule in taught)
    solver = failure_solver(config, rules)
    needed = {
        "evolver": True,
        "responder": config.evolve.respond or solver == "responder",
        "optimizer": config.is_search,
        "judge": any(rule.witness == "judge" for rule in (*rules, *taught))
        or config.judges_answers
        or bool(config.scores.judged),
        "solver": tries or "solver" in config.scores.names,
        "strong_solver": solver == "strong_solver"
        or (bool(config.models.strong_solver) and (tries or "solver" in config.scores.names)),
    }
    return [role for role in ROLES if needed[role]]


def failure_solver(config: ExperimentConfig, rules: Sequence[Rule]) -> str | None:
    """Return the role that decides the solver's rules of F; None: there are none."""
    if not any(rule.witness == "solver" for rule in rules):
        return None
    return "strong_solver" if config.models.strong_solver else "responder"


def _rules(config: ExperimentConfig, stage: Stage, where: str) -> tuple[Rule, ...]:
    failure = config.failure
    try:
        check_thresholds(failure.thresholds)
    except ValueError as error:
        raise ConfigError(f"{where}: failure.thresholds", str(error)) from error
    # `rules` stands for both stages, so a mistake in it is in both.
    is_shared = stage != "teach" and failure.evolve == failure.respond
    key = f"{where}: failure.{'rules' if is_shared else stage}"
    try:
        _check_stage(getattr(failure, stage), stage, key)
        return compose(getattr(failure, stage), stage, failure.thresholds)
    except KeyError as error:
        close = difflib.get_close_matches(str(error.args[0]), [*RULE_SETS, *RULES], n=1)
        sets = ", ".join(RULE_SETS)
        hint = f"; did you mean {close[0]!r}?" if close else f"; rule sets are {sets}"
        raise ConfigError(
            key,
            f"unknown rule or rule set {shown(error.args[0])}{hint}",
        ) from error


def solver_rules(config: ExperimentConfig) -> list[str]:
    """Return the names of F's rules that a weak and a strong solver decide."""
    rules = compose(config.failure.teach, "teach")
    return [rule.name for rule in rules if rule.witness == "solvers"]


def _check_solvers(config: ExperimentConfig, where: str) -> None:
    taught = _rules(config, "teach", where)
    if taught and not config.evolve.rounds:
        raise ConfigError(
            f"{where}: failure.teach",
            "compares rewrites with their parents, and evolve.rounds is 0; leave it out",
        )
    if config.failure.teach and not taught:
        raise ConfigError(f"{where}: failure.teach", "takes out every rule that it names")
    names = solver_rules(config)
    if not names and "solver" not in config.scores.names:
        return
    need = f"failure.teach asks for {names[0]}" if names else SOLVER_NEED
    compared = next((name for name in names if name in _NEED_STRONG), None)
    without = ", ".join(f"-{name}" for name in _NEED_STRONG)
    gap = f"failure.teach asks for {compared}; without one: [learnable, {without}]"
    check_solvers(config.models, where, need=need, gap=gap if compared else "")


def _check_stage(names: Sequence[str], stage: Stage, key: str) -> None:
    """Check that rules on what a row teaches are at their own stage, and no others are.

    Raises:
        ConfigError: Names the key.
        KeyError: A name is neither a rule nor a rule set.
    """
    for name in names:
        bare = name.removeprefix("-")
        members = RULE_SETS.get(bare, (bare,))
        teaches = [RULES[member].stages == ("teach",) for member in members]
        if all(teaches) and stage != "teach":
            raise ConfigError(key, f"{bare} is about what a row teaches; set failure.teach")
        if not any(teaches) and stage == "teach":
            raise ConfigError(
                key, f"{bare} does not say what a row teaches; set failure.evolve or .respond"
            )
