"""Runs that a study makes for its arms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.resume import config_for_folder
from autoevol.experiments.config.loading import tree_of
from autoevol.experiments.config.shipped import config_file
from autoevol.experiments.config.study import ArmConfig
from autoevol.experiments.run.command import checked_plan, finished, perform
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.request import RunRequest, Scope
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ArmRun:
    """A run of a study's arm.

    Attributes:
        plan: The run, checked.
        request: What it is asked for.
    """

    plan: Plan
    request: RunRequest

    @property
    def folder(self) -> Path:
        """Where its rows are."""
        return self.plan.config.folder

    def finished(self) -> Mapping[str, Any] | None:
        """Return the summary of the finished run; None: something is left to do."""
        return finished(self.plan, self.request)

    def perform(self) -> Mapping[str, Any]:
        """Run what is left; return the summary."""
        return perform(self.plan, self.request)


def arm_run(arm: ArmConfig, folder: Path, where: str) -> ArmRun:
    """Return the checked run of an arm.

    Args:
        arm: It names a config.
        folder: Gets the run.
        where: The arm's key, for messages.

    Raises:
        ConfigError: The config is wrong.
    """
    scope: Scope = "apply" if arm.method else "all"
    method = [f"evolve.methods={json.dumps([arm.method])}", "optimizer.name=none"]
    chosen = [*arm.set, *(method if arm.method else [])]
    file = config_file(Path(str(arm.config)))
    request = RunRequest(scope, file, chosen, folder, None, False, False, True)
    tree = tree_of(file, chosen)
    if tree.get("matrix") is not None:
        raise ConfigError(f"{where}.config", "is a matrix; name one of its cells' settings")
    config = config_for_folder(tree, file, out=folder)
    if not config.evolve.respond:
        raise ConfigError(f"{where}.config", "evolve.respond is false, and a student needs answers")
    return ArmRun(checked_plan(config, request), request)
