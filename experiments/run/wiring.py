"""From a checked plan to the program's own settings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from autoevol.experiments.config.experiment import EVOLVING
from autoevol.experiments.config.scores import SCORING
from autoevol.experiments.config.section import settings_from
from autoevol.experiments.run.plan import Plan
from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.attempt import LengthGoal
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.generator import GenerationSettings
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.records import MethodTally
from autoevol.program.roles import Role, Roles
from autoevol.program.search.settings import SearchSettings

if TYPE_CHECKING:
    from autoevol.experiments.models.runtime import OpenModels

LOCAL_BLOCK_ROWS = 8
"""Rows that evolve together before they respond together on a `local/` model."""


def search_settings(plan: Plan) -> SearchSettings:
    """Return the search's settings."""
    return settings_from(plan.config.optimizer, SearchSettings, seed=plan.config.seed)


def generation_settings(
    plan: Plan, learned: Mapping[int, Mapping[str, MethodTally]]
) -> GenerationSettings:
    """Return the bulk phase's settings.

    Args:
        plan: Of the run.
        learned: What an earlier try's bandit began each round with.
    """
    config = plan.config.evolve
    until = LengthGoal(*config.until.words) if config.until else None
    weights = {
        method.name: entry.weight
        for methods, entries in zip(plan.schedule, config.entries, strict=True)
        for method, entry in zip(methods, entries, strict=True)
    }
    return settings_from(
        config,
        GenerationSettings,
        until=until,
        weights=weights,
        learned=learned,
        seed=plan.config.seed,
    )


def scoring_roles(plan: Plan, fleet: "OpenModels", watched: float) -> dict[str, Role]:
    """Return the models that the run's scores ask, by role."""
    return {role: _role(role, plan, fleet, watched) for role in SCORING if role in fleet.lms}


def _role(role: str, plan: Plan, fleet: "OpenModels", watched: float) -> Role:
    """Return a role's model; a role that the run does not need has the evolver's."""
    given = getattr(plan.config.models, role)
    lm = fleet.lms.get(role, fleet.lms["evolver"])
    return Role(lm=lm, model=given.model, adapter=given.adapter, trace_sampling=watched)


def pipeline_of(plan: Plan, fleet: "OpenModels", watched: float) -> Pipeline:
    """Return what every attempt needs, with the models by role.

    Args:
        plan: Of the run.
        fleet: Its open models.
        watched: Share of the calls that a tracer hears of, in [0, 1].
    """
    models = plan.config.models
    roles = Roles(**{role: _role(role, plan, fleet, watched) for role in EVOLVING})
    failure = plan.config.failure
    judge = roles.judge if "judge" in fleet.lms else None
    is_local = plan.models["evolver"].kind == "local"
    return Pipeline(
        roles=roles,
        failure=failure_metric(
            failure.evolve, failure.respond, thresholds=failure.thresholds, judge=judge
        ),
        responds=plan.config.evolve.respond,
        answer=settings_from(plan.config.answer, AnswerSettings),
        evolves_input=plan.config.evolve.input == "evolve",
        context=plan.config.evolve.context,
        block_rows=LOCAL_BLOCK_ROWS if is_local else 1,
        blocks_in_flight=1 if is_local else 2 * (models.evolver.concurrency or 16),
    )
