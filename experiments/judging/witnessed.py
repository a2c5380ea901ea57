"""F with its witnesses on labelled rows; the ledger stores each call, so it is paid once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dspy.utils.exceptions import AdapterParseError

from autoevol.experiments.judging.labelled import LabelledRow
from autoevol.experiments.judging.metric_check import (
    Classes,
    Findings,
    broken_by_response,
    broken_rules,
)
from autoevol.experiments.judging.session import model_session, witness_settings
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.metrics import RULE_SETS, RULES, SETS_ON_TEXTS, Reason
from autoevol.program.blocks import run_blocks
from autoevol.program.evolution.failure import FailureMetric, failure_metric
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role
from autoevol.program.witnesses.exam import Fitness
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.solver import Solver


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What F with its witnesses finds in labelled rows.

    Attributes:
        reasons: By rule set, of the sets that ask a witness; in the order of the rows.
        unreadable: Replies that did not parse; those rows go by the pure rules.
        fitness: What the witnesses showed in their exams, by rule.
    """

    reasons: Mapping[str, Findings]
    unreadable: int
    fitness: Mapping[str, Fitness]


def witnessed_rows(
    rows: Sequence[LabelledRow],
    models: Mapping[str, str],
    classes: Classes,
    ledger: Path,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
) -> Witnessed:
    """Return what F finds in every row, for each rule set with a rule of these witnesses.

    Args:
        rows: Labelled rows.
        models: Of "judge" and "solver", or of one of them: litellm names, or `local/NAME`.
        classes: Of the rows' evolvers.
        ledger: Stores finished calls; a second check pays for none of them.
        bar: Shows the progress.
        say: Prints one line.

    Raises:
        ConfigError: A model cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StoppedError: The user stopped the command; the same command pays for no call twice.
    """

    async def work(roles: Mapping[str, Role], in_flight: int) -> Witnessed:
        return await _RowWitness(roles, classes, bar).results(rows, in_flight)

    settings = {role: witness_settings(role, model) for role, model in models.items()}
    bar.on_phase(Phase("witness", len(rows)))
    return model_session(settings, LedgerSettings(ledger), work, bar=bar, say=say)


class _RowWitness:
    """Applies F with its witnesses to rows, several side by side."""

    def __init__(self, roles: Mapping[str, Role], classes: Classes, bar: ProgressBar) -> None:
        judge = Judge(roles["judge"]) if "judge" in roles else None
        solver = Solver(roles["solver"]) if "solver" in roles else None
        names = [
            name
            for name in SETS_ON_TEXTS
            if any(RULES[member].witness in roles for member in RULE_SETS[name])
        ]
        # Of `respond` nothing: no witness speaks of responses.
        self._metrics: dict[str, FailureMetric] = {
            name: failure_metric([name], [], judge=judge, solver=solver) for name in names
        }
        self._classes = classes
        self._bar = bar
        self._reasons: dict[str, dict[int, tuple[Reason, ...]]] = {name: {} for name in names}
        self._unreadable = 0

    async def results(self, rows: Sequence[LabelledRow], in_flight: int) -> Witnessed:
        """Return what F finds in all rows."""

        async def work(block: Sequence[tuple[int, LabelledRow]]) -> None:
            for number, row in block:
                for name in self._metrics:
                    self._reasons[name][number] = await self._reasons_of(name, row)
                self._bar.advance(failed=False)

        for metric in self._metrics.values():
            await metric.prepare()
        await run_blocks(enumerate(rows), work, size=1, in_flight=in_flight)
        reasons = {
            name: [by_number[number] for number in range(len(rows))]
            for name, by_number in self._reasons.items()
        }
        exams = [metric.fitness for metric in self._metrics.values()]
        fitness = {rule: score for by_rule in exams for rule, score in by_rule.items()}
        return Witnessed(reasons, self._unreadable, fitness)

    async def _reasons_of(self, name: str, row: LabelledRow) -> tuple[Reason, ...]:
        evolver = self._classes.of(row)
        try:
            reasons = await self._metrics[name].for_evolver(evolver).reasons("evolve", row.rewrite)
        except AdapterParseError:
            self._unreadable += 1
            return broken_rules(name, row, evolver)
        return (*reasons, *broken_by_response(name, row))
