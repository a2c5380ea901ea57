"""The program's own settings, made from a checked plan: the program knows no config."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from autoevol.experiments.artifacts.format import FormatRules
from autoevol.experiments.config.experiment import EVOLVING
from autoevol.experiments.config.scoring.scores import SCORING, SOLVERS
from autoevol.experiments.config.section import settings_from
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.sandbox import open_sandbox
from autoevol.metrics import ONE_KIND, compose
from autoevol.metrics.quality.learnable import LearnableOptions
from autoevol.program.checks.checking import Checker
from autoevol.program.errors import ConfigError
from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.evolution.rewriting import RewriteOptions
from autoevol.program.roles import OnCall, Role, Roles
from autoevol.program.row_ids import RowIds
from autoevol.program.search.settings import SearchSettings
from autoevol.program.witnesses.exam import exam, first_exam
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.solutions import SAMPLE_TEMPERATURE, TaskSolver
from autoevol.program.witnesses.solver import Solver
from autoevol.program.witnesses.teaching import Teacher

if TYPE_CHECKING:  # it loads aiohttp, which a dry run does without
    from autoevol.experiments.models.runtime import OpenModels

LOCAL_BLOCK_ROWS = 8
"""Rows that evolve together before they respond together on a `local/` model.

The prompts of one stage then follow each other, and the server's prefix cache keeps the method.
"""


def search_settings(plan: Plan, rules: FormatRules) -> SearchSettings:
    """Return the search's settings, under the rules of the run's folder."""
    return settings_from(
        plan.config.optimizer,
        SearchSettings,
        seed=plan.config.seed,
        earlier=plan.earlier,
        first_number=rules.first_number,
    )


def scoring_roles(plan: Plan, models: "OpenModels", on_call: OnCall | None) -> dict[str, Role]:
    """Return the models that the run's scores need, by role."""
    return {role: _role(role, plan, models, on_call) for role in SCORING if role in models.lms}


def _role(role: str, plan: Plan, models: "OpenModels", on_call: OnCall | None) -> Role:
    """Return a role's model; a role that the run does not need has the evolver's."""
    config = getattr(plan.config.models, role)
    lm = models.lms.get(role, models.lms["evolver"])
    return Role(lm=lm, model=config.model, adapter=config.adapter, on_call=on_call)


def row_ids(plan: Plan, rules: FormatRules) -> RowIds:
    """Return how the run names its rows, as the format of its folder has it."""
    if rules.row_ids == "dotted":
        return RowIds()
    # The stages of a search's trajectories are numbered from 1, whatever the first round is.
    first_round = 1 if plan.start else plan.config.evolve.first_round
    facts = plan.facts
    return RowIds.beyond(facts.taken, facts.continued, first_round=first_round)


def _sets(names: Sequence[str], rules: FormatRules) -> list[str]:
    """Return names of rule sets as the folder's format means them."""
    if rules.has_exam:
        return list(names)
    strict = "strict" if rules.has_suspicions else ONE_KIND
    earlier = {"strict": [strict], "strict+judge": [strict, "defects"]}
    return [
        name[: len(name) - len(bare)] + member
        for name in names
        for bare in (name.removeprefix("-"),)
        for member in earlier.get(bare, [bare])
    ]


def _judge(roles: Roles, models: "OpenModels", rules: FormatRules) -> Judge | None:
    paper = exam() if rules.has_exam else first_exam()
    return Judge(roles.judge, paper) if "judge" in models.lms else None


def _solver(plan: Plan, models: "OpenModels", on_call: OnCall | None) -> Solver | None:
    """Return the solver of F: `strong_solver`, or else the responder; None: no rule asks one."""
    if plan.failure_solver is None:
        return None
    temperature = getattr(plan.config.models, plan.failure_solver).temperature
    role = _role(plan.failure_solver, plan, models, on_call)
    # A responder is often greedy, and its samples would all be the same.
    return Solver(role, temperature or SAMPLE_TEMPERATURE)


def _teacher(
    plan: Plan, models: "OpenModels", on_call: OnCall | None, judge: Judge | None
) -> Teacher | None:
    """Return what decides whether rows teach; None: F does not ask."""
    failure = plan.config.failure
    rules = compose(failure.teach, "teach")
    if not rules:
        return None
    solvers = {
        role: TaskSolver(
            _role(role, plan, models, on_call),
            getattr(plan.config.models, role).temperature or SAMPLE_TEMPERATURE,
        )
        for role in SOLVERS
        if role in models.lms
    }
    asks_judge = any(rule.witness == "judge" for rule in rules)
    return Teacher(
        rules,
        settings_from(failure.learnable, LearnableOptions),
        solvers.get("solver"),
        solvers.get("strong_solver"),
        judge if asks_judge else None,
        answers_count=plan.strong_answers,
    )


@asynccontextmanager
async def checker_of(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[Checker | None]:
    """Open what runs checks and tests of answers; None: the config asks for neither.

    Raises:
        SandboxError: There is no sandbox.
    """
    if plan.config.answer.check not in ("constraints", "tests"):
        yield None
        return
    async with open_sandbox(plan.config.answer.sandbox, say=say) as sandbox:
        yield Checker(sandbox)


async def check_sandbox(plan: Plan, say: Callable[[str], None]) -> None:
    """Return if the sandbox that the run needs can be used, or if it needs none.

    Raises:
        ConfigError: It cannot, or no row has a check.
    """
    is_checked = plan.config.answer.check == "constraints"
    have_checks = plan.config.evolve.rounds or plan.facts.has_checks
    if is_checked and not have_checks:
        where = f"{plan.where}: answer.check"
        raise ConfigError(where, "is constraints, but no row has checks (a column `checks`)")
    async with checker_of(plan, say):
        pass


def pipeline_of(
    plan: Plan, models: "OpenModels", on_call: OnCall | None, rules: FormatRules
) -> Pipeline:
    """Return what every attempt needs, with the models by role.

    Args:
        plan: Of the run.
        models: Its open models.
        on_call: Gets each finished call of a predictor; None: nobody does.
        rules: Of the folder's format.
    """
    roles = Roles(**{role: _role(role, plan, models, on_call) for role in EVOLVING})
    failure = plan.config.failure
    is_local = plan.models["evolver"].kind == "local"
    judge = _judge(roles, models, rules)
    return Pipeline(
        roles=roles,
        failure=replace(
            failure_metric(
                _sets(failure.evolve, rules),
                _sets(failure.respond, rules),
                thresholds=failure.thresholds,
                judge=judge,
                solver=_solver(plan, models, on_call),
                has_suspicions=rules.has_suspicions,
            ),
            teacher=_teacher(plan, models, on_call, judge),
        ),
        responds=plan.config.evolve.respond,
        answer=settings_from(plan.config.answer, AnswerSettings),
        rewriting=RewriteOptions(
            context=plan.config.evolve.context,
            evolves_input=plan.config.evolve.input == "evolve",
            shows_system=plan.config.evolve.show_system,
        ),
        constraints=plan.constraints,
        ids=row_ids(plan, rules),
        is_old=rules.is_old_search,
        block_rows=LOCAL_BLOCK_ROWS if is_local else 1,
        blocks_in_flight=1 if is_local else 2 * plan.models["evolver"].in_flight,
    )
