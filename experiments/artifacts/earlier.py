"""What a search learns from earlier runs: the methods that they chose."""

from pathlib import Path

from autoevol.experiments.artifacts.resume import holds_run, stored_config
from autoevol.experiments.artifacts.search_record import STEPS, read_record
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.files.paths import local_path
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method


def earlier_methods(config: ExperimentConfig, key: str) -> tuple[Method, ...]:
    """Return the methods that the runs of `optimizer.learn_from` chose, each once.

    A run whose search kept its initial method adds none.

    Args:
        config: Names the folders.
        key: The key, for messages.

    Raises:
        ConfigError: A folder holds no finished search, or one with another evolver.
    """
    evolver = config.models.evolver.model
    methods = (
        method
        for name in config.optimizer.learn_from
        for method in _chosen(local_path(name, key), evolver, key)
    )
    return tuple({method.id: method for method in methods}.values())


def _chosen(folder: Path, evolver: str, key: str) -> list[Method]:
    """Return the method that a run's search chose, if it is another than it began with."""
    record = read_record(folder) if holds_run(folder) else None
    if record is None or record.start is None:
        raise ConfigError(key, f"{folder} holds no finished search (no {STEPS} of one)")
    theirs = stored_config(folder).models.evolver.model
    # What one model needs to be told says little about another.
    if theirs != evolver:
        raise ConfigError(key, f"{folder} is of another evolver: {theirs}, not {evolver}")
    return [method for method in record.best if method.id != record.start]
