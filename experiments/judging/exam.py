"""`autoevol judge-check`: the exam of a model, as judge and as solver."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoevol.experiments.judging.session import model_session, witness_settings
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.metrics import RULES, compose
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role
from autoevol.program.witnesses.exam import Exam, Fitness
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.questions import QUESTIONS
from autoevol.program.witnesses.solver import Solver

EXAMINED = tuple(
    name
    for name, rule in RULES.items()
    if rule.witness == "solver" or (rule.witness == "judge" and QUESTIONS[name].topics)
)
"""Rules whose witness has to pass an exam, in the table's order."""


def examine(
    model: str,
    rules: Sequence[str],
    ledger: Path,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
    paper: Exam | None = None,
) -> Mapping[str, Fitness]:
    """Let a model take the exam for some rules.

    Args:
        model: A litellm name, or `local/NAME`.
        rules: Of `EXAMINED`.
        ledger: Stores finished calls; a second exam pays for none of them.
        bar: Shows the progress.
        say: Prints one line.
        paper: The judge's exam; None: that of new runs. The solver has its own in any case.

    Raises:
        ConfigError: The model cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StoppedError: The user stopped the command; the same command pays for no call twice.
    """

    async def work(roles: Mapping[str, Role], in_flight: int) -> Mapping[str, Fitness]:
        fitness: dict[str, Fitness] = {}
        judge, solver = Judge(roles["judge"], paper), Solver(roles["solver"])
        for rule in (*compose(rules, "evolve"), *compose(rules, "teach")):
            if rule.name not in rules:  # those that no list can take out
                continue
            witness = judge if rule.witness == "judge" else solver
            fitness[rule.name] = await witness.examine(rule)
            bar.advance(failed=not fitness[rule.name].is_fit)
        return fitness

    settings = {role: witness_settings(role, model, "MODEL") for role in ("judge", "solver")}
    bar.on_phase(Phase("exam", len(rules)))
    return model_session(settings, LedgerSettings(ledger), work, bar=bar, say=say)
