"""A config's section `verify`, checked: queries, seed constraints, models and calls."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.config.data import DataConfig
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.config.models import model_settings
from autoevol.experiments.config.section import settings_from
from autoevol.experiments.config.shipped import CONFIGS
from autoevol.experiments.config.verify import VerifyConfig
from autoevol.experiments.data.seeds import load_seeds
from autoevol.experiments.files.data_sets import found_path
from autoevol.experiments.files.paths import local_path, read_text
from autoevol.experiments.models.checks import check
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.sandbox.opening import ALLOW
from autoevol.program.checks.constraining import CHECKS
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row
from autoevol.program.verification.descriptions import contradiction_exam
from autoevol.program.verification.options import VerificationOptions

IN_A_RUN = "verified"
"""Folder of a verified set in the folder of the run whose rows it joins with constraints."""

_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


@dataclass(frozen=True, slots=True)
class VerificationPlan:
    """A checked request.

    Attributes:
        config: With its section `verify`.
        where: The config's file.
        queries: The rows that constraints are joined with.
        seeds: Seed constraints, in words.
        options: Of the stages.
        folder: Where the set is written; the ledger is in `output.dir`.
        allow_unsandboxed: The user allows verifiers to run with limits alone.
    """

    config: ExperimentConfig
    where: str
    queries: list[Row]
    seeds: list[str]
    options: VerificationOptions
    folder: Path
    allow_unsandboxed: bool = False

    @property
    def section(self) -> VerifyConfig:
        """The section `verify`."""
        return self.config.verify or VerifyConfig()

    @property
    def judges(self) -> bool:
        """Whether a judge is asked."""
        compares = bool(self.options.descriptions) and not self.section.nli
        return compares or self.options.grade_above is not None


def plan_of(
    config: ExperimentConfig,
    file: Path,
    *,
    allow_unsandboxed: bool,
    in_a_run: bool = False,
    limit: int | None = None,
) -> VerificationPlan:
    """Return the plan of a config whose seeds are the queries, checked.

    Args:
        config: With its section `verify`.
        file: Of the config.
        allow_unsandboxed: The user allows verifiers to run with limits alone.
        in_a_run: The rows that a run makes of the seeds will be the queries.
        limit: Seed constraints of a small trial; None: all.

    Raises:
        ConfigError: It has no section `verify`, or the data, the constraints or a model are wrong.
    """
    if config.verify is None:
        raise ConfigError(str(file), "has no section `verify`")
    if config.verify.sandbox == "none" and not allow_unsandboxed:
        raise ConfigError(
            f"{file}: verify.sandbox", f"is none; `autoevol verify` allows it with {ALLOW}"
        )
    seeds = load_seeds(config, str(file))
    # A rewrite loses its seed's checks.
    loses_checks = in_a_run and config.evolve.rounds
    queries = [row for row in seeds if not row.turns] if loses_checks else _queries(seeds)
    if not queries:
        raise ConfigError(str(file), "data has no single instruction to join constraints with")
    plan = VerificationPlan(
        config=config,
        where=str(file),
        queries=queries,
        seeds=_seeds(config.verify, file)[:limit],
        options=settings_from(config.verify, VerificationOptions),
        folder=config.folder,
        allow_unsandboxed=allow_unsandboxed,
    )
    for role, settings in models_of(plan).items():
        check(settings, f"{file}: models.{role}")
    return plan


def on_evolved_rows(plan: VerificationPlan) -> VerificationPlan:
    """Return the plan with the rows that a finished run kept as queries, in the run's folder.

    Raises:
        ConfigError: The file of evolved rows is damaged.
    """
    folder = plan.config.folder
    if not (folder / EVOLVED).stat().st_size:
        return replace(plan, queries=[], folder=folder / IN_A_RUN)
    data = DataConfig.model_validate({"path": str(folder / EVOLVED), "format": "rows"})
    rows = load_seeds(plan.config.model_copy(update={"data": data}), plan.where)
    return replace(plan, queries=_queries(rows), folder=folder / IN_A_RUN)


def _queries(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that a constraint can be added to: one instruction, without checks yet."""
    return [row for row in rows if not row.turns and CHECKS not in row.meta]


def _seeds(section: VerifyConfig, config: Path) -> list[str]:
    """Return the lines of a file of constraints, without list marks; none is blank."""
    if section.constraints is None:
        return []
    # A config that was made from a shipped one names a file that ships with it.
    file = local_path(found_path(section.constraints, CONFIGS), f"{config}: verify.constraints")
    if not file.is_file():
        raise ConfigError(f"{config}: verify.constraints", f"there is no file {file}")
    text = read_text(file, f"{config}: verify.constraints")
    lines = [_MARK.sub("", line).strip() for line in text.splitlines()]
    seeds = [line for line in lines if line and not line.startswith("#")]
    if not seeds:
        raise ConfigError(str(file), "holds no constraint; it takes one a line")
    return list(dict.fromkeys(seeds))


def models_of(plan: VerificationPlan) -> dict[str, ModelSettings]:
    """Return the settings of the models that the stages ask, by role."""
    models = plan.config.models
    configured = {"evolver": models.evolver, "responder": models.responder}
    if plan.judges:
        configured["judge"] = models.judge
    return {role: model_settings(role, model) for role, model in configured.items()}


def calls_of(plan: VerificationPlan) -> Table:
    """Return how many calls the stages make at most, by stage and role."""
    options, table = plan.options, Table("stage", "role", "calls at most")
    constraints = len(plan.seeds) + 10 * options.proposals
    exam = len(contradiction_exam().items) if constraints and options.descriptions else 0
    compared = constraints * options.descriptions + exam
    tasks = (constraints + options.kinds) * min(options.queries, len(plan.queries))
    stages = [
        ("propose", "evolver", options.proposals),
        ("write", "evolver", constraints * options.samples),
        ("describe", "evolver", constraints * options.descriptions),
        ("contradict", "judge", 2 * compared * (not plan.section.nli)),
        ("answer", "responder", tasks * options.responses),
        ("grade", "judge", tasks * options.responses * (options.grade_above is not None)),
    ]
    for stage, role, calls in stages:
        table.add_row(stage, role, f"{calls:,}")
    table.add_row("all", "", f"{sum(calls for _, _, calls in stages):,}")
    return table
