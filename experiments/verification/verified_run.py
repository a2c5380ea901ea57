"""`autoevol verify`: a config's queries and constraints through the nine stages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.artifacts.resume import LEDGER
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.config.models import model_settings
from autoevol.experiments.config.section import settings_from
from autoevol.experiments.config.verify import VerifyConfig
from autoevol.experiments.data.seeds import load_seeds
from autoevol.experiments.files.data_sets import found_path
from autoevol.experiments.files.paths import read_text
from autoevol.experiments.judging.session import SessionOptions, model_session
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.settings import ModelSettings, check
from autoevol.experiments.sandbox import open_sandbox
from autoevol.experiments.sandbox.opening import ALLOW
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.verification.descriptions import contradiction_exam
from autoevol.program.verification.options import VerificationOptions
from autoevol.program.verification.pipeline import (
    VerificationPipeline,
    VerificationRoles,
    VerifiedSet,
)

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
        allow_unsandboxed: The user allows verifiers to run with limits alone.
    """

    config: ExperimentConfig
    where: str
    queries: list[Row]
    seeds: list[str]
    options: VerificationOptions
    allow_unsandboxed: bool = False

    @property
    def section(self) -> VerifyConfig:
        """The section `verify`."""
        return self.config.verify or VerifyConfig()

    @property
    def judges(self) -> bool:
        """Whether a judge is asked."""
        return bool(self.options.descriptions) or self.options.grade_above is not None


def plan_of(config: ExperimentConfig, file: Path, *, allow_unsandboxed: bool) -> VerificationPlan:
    """Return the plan of a config, checked.

    Raises:
        ConfigError: It has no section `verify`, or the data, the constraints or a model are wrong.
    """
    where = str(file)
    if config.verify is None:
        raise ConfigError(where, "has no section `verify`")
    if config.verify.sandbox == "none" and not allow_unsandboxed:
        raise ConfigError(f"{where}: verify.sandbox", f"is none; allow it with {ALLOW}")
    queries = [row for row in load_seeds(config, where) if not row.turns]
    if not queries:
        raise ConfigError(where, "data has no single instruction to join constraints with")
    options = settings_from(config.verify, VerificationOptions)
    seeds = _seeds(config.verify, file)
    plan = VerificationPlan(config, where, queries, seeds, options, allow_unsandboxed)
    for role, settings in _models(plan).items():
        check(settings, f"{where}: models.{role}")
    return plan


def _seeds(section: VerifyConfig, config: Path) -> list[str]:
    """Return the lines of a file of constraints, without list marks; none is blank."""
    if section.constraints is None:
        return []
    file = Path(found_path(section.constraints, config.parent))
    if not file.is_file():
        raise ConfigError(f"{config}: verify.constraints", f"there is no file {file}")
    text = read_text(file, f"{config}: verify.constraints")
    lines = [_MARK.sub("", line).strip() for line in text.splitlines()]
    seeds = [line for line in lines if line and not line.startswith("#")]
    if not seeds:
        raise ConfigError(str(file), "holds no constraint; it takes one a line")
    return list(dict.fromkeys(seeds))


def _models(plan: VerificationPlan) -> dict[str, ModelSettings]:
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
    tasks = (constraints + options.kinds) * min(options.queries, len(plan.queries))
    stages = [
        ("propose", "evolver", options.proposals),
        ("write", "evolver", constraints * options.samples),
        ("describe", "evolver", constraints * options.descriptions),
        ("contradict", "judge", 2 * (constraints * options.descriptions + exam)),
        ("answer", "responder", tasks * options.responses),
        ("grade", "judge", tasks * options.responses * (options.grade_above is not None)),
    ]
    for stage, role, calls in stages:
        table.add_row(stage, role, f"{calls:,}")
    table.add_row("all", "", f"{sum(calls for _, _, calls in stages):,}")
    return table


def _options(plan: VerificationPlan) -> SessionOptions:
    models = plan.config.models
    adapters = {role: getattr(models, role).adapter for role in _models(plan)}
    return SessionOptions(adapters, plan.config.budget)


def verify(plan: VerificationPlan, *, bar: ProgressBar, say: Callable[[str], None]) -> VerifiedSet:
    """Run the stages.

    Raises:
        ConfigError: A model cannot be used, or there is no sandbox.
        StoppedError: The user stopped the command; the same command pays for no call twice.
    """

    async def work(roles: Mapping[str, Role], in_flight: int) -> VerifiedSet:
        section = plan.section
        async with open_sandbox(
            section.sandbox, allow_unsandboxed=plan.allow_unsandboxed, say=say
        ) as sandbox:
            pipeline = VerificationPipeline(
                roles=VerificationRoles(roles["evolver"], roles["responder"], roles.get("judge")),
                sandbox=sandbox,
                options=plan.options,
                in_flight=in_flight,
                on_phase=bar.on_phase,
                on_item=lambda is_lost: bar.advance(failed=is_lost),
            )
            return await pipeline.run(plan.seeds, plan.queries)

    folder = plan.config.folder
    with alone_in(folder):
        return model_session(
            _models(plan),
            LedgerSettings(folder / LEDGER),
            work,
            bar=bar,
            say=say,
            options=_options(plan),
        )
