"""`autoevol verify`: a config's queries and constraints through the nine stages."""

import asyncio
from collections.abc import Callable, Mapping

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.artifacts.resume import LEDGER
from autoevol.experiments.judging.session import SessionOptions, model_session
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.sandbox import open_sandbox
from autoevol.experiments.sandbox.errors import SandboxError
from autoevol.experiments.scores.entailment import open_nli
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.verification.planning import VerificationPlan, models_of
from autoevol.program.errors import ConfigError
from autoevol.program.roles import Role
from autoevol.program.verification.descriptions import Relate, judged_by
from autoevol.program.verification.pipeline import (
    VerificationPipeline,
    VerificationRoles,
    VerifiedSet,
)


def _options(plan: VerificationPlan) -> SessionOptions:
    models = plan.config.models
    adapters = {role: getattr(models, role).adapter for role in models_of(plan)}
    return SessionOptions(adapters, plan.config.budget)


def check_tools(plan: VerificationPlan) -> None:
    """Check what the stages need beside models before anything is paid.

    Raises:
        ConfigError: There is no such sandbox, or the model of inference cannot be loaded.
    """
    if plan.section.nli:
        open_nli(plan.section.nli, f"{plan.where}: verify.nli")

    async def probe() -> None:
        async with open_sandbox(plan.section.sandbox):
            pass

    try:
        asyncio.run(probe())
    except SandboxError as error:
        raise ConfigError(f"{plan.where}: verify.sandbox", error.problem) from error


def verify(plan: VerificationPlan, *, bar: ProgressBar, say: Callable[[str], None]) -> VerifiedSet:
    """Run the stages.

    Raises:
        ConfigError: A model cannot be used or loaded, or there is no sandbox.
        StoppedError: The user stopped the command; the same command pays for no call twice.
    """

    async def work(roles: Mapping[str, Role], in_flight: int) -> VerifiedSet:
        section = plan.section
        async with open_sandbox(
            section.sandbox, allow_unsandboxed=plan.allow_unsandboxed, say=say
        ) as sandbox:
            judge = roles.get("judge")
            pipeline = VerificationPipeline(
                roles=VerificationRoles(roles["evolver"], roles["responder"], judge, relate(judge)),
                sandbox=sandbox,
                options=plan.options,
                in_flight=in_flight,
                on_phase=bar.on_phase,
                on_item=lambda is_lost: bar.advance(failed=is_lost),
            )
            return await pipeline.run(plan.seeds, plan.queries)

    nli = open_nli(plan.section.nli, f"{plan.where}: verify.nli") if plan.section.nli else None

    def relate(judge: Role | None) -> Relate | None:
        if nli:
            return nli.relation
        return judged_by(judge) if judge else None

    folder = plan.config.folder
    with alone_in(folder):
        return model_session(
            models_of(plan),
            LedgerSettings(folder / LEDGER),
            work,
            bar=bar,
            say=say,
            options=_options(plan),
        )
