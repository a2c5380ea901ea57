"""The DSPy program and its optimiser."""

from program.errors import (
    AccessError,
    AutoEvolError,
    BudgetExhaustedError,
    ConfigError,
    WeightsError,
)
from program.evolver import Evolver
from program.failure import FailureMetric, failure_metric
from program.generator import GenerationSettings, Generator
from program.listeners import Listeners, Phase
from program.optimizer import AutoEvolInstruct, SearchSettings
from program.pipeline import Pipeline
from program.roles import Role, Roles

__all__ = [
    "AccessError",
    "AutoEvolError",
    "AutoEvolInstruct",
    "BudgetExhaustedError",
    "ConfigError",
    "Evolver",
    "FailureMetric",
    "GenerationSettings",
    "Generator",
    "Listeners",
    "Phase",
    "Pipeline",
    "Role",
    "Roles",
    "SearchSettings",
    "WeightsError",
    "failure_metric",
]
