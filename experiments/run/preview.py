"""`autoevol preview`: a few rows through all rounds, before anything else is paid.

The calls are those that the run makes for these rows, and lie in the run's ledger: the run does not
pay them again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import dspy

from autoevol.experiments.artifacts.folder import alone_in, check_folder
from autoevol.experiments.artifacts.format import rules_of
from autoevol.experiments.artifacts.resume import LEDGER, format_of
from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import OpenModels, open_models
from autoevol.experiments.run.chunks import chunk_bills, chunk_ledgers
from autoevol.experiments.run.planning.generation import generation_settings
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.wiring import pipeline_of
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.metrics import compose
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.generator import Generator
from autoevol.program.listeners import Listeners
from autoevol.program.records import Outcome

_ASKED = ("evolver", "responder", "judge")
"""Roles that a preview may need; a search's optimizer is none."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What became of the first rows.

    Attributes:
        outcomes: In canonical order.
        notes: What differs from the run, a sentence each.
    """

    outcomes: list[Outcome]
    notes: list[str]


def preview(plan: Plan, rows: int, say: Callable[[str], None]) -> Preview:
    """Take the first rows of a plan through all rounds; the run's ledger alone is written.

    A search's rows go through its start method. Rules that ask a judge or a solver are left out,
    for these would have to pass an exam first.

    Args:
        plan: Of the run.
        rows: At most so many seeds.
        say: Takes one line for people.

    Raises:
        ConfigError: The folder holds another run, or a model cannot be used.
        StoppedError: The budget is used up, or the user stopped.
    """
    check_folder(plan.config, plan.content, fresh=False)
    plan, notes = _without_witnesses(plan)
    if plan.start:
        notes.append(f"the run will search; this is its start, {plan.start.name}")
    needed = {role: plan.models[role] for role in _ASKED if role in plan.models}
    rules = rules_of(format_of(plan.config.folder))
    folder = plan.config.folder
    ledger = LedgerSettings(
        folder / LEDGER,
        rules.greedy_draws,
        parts=chunk_bills(folder),
        further=chunk_ledgers(folder)[:1],  # the first rows are those of the first chunk
    )
    with (
        stopping_on_signal(say) as stopper,
        alone_in(plan.config.folder),
        open_models(
            needed,
            ledger=ledger,
            budget=Budget(**plan.config.budget.model_dump()),
            on_part=lambda done, total: None,
            say=say,
        ) as models,
        dspy.context(disable_history=True, max_trace_size=0),
    ):
        stopper.attach(models.engine)
        outcomes = models.engine.run(_outcomes(plan, models, rows))
        models.check_served()
    return Preview(sorted(outcomes, key=lambda outcome: outcome.place), notes)


async def _outcomes(plan: Plan, models: OpenModels, rows: int) -> list[Outcome]:
    pipeline = pipeline_of(plan, models, None, rules_of(format_of(plan.config.folder)))
    schedule = [[plan.start]] if plan.start else plan.schedule
    outcomes: list[Outcome] = []
    generator = Generator(
        Evolver(schedule[0][0], plan.answer_prompt),
        schedule,
        replace(pipeline, suspects="keep"),
        generation_settings(plan, {}),
        Listeners(on_row=outcomes.append),
    )
    await generator.generate(plan.splits.seeds[:rows])
    return outcomes


def _without_witnesses(plan: Plan) -> tuple[Plan, list[str]]:
    failure = plan.config.failure
    asking = [rule.name for rule in compose(failure.evolve, "evolve") if rule.witness]
    evolve = [*failure.evolve, *(f"-{name}" for name in asking)]
    asking += [rule.name for rule in compose(failure.teach, "teach")]
    if not asking:
        return plan, []
    pure = failure.model_copy(update={"evolve": evolve, "teach": []})
    config = plan.config.model_copy(update={"failure": pure})
    return replace(plan, config=config), [f"not asked here: {', '.join(asking)}"]
