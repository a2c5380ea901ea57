"""The DSPy program and its optimiser. DSPy is heavy: a name is imported when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from program.evolver import Evolver
    from program.failure import FailureMetric, failure_metric
    from program.generator import GenerationSettings, Generator
    from program.listeners import Listeners, Phase
    from program.optimizer import AutoEvolInstruct
    from program.pipeline import Pipeline
    from program.roles import Role, Roles
    from program.settings import SearchSettings

__all__ = [
    "AutoEvolInstruct",
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
    "failure_metric",
]

_HOMES = {
    "AutoEvolInstruct": "optimizer",
    "Evolver": "evolver",
    "FailureMetric": "failure",
    "GenerationSettings": "generator",
    "Generator": "generator",
    "Listeners": "listeners",
    "Phase": "listeners",
    "Pipeline": "pipeline",
    "Role": "roles",
    "Roles": "roles",
    "SearchSettings": "settings",
    "failure_metric": "failure",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'program' has no attribute {name!r}")
    return getattr(import_module(f"program.{_HOMES[name]}"), name)
