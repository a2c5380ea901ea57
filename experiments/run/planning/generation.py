"""The settings of the bulk phase, made from a plan."""

from collections.abc import Mapping

from autoevol.experiments.config.section import settings_from
from autoevol.experiments.run.planning.plan import Plan
from autoevol.program.evolution.attempt import LengthGoal
from autoevol.program.evolution.generator import GenerationSettings
from autoevol.program.records import MethodTally


def generation_settings(
    plan: Plan, learned: Mapping[int, Mapping[str, MethodTally]]
) -> GenerationSettings:
    """Return the bulk phase's settings.

    Args:
        plan: Of the run.
        learned: By round and by the method's name, what an earlier try's bandit began with.
    """
    config = plan.config.evolve
    goal = LengthGoal(*config.until.words) if config.until else None
    weights = {
        method.name: entry.weight
        for methods, entries in zip(plan.schedule, config.entries, strict=True)
        for method, entry in zip(methods, entries, strict=True)
    }
    return settings_from(
        config,
        GenerationSettings,
        until=goal,
        weights=weights,
        learned=learned,
        seed=plan.config.seed,
    )
